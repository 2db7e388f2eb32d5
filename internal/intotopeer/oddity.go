package intotopeer

// Oddity is one thing that a layout or its links may have and seldom do.
type Oddity string

// The oddities. A case has at most one, so that a disagreement has one cause.
const (
	OddAlias         Oddity = "a name has two spellings"
	OddAliasAlone    Oddity = "a name is not clean"
	OddGlob          Oddity = "a pattern is broken"
	OddGlobUnclean   Oddity = "a pattern is not clean"
	OddStep          Oddity = "MATCH from a step that is not there"
	OddKind          Oddity = "MATCH WITH LINKS"
	OddDigest        Oddity = "a digest is not hexadecimal"
	OddNoDigest      Oddity = "a digest set is empty"
	OddMissing       Oddity = "a link is missing"
	OddSignature     Oddity = "a link's signature is broken"
	OddLayout        Oddity = "the layout's signature is broken"
	OddExpired       Oddity = "the layout is expired"
	OddLinkName      Oddity = "a link speaks of another step"
	OddDisagreement  Oddity = "two links of a threshold disagree"
	OddPlaceholder   Oddity = "a placeholder has no value"
	OddGarbageFirst  Oddity = "a worthless signature comes first"
	OddWrongSigner   Oddity = "a link is signed by somebody else"
	OddUnknownRule   Oddity = "a rule is none"
	OddDuplicateStep Oddity = "two steps have one name"
	OddTwoIDs        Oddity = "one key has two ids"
	OddPrefix        Oddity = "MATCH IN a folder meets names outside of it"
)

// Oddities lists them all.
func Oddities() []Oddity {
	return []Oddity{
		OddAlias, OddAliasAlone, OddGlob, OddGlobUnclean, OddStep, OddKind, OddDigest, OddNoDigest, OddMissing, OddSignature, OddLayout,
		OddExpired, OddLinkName, OddDisagreement, OddPlaceholder, OddGarbageFirst, OddWrongSigner, OddUnknownRule, OddDuplicateStep, OddTwoIDs,
		OddPrefix,
	}
}

// oddity does to the draft what its oddity says, as far as that lies in the
// content.
func (g *Generator) oddity(d *draft) {
	s := &d.steps[g.random.IntN(len(d.steps))]
	switch d.odd {
	case OddAlias:
		s.Products["foo"], s.Products["./foo"] = g.digest(), g.digest()
	case OddAliasAlone:
		s.Materials[pick(g, "./bar", "lib/../bar", "lib//bar")] = g.digest()
	case OddGlob:
		s.insert(pick(g, "ALLOW", "DISALLOW"), pick(g, "foo[", "[]", "[b-a]*", `foo\`))
	case OddGlobUnclean:
		s.insert(pick(g, "ALLOW", "DISALLOW"), pick(g, "./foo", "lib//*", "lib/", ""))
	case OddStep:
		s.insert("MATCH", "*", "WITH", "PRODUCTS", "FROM", "nowhere")
	case OddKind:
		s.insert("MATCH", "*", "WITH", "LINKS", "FROM", s.Name)
	case OddPrefix:
		from := d.steps[max(0, len(d.steps)-2)].Name
		s = &d.steps[len(d.steps)-1]
		s.ExpectedMaterials = append([][]string{{"MATCH", "*", "IN", pick(g, "lib", "dist"), "WITH", pick(g, "PRODUCTS", "MATERIALS"), "FROM", from}}, s.ExpectedMaterials...)
		s.ExpectedMaterials = append(s.ExpectedMaterials, []string{"DISALLOW", "*"})
	case OddUnknownRule:
		s.insert(pick(g, "PERMIT", "MATCHES"), "*")
	case OddPlaceholder:
		s.insert("ALLOW", "{unset}")
	case OddDigest:
		s.Products["foo"] = map[string]string{"sha256": "no digest"}
	case OddNoDigest:
		s.Products["foo"] = map[string]string{}
	case OddDuplicateStep:
		d.steps = append(d.steps, *s)
	case OddDisagreement, OddTwoIDs:
		s.threshold = 2
		if len(s.people) < 2 {
			s.people = g.people[:2]
		}
	default: // it lies in the files
	}
	if d.odd == "" && g.chance(20) {
		s.insert("ALLOW", "{place}*")
		d.params["place"] = pick(g, "lib", "dist/")
	}
}

func (s *draftStep) insert(rule ...string) {
	s.ExpectedProducts = append([][]string{rule}, s.ExpectedProducts...)
}
