package layout

import (
	"strings"
	"time"
)

func (p *prose) people() {
	p.say(0, "Who they are:")
	for _, who := range p.Principals {
		name := who.Name
		if who.Kind != "" {
			name += " (" + strings.Join(append([]string{who.Kind}, who.limits()...), " ") + ")"
		}
		if len(who.Functionaries) == 1 {
			p.functionary(1, name, who.Functionaries[0])
			continue
		}
		p.say(1, "- %s signs in one of these ways, and counts once:", name)
		for _, f := range who.Functionaries {
			p.functionary(2, f.Name, f)
		}
	}
}

// limits tells what a bot may do.
func (d DescribedPrincipal) limits() []string {
	if len(d.Paths) == 0 {
		return nil
	}
	return []string{"that counts only for commits that change nothing but " + listed(d.Paths, "and")}
}

func (p *prose) functionary(depth int, name string, f DescribedFunctionary) {
	switch {
	case f.KeyType == "in-toto":
		p.say(depth, "- %s: %s", name, f.Key)
	case f.Certified != "":
		p.say(depth, "- %s: whoever the SSH authority %s certifies as %s; no time is proven", name, f.Key, f.Certified)
	case f.KeyType != "" && f.Root == "":
		p.say(depth, "- %s: the %s key %s; the signature alone counts, and no time is proven", name, f.KeyType, f.Key)
	case f.KeyType != "":
		p.say(depth, "- %s: the %s key %s, under the trusted root %s", name, f.KeyType, f.Key, f.Root)
	case f.Issuer == "":
		p.say(depth, "- %s: %s, under the trusted root %s", name, f.Identity, f.Root)
	default:
		p.say(depth, "- %s: %s, for whom %s vouches, under the trusted root %s", name, f.Identity, f.Issuer, f.Root)
	}
	if when := f.when(); when != "" {
		p.say(depth+1, "who counts for what was signed %s, by proven time", when)
	}
	if len(f.Extensions) > 0 {
		p.say(depth+1, "and whose certificate says:")
	}
	for _, e := range f.Extensions {
		p.say(depth+1, "- %s: %s", e.Name, listed(e.Values, "or"))
	}
}

// when says when the signer counts; nothing for always.
func (f DescribedFunctionary) when() string {
	var words []string
	for _, bound := range []struct {
		word string
		at   time.Time
	}{{"from", f.From}, {"before", f.Until}, {"not after", f.DistrustAfter}} {
		if !bound.at.IsZero() {
			words = append(words, bound.word+" "+bound.at.UTC().Format(time.RFC3339))
		}
	}
	return listed(words, "and")
}

func (p *prose) parameters() {
	if len(p.Parameters) == 0 {
		return
	}
	p.gap()
	p.say(0, "Whoever verifies gives:")
	for _, parameter := range p.Parameters {
		p.say(1, "- %s", parameter.words())
	}
}

func (d DescribedParameter) words() string {
	text := "{" + d.Name + "}"
	if d.Map {
		text = "{" + d.Name + ".KEY}, for any number of keys"
	}
	if d.Pattern == "" {
		text += ", any text"
	} else {
		text += ", of the form " + d.Pattern
	}
	switch {
	case d.Required:
	case d.Attributes:
		text += ", which may be left out"
	default:
		text += ", which may be left out where nothing uses it"
	}
	return text
}
