package layout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/sshsig"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// functionary reads one way to sign.
func (r *reader) functionary(item namedNode) *functionary {
	what := "functionary " + item.name
	fn := &functionary{id: item.name, at: item.at}
	f := r.mapping(item.node, what, "keyType", "scheme", "keyVal", "validity", "distrustAfter")
	keyType := r.required(item.node, f, "keyType", what)
	r.times(fn, f, what)
	val, ok := f["keyVal"]
	if !ok {
		r.malformed(item.node, what+" has no keyVal", "keyVal")
		return fn
	}
	switch keyType {
	case "sigstore-oidc":
		r.onlyScheme(item.node, f, what, "fulcio")
		r.fulcio(fn, val, what)
	case "ecdsa", "ed25519", "rsa":
		r.publicKey(fn, val, keyType)
		r.scheme(f["scheme"], what, keyType)
	case "ssh":
		r.onlyScheme(item.node, f, what, "sshsig")
		r.ssh(fn, val, what)
	case "gpg":
		r.onlyScheme(item.node, f, what, "openpgp")
		r.publicKey(fn, val, keyType)
	case "":
	default:
		r.problem(verdict.FunctionaryInvalid, at(f["keyType"]), says{fmt.Sprintf("%s has the keyType %q", what, keyType), "sigstore-oidc, ssh, gpg, ecdsa, ed25519 or rsa", "correct the keyType"})
	}
	return fn
}

// onlyScheme demands the one scheme of a key type.
func (r *reader) onlyScheme(node *yaml.Node, f fields, what, scheme string) {
	if found := r.required(node, f, "scheme", what); found != "" && found != scheme {
		r.malformed(f["scheme"], fmt.Sprintf("%s has the scheme %q", what, found), scheme)
	}
}

// ssh reads a public key, or an authority and the principal that it certifies.
func (r *reader) ssh(fn *functionary, val *yaml.Node, what string) {
	for i := 0; val.Kind == yaml.MappingNode && i < len(val.Content); i += 2 {
		if name := val.Content[i].Value; name == "authority" || name == "principal" {
			r.authority(fn, val, what)
			return
		}
	}
	r.publicKey(fn, val, "ssh")
}

// authority reads who certifies, and for whom. The principal is exact: an authority
// that certifies everybody of a team is several functionaries.
func (r *reader) authority(fn *functionary, val *yaml.Node, what string) {
	f := r.mapping(val, what+"'s keyVal", "authority", "principal")
	fn.keyed = true
	text := r.required(val, f, "authority", what)
	principal := r.required(val, f, "principal", what)
	if strings.ContainsAny(principal, "*?!,\"{}") {
		r.problem(verdict.GlobMalformed, at(f["principal"]), says{fmt.Sprintf("%s has the principal %q", what, principal), "one exact name, as the certificate has it", "write the principal out"})
	}
	fn.certified = sshsig.Patterns{principal}
	if text == "" {
		return
	}
	key, err := attestation.ParseAuthority([]byte(text))
	if err != nil {
		r.problem(verdict.FunctionaryInvalid, at(f["authority"]), says{fmt.Sprintf("%s: %v", what, err), "the authority's public key in one line, as in its .pub file", "copy the line from the authority's .pub file"})
		return
	}
	fn.key = key
}

// publicKey reads a key in the form that its keyType has.
func (r *reader) publicKey(fn *functionary, val *yaml.Node, keyType string) {
	what := "functionary " + fn.id
	known := []string{"public", "root"}
	if keyType == "gpg" {
		known = known[:1] // no log takes what it signs
	}
	f := r.mapping(val, what+"'s keyVal", known...)
	fn.keyed = true
	fn.root = r.scalar(f["root"], what+"'s root")
	text := r.required(val, f, "public", what)
	if text == "" {
		return
	}
	form := map[string]string{"ssh": "an SSH public key in one line, as in a .pub file", "gpg": "an armoured OpenPGP public key"}[keyType]
	if form == "" {
		form = "a public key in PEM, PKIX form"
	}
	key, err := attestation.ParseKey([]byte(text))
	if err != nil {
		r.problem(verdict.FunctionaryInvalid, at(f["public"]), says{fmt.Sprintf("%s: %v", what, err), form, "give " + form})
		return
	}
	fn.key = key
	if key.Type() != keyType {
		r.problem(verdict.FunctionaryInvalid, at(f["public"]), says{fmt.Sprintf("%s has the keyType %s and an %s key", what, keyType, key.Type()), keyType, "correct the keyType"})
	}
}

// scheme checks a key's signature scheme, where it is given: in-toto's names
// begin with the key's type. Sigstore signs with RSA keys by PKCS #1 v1.5 alone.
func (r *reader) scheme(node *yaml.Node, what, keyType string) {
	scheme := r.scalar(node, what+"'s scheme")
	if scheme != "" && (!strings.HasPrefix(scheme, keyType) || strings.HasPrefix(scheme, "rsassa-pss")) {
		r.problem(verdict.FunctionaryInvalid, at(node), says{fmt.Sprintf("%s has the scheme %q", what, scheme), "a scheme of " + keyType, "correct or remove the scheme"})
	}
}

// times reads when the functionary counts.
func (r *reader) times(fn *functionary, f fields, what string) {
	if node, ok := f["validity"]; ok {
		v := r.mapping(node, what+"'s validity", "start", "end")
		fn.validity = window{start: r.moment(v["start"], what+"'s start"), end: r.moment(v["end"], what+"'s end")}
		switch w := fn.validity; {
		case v["start"] == nil && v["end"] == nil:
			r.malformed(node, what+"'s validity has neither start nor end", "at least one of them")
		case !w.start.IsZero() && !w.end.IsZero() && !w.start.Before(w.end):
			r.malformed(node, what+"'s validity ends before it starts", "a start before its end")
		}
	}
	fn.distrust = r.moment(f["distrustAfter"], what+"'s distrustAfter")
}

// moment reads an instant that need not be there.
func (r *reader) moment(node *yaml.Node, what string) time.Time {
	text := r.scalar(node, what)
	if text == "" {
		if node != nil && node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
			r.malformed(node, what+" is empty", "an instant")
		}
		return time.Time{}
	}
	t, ok := parseInstant(text)
	if !ok {
		r.malformed(node, fmt.Sprintf("%s is %q", what, text), `an RFC 3339 instant such as "2027-03-01T00:00:00Z"`)
	}
	return t
}

// parseInstant reads RFC 3339 in whole seconds.
func parseInstant(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	// time.Parse takes more than the RFC has: fractions behind a comma, hours of one digit.
	if err != nil || !strings.HasPrefix(text, t.Format("2006-01-02T15:04:05")) || strings.ContainsAny(text, ".,") {
		return time.Time{}, false
	}
	return t, true
}

// sharesKey reports whether two functionaries can sign with one key: the same key in
// whatever form, a common subkey, or one authority and a principal of both.
func (f *functionary) sharesKey(o *functionary) bool {
	if f.key.Authority() != o.key.Authority() {
		return false
	}
	if f.key.Authority() && len(f.certified) == 1 && len(o.certified) == 1 && f.certified[0] != o.certified[0] {
		return false
	}
	return f.key.Shares(o.key)
}

// ReleaseIdentity is the one identity without an issuer: GitHub's release
// attestations, under GitHub's own root. (docs/layout.md, simple mode.)
const ReleaseIdentity = "https://dotcom.releases.github.com"

// fulcio reads the identity in a certificate of Fulcio's, with its extensions.
func (r *reader) fulcio(fn *functionary, val *yaml.Node, what string) {
	f := r.mapping(val, what+"'s keyVal", "root", "issuer", "identity", "extensions")
	fn.root = r.required(val, f, "root", what)
	fn.issuer = r.required(val, f, "issuer", what)
	text := r.required(val, f, "identity", what)
	if hasWildcard(fn.issuer) || strings.ContainsAny(fn.issuer, "{}") {
		r.problem(verdict.GlobMalformed, at(f["issuer"]), says{fmt.Sprintf("%s has the issuer %q", what, fn.issuer), "an exact URL: issuers have no wildcards and no parameters", "write the issuer out"})
	}
	if fn.issuer == NoIssuer {
		if fn.root != "github" || text != ReleaseIdentity {
			r.problem(verdict.FunctionaryInvalid, at(f["issuer"]), says{what + " has no issuer", "an issuer: only " + ReleaseIdentity + " under the root github has none", "name the issuer"})
		}
		fn.issuer = ""
	}
	fn.identity = r.template(f["identity"], text)
	if _, err := identity.ParsePattern(text); err != nil && text != "" {
		r.problem(verdict.GlobMalformed, at(f["identity"]), says{err.Error(), "an exact name, or one whose only wildcard is *", "write the identity segment by segment"})
	}
	for _, item := range r.entries(f["extensions"], what+"'s extensions") {
		fn.extensions = append(fn.extensions, r.extension(item, what))
	}
}

// NoIssuer is the word for a certificate without an issuer extension.
const NoIssuer = "none"

// extension reads an extension's exact value, or a list of them.
func (r *reader) extension(item namedNode, what string) extensionRule {
	rule := extensionRule{name: identity.Extension(item.name)}
	if !slices.Contains(identity.Names(), rule.name) {
		r.problem(verdict.FunctionaryInvalid, item.at, says{fmt.Sprintf("%s demands the unknown extension %s", what, item.name), "one of " + list(identity.Names()), "check the spelling"})
	}
	values := []string{}
	if item.node.Kind == yaml.ScalarNode {
		values = append(values, r.scalar(item.node, item.name))
	} else {
		values = r.texts(item.node, item.name)
	}
	for _, value := range values {
		if hasWildcard(value) {
			r.problem(verdict.GlobMalformed, at(item.node), says{fmt.Sprintf("extension %s is %q", item.name, value), "an exact value or a list of exact values", "write the values out"})
		}
		rule.values = append(rule.values, r.template(item.node, value))
	}
	if len(rule.values) == 0 || slices.Contains(values, "") {
		r.malformed(item.node, fmt.Sprintf("extension %s has no value", item.name), "at least one exact value")
	}
	return rule
}
