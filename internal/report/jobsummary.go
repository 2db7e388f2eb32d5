package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// JobSummary is what a step of a workflow leaves on the page of its run, for people.
type JobSummary struct {
	// Verdict is the step's, in a word: signed, allowed, denied, undecided, failed or
	// skipped. It decides the headline, whatever else there is.
	Verdict string
	// Tool is the version of this program.
	Tool string
	// Signed is what attest did, and Judged what verify found; nil where it never came to
	// that.
	Signed *Signed
	Judged *Document
	// Draw draws the layout that was demanded; nil where there is none.
	Draw Drawing
	// Problems are what was said beside, each with what to do.
	Problems []Problem
}

// Problem is what went wrong in a run, and what to do.
type Problem struct {
	What, Next string
}

// leastRoom is what a summary must have to be written: its first lines always stand.
const leastRoom = 64 << 10

// Write writes the summary as Markdown of at most room bytes, the verdict first. What has
// no room is left out whole, and counted. Too little room is an error.
func (s JobSummary) Write(w io.Writer, room int) error {
	room = min(room, MaxMarkdown)
	if room < leastRoom {
		return errors.New("writing the job's summary: too much is in it already")
	}
	if _, err := io.WriteString(w, fit(s.parts(), room)); err != nil {
		return fmt.Errorf("writing the job's summary: %w", err)
	}
	return nil
}

func (s JobSummary) parts() []part {
	switch {
	case s.Judged != nil:
		return s.judged()
	case s.Signed != nil && len(s.Signed.Bundles) > 0:
		return s.signed()
	case s.Signed != nil && s.Signed.Skipped != "":
		why := "\nThis is " + prose(s.Signed.Skipped) + ".\n\n- **next:** " + nextStep(afterTheMerge) + "\n"
		return append(s.opening("nothing was signed"), part{text: why, rank: rankVerdict, what: "reasons"})
	case s.Signed != nil:
		return append(s.opening("nothing was signed"), notices(*s.Signed)...)
	default:
		return s.opening(s.idle())
	}
}

// afterTheMerge is what to do about a run in which nothing is signed.
const afterTheMerge = "sign in a workflow that runs on push, after the merge; verify works here. Where a run that signs nothing must fail, as in a release, give  require: \"true\""

// opening is the headline, and what went wrong.
func (s JobSummary) opening(rest string) []part {
	headline := fmt.Sprintf("## %s %s: %s\n", s.mark(), s.word(), rest)
	return []part{{text: headline, rank: rankVerdict}, {text: problems(s.Problems), rank: rankVerdict, what: "problems"}}
}

// judged are the parts about what was verified. Where the step's verdict is another than
// the verdict on the artifacts, because something else could not be done, it says so.
func (s JobSummary) judged() []part {
	parts := documentParts(*s.Judged, Options{}, s.Draw)
	word := s.Judged.Outcome().String()
	if word == s.Verdict {
		return append(parts, part{text: problems(s.Problems), rank: rankVerdict, what: "problems"})
	}
	opening := s.opening("the artifacts are " + word + ", and not all was done")
	opening[1].text += "\n"
	for i := range parts {
		if parts[i].under > 0 {
			parts[i].under += len(opening)
		}
	}
	return append(opening, parts...)
}

// idle says what it means that there is neither.
func (s JobSummary) idle() string {
	if s.Verdict == "failed" {
		return "the inputs are wrong"
	}
	return "nothing was signed or verified"
}

// word is the verdict, as it may stand in a headline. It is no better than what there is
// to show for it.
func (s JobSummary) word() string {
	switch s.Verdict {
	case "signed":
		if s.Signed == nil || len(s.Signed.Bundles) == 0 {
			return "undecided"
		}
	case "allowed":
		if s.Judged == nil || s.Judged.Outcome() != verdict.Allowed {
			return "undecided"
		}
	case "denied", "failed", "skipped":
	default:
		return "undecided"
	}
	return s.Verdict
}

func (s JobSummary) mark() string {
	switch s.word() {
	case "signed", "allowed":
		return "✅"
	case "undecided":
		return "❓"
	case "skipped":
		return "⏭️"
	}
	return "❌"
}

// problems are shown as findings are: what, and the next step.
func problems(all []Problem) string {
	var b strings.Builder
	for i, p := range all {
		if i == maxPlaces {
			fmt.Fprintf(&b, "\nand %d more\n", len(all)-maxPlaces)
			break
		}
		fmt.Fprintf(&b, "\n**%s**\n", cmp.Or(prose(strings.TrimSpace(p.What)), "no reason was given"))
		if p.Next != "" {
			fmt.Fprintf(&b, "\n- **next:** %s\n", nextStep(p.Next))
		}
	}
	return b.String()
}

// notices are what a reader of what was signed must not overlook.
func notices(d Signed) []part {
	var notes strings.Builder
	for i, note := range d.Notes {
		if i == maxPlaces {
			fmt.Fprintf(&notes, "\nand %d notes more\n", len(d.Notes)-maxPlaces)
			break
		}
		fmt.Fprintf(&notes, "\nNote: %s\n", prose(note))
	}
	return append(cautions(d.Loosenings, d.Warnings), part{text: notes.String(), rank: rankVerdict, what: "notes"})
}
