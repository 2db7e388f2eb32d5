package layout

import (
	"fmt"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// window is a span of time; a zero end or start is none.
type window struct {
	start, end time.Time
}

func (w window) isZero() bool { return w.start.IsZero() && w.end.IsZero() }

func (w window) contains(t time.Time) bool {
	return !t.Before(w.start) && (w.end.IsZero() || t.Before(w.end))
}

func (w window) String() string {
	switch {
	case w.end.IsZero():
		return "from " + w.start.UTC().Format(time.RFC3339)
	case w.start.IsZero():
		return "before " + w.end.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("from %s until %s", w.start.UTC().Format(time.RFC3339), w.end.UTC().Format(time.RFC3339))
}

// inTime holds a statement to the time in which its signer counts.
//
// "Without a proven time a statement is refused wherever validity, maxAge or
// distrust-after applies. Committer dates are never time." (docs/layout.md 6.)
// TestInTime
func (f *functionary) inTime(v *attestation.Verified, now time.Time) *verdict.Finding {
	proven, ok := v.Time()
	if !ok && !f.lenient && (!f.validity.isZero() || !f.distrust.IsZero()) {
		return &verdict.Finding{
			ID: verdict.NoProvenTime, Expected: "a time proven by a log or a timestamp authority, as the signer counts for a time only", Found: "nothing proves when it was signed",
			Next: timely(v),
		}
	}
	// Where nothing proves when it was signed, the present is asked: what exists now
	// was signed before now, so that an end which has not come is kept for certain.
	if !ok {
		proven = now
	}
	if !f.distrust.IsZero() && proven.After(f.distrust) {
		return &verdict.Finding{
			ID: verdict.SignerDistrusted, Expected: "signed by " + f.distrust.UTC().Format(time.RFC3339), Found: "signed " + proven.UTC().Format(time.RFC3339),
			Next: "have somebody sign whom the layout still trusts",
		}
	}
	start, end := v.KeyValidity()
	for _, w := range []struct {
		window
		whose string
	}{{f.validity, "the signer counts"}, {window{start, end}, "its key is valid"}} {
		if !w.contains(proven) {
			return outside(w.window, w.whose, proven, ok)
		}
	}
	return nil
}

// timely tells how a word gets a time that others prove. What else is known of a commit
// lends it none: a time is that of the statement which is counted.
func timely(v *attestation.Verified) string {
	object := v.GitObject()
	if object == nil {
		return "sign with a transparency log or a timestamp authority"
	}
	commit := object.ID
	if object.Kind == gitobject.TagKind {
		commit = object.Tag.Object
	}
	return "have its author run  signatus attest --commit " + commit + "  so that a log or a timestamp proves when: the dates in a commit or tag are whatever somebody typed"
}

func outside(w window, whose string, at time.Time, proven bool) *verdict.Finding {
	f := &verdict.Finding{
		ID: verdict.KeyNotValid, Expected: "a time at which " + whose + ": " + w.String(), Found: "signed " + at.UTC().Format(time.RFC3339),
		Next: "have it signed with a key that is valid",
	}
	if !proven {
		f.Found = "nothing proves when it was signed, and it is " + at.UTC().Format(time.RFC3339) + " now"
		f.Next = "have it signed with a key that is valid, or with a transparency log or timestamp authority"
	}
	return f
}
