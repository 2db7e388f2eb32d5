package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// part is a piece of a Markdown page that stands whole or not at all: a table, a fence
// and a fold that end in the middle would swallow what comes behind.
type part struct {
	text    string
	instead string // shorter, where text has no room; empty for nothing
	// rank tells what goes first where the room does not suffice: the highest.
	rank int
	// what names what it holds, and count how many of it, so that the page can say what
	// it leaves out.
	what  string
	count int
	// under is the part without which this one says nothing, by its place; 0 for none,
	// as the first part always stands.
	under int
}

// The ranks of parts.
const (
	rankVerdict  = iota // what decides, and stands always
	rankRefused         // why
	rankNext            // what to do, or to paste
	rankBasis           // what it was judged by
	rankAllowed         // what needs nobody
	rankPicture         // what shows the same again
	rankEvidence        // what helps to look closer
)

// fit joins the parts that have room within a number of bytes, and says what is left
// out. The first part is there whatever the room is: it is bounded where it is made.
func fit(parts []part, room int) string {
	whole := 0
	for _, p := range parts {
		whole += len(p.text)
	}
	if whole <= room {
		return joined(parts)
	}
	order := make([]int, len(parts))
	for i := range parts {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(parts[a].rank, parts[b].rank) })
	kept := make([]part, len(parts))
	left := map[string]int{}
	room -= leftOutRoom
	for _, i := range order {
		p := parts[i]
		switch {
		case i > 0 && kept[p.under].text == "":
			continue // its lack is told with what it belongs to
		case i == 0 || len(p.text) <= room:
			kept[i].text = p.text
		default:
			left[p.what] += max(p.count, 1)
			if p.instead != "" && len(p.instead) <= room {
				kept[i].text = p.instead
			}
		}
		room -= len(kept[i].text)
	}
	return joined(kept) + leftOut(left)
}

func joined(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}

// leftOutRoom is what the sentence about what is left out needs at most: it names each
// kind of part once, and those are few.
const leftOutRoom = 1 << 10

func leftOut(left map[string]int) string {
	if len(left) == 0 {
		return ""
	}
	var kinds []string
	for what, n := range left {
		kinds = append(kinds, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(kinds)
	return fmt.Sprintf("\n*Shortened: %s are left out here. `--format json` has them all.*\n", strings.Join(kinds, ", "))
}
