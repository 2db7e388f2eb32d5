package layout

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// readPrincipals reads whom the functionaries are of. One that no principal lists is
// its own.
func (r *reader) readPrincipals(l *Layout, node *yaml.Node) {
	for _, item := range r.entries(node, "principals") {
		what := "principal " + item.name
		f := r.mapping(item.node, what, "functionaries", "kind", "paths")
		p := &principal{id: item.name, at: item.at}
		switch kind := r.scalar(f["kind"], what+"'s kind"); kind {
		case "workload", "person", kindBot, "": // the first two are for readers: what a workload may say is decided by its certificate
			p.kind = kind
		default:
			r.malformed(f["kind"], fmt.Sprintf("%s has the kind %q", what, kind), "person, workload or bot")
		}
		r.paths(p, item, f["paths"])
		ids := r.texts(f["functionaries"], what+"'s functionaries")
		if len(ids) == 0 {
			r.malformed(item.node, what+" has no functionaries", "at least one")
		}
		for _, id := range ids {
			r.join(l, p, id)
		}
		l.principals = append(l.principals, p)
	}
	for _, fn := range l.functionaries {
		if fn.principal == nil {
			fn.principal = &principal{id: fn.id, at: fn.at, functionaries: []*functionary{fn}, implied: true}
			l.principals = append(l.principals, fn.principal)
		}
	}
}

// join makes the functionary id one of the principal's.
func (r *reader) join(l *Layout, p *principal, id string) {
	i := slices.IndexFunc(l.functionaries, func(fn *functionary) bool { return fn.id == id })
	switch {
	case i < 0:
		r.problem(verdict.UnknownFunctionary, p.at, says{fmt.Sprintf("principal %s lists the functionary %s, which is not defined", p.id, id), "a name under functionaries", "define it or correct the name"})
	case l.functionaries[i].principal != nil:
		r.problem(verdict.SharedIdentity, p.at, says{fmt.Sprintf("functionary %s belongs to the principals %s and %s", id, l.functionaries[i].principal.id, p.id), "one principal", "a signer is one person: list it once"})
	default:
		l.functionaries[i].principal = p
		p.functionaries = append(p.functionaries, l.functionaries[i])
	}
}
