package layout

import "slices"

// CompatInToto is the word for reading what in-toto 1.0 leaves open as its
// implementations do.
const CompatInToto = "in-toto-1.0"

// compat remembers which relaxations were used. The zero value relaxes nothing.
// No relaxation is about a signature, a threshold or a digest.
type compat struct {
	on    bool
	used  []string // a line each, of the first hundred
	words []string // each once
}

// relax reports whether something that strictness refuses is let through, and
// remembers it for the report. word names the relaxation in docs/classic.md.
func (c *compat) relax(word, detail string) bool {
	if c == nil || !c.on {
		return false
	}
	if !slices.Contains(c.words, word) {
		c.words = append(c.words, word)
	}
	const most = 100
	line := word + ": " + detail
	if len(c.used) < most && !slices.Contains(c.used, line) {
		c.used = append(c.used, line)
	}
	return true
}

// parsePythonGlob reads any pattern as Python's fnmatch does: what cannot be a
// set is an ordinary bracket, a backslash is a backslash, and a reversed range
// holds nothing.
func parsePythonGlob(text string) glob {
	g := glob{text: text}
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch runes[i] {
		case '*':
			g.parts = append(g.parts, globPart{kind: anyRunes})
		case '?':
			g.parts = append(g.parts, globPart{kind: anyRune})
		case '[':
			end := pythonSetEnd(runes, i+1)
			if end < 0 {
				g.parts = append(g.parts, globPart{kind: literalRune, r: '['})
				continue
			}
			g.parts = append(g.parts, pythonSet(runes[i+1:end]))
			i = end
		default:
			g.parts = append(g.parts, globPart{kind: literalRune, r: runes[i]})
		}
	}
	return g
}

// pythonSetEnd finds the "]" that closes a set; one that comes first is a member.
func pythonSetEnd(runes []rune, i int) int {
	if i < len(runes) && runes[i] == '!' {
		i++
	}
	if i < len(runes) && runes[i] == ']' {
		i++
	}
	if end := slices.Index(runes[min(i, len(runes)):], ']'); end >= 0 {
		return i + end
	}
	return -1
}

// pythonSet reads the members of a set. Python drops a reversed range before it looks
// for the "!" that negates.
func pythonSet(members []rune) globPart {
	part := globPart{kind: runeSet}
	for len(members) > 2 && members[0] != '!' && members[1] == '-' && members[2] < members[0] {
		members = members[3:]
	}
	if len(members) > 0 && members[0] == '!' {
		part.negate, members = true, members[1:]
	}
	for i := 0; i < len(members); i++ {
		high := members[i]
		if i+2 < len(members) && members[i+1] == '-' {
			high = members[i+2]
		}
		part.set = append(part.set, runeRange{members[i], high})
		if i+2 < len(members) && members[i+1] == '-' {
			i += 2
		}
	}
	return part
}
