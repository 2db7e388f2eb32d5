package layout

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// shortLived is the longest life of a certificate whose notBefore dates the
// signature.
const shortLived = time.Hour

// checkAge holds a statement to the item's maxAge.
//
// "maxAge counts from the leaf's notBefore where the leaf lives an hour or less,
// else from a signed field named by ageFrom; a timestamp never makes evidence
// younger. Without a proven time a statement is refused wherever validity,
// maxAge or distrust-after applies." (docs/layout.md 6.)
func (e *entry) checkAge(v *attestation.Verified, now time.Time) *verdict.Finding {
	if e.maxAge == 0 {
		return nil
	}
	proven, ok := v.Time()
	if !ok {
		return &verdict.Finding{
			ID: verdict.NoProvenTime, Expected: "a time proven by a log or a timestamp authority", Found: "nothing proves when it was signed",
			Next: timely(v),
		}
	}
	made, err := e.made(v)
	if err != nil {
		return refuse(verdict.PredicateMalformed, err)
	}
	switch age := now.Sub(made); {
	case made.After(proven):
		return refuse(verdict.PredicateMalformed, fmt.Errorf("%s is %s, after the time %s at which the signature was seen", e.ageFrom, made.Format(time.RFC3339), proven.Format(time.RFC3339)))
	case age > e.maxAge:
		return &verdict.Finding{
			ID: verdict.EvidenceTooOld, Expected: fmt.Sprintf("at most %s old", e.maxAge),
			Found: fmt.Sprintf("made %s, %s ago", made.UTC().Format(time.RFC3339), age.Round(time.Second)), Next: "run the step again",
		}
	}
	return nil
}

// made returns the instant that the age counts from.
func (e *entry) made(v *attestation.Verified) (time.Time, error) {
	notBefore, notAfter := v.Lifetime()
	if !notBefore.IsZero() && notAfter.Sub(notBefore) <= shortLived {
		return notBefore, nil
	}
	if e.ageFrom == "" {
		return time.Time{}, fmt.Errorf("the signer's certificate or key is long-lived and the layout names no ageFrom")
	}
	value := v.Statement().Predicate
	for key := range strings.SplitSeq(e.ageFrom, ".") {
		var object map[string]jsontext.Value
		if err := json.Unmarshal(value, &object); err != nil || object[key] == nil {
			return time.Time{}, fmt.Errorf("the predicate has no %s", e.ageFrom)
		}
		value = object[key]
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return time.Time{}, fmt.Errorf("the predicate's %s is not text", e.ageFrom)
	}
	made, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("the predicate's %s is %q, not an RFC 3339 instant", e.ageFrom, text)
	}
	return made, nil
}
