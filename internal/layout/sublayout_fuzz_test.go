package layout

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// sublayoutEnvelope signs raw bytes as the predicate of a sublayout for the app, with an
// Ed25519 key and nothing else.
func sublayoutEnvelope(t testing.TB, key ed25519.PrivateKey, predicate []byte) []byte {
	t.Helper()
	statement := attestationtest.Statement([]subject{file("app", app)}, LayoutPredicate, nil)
	statement = []byte(strings.Replace(string(statement), `"predicate":null`, `"predicate":`+string(predicate), 1))
	return fmt.Appendf(nil, `{"payloadType":"application/vnd.in-toto+json","payload":%q,"signatures":[{"keyid":"","sig":%q}]}`,
		base64Of(statement), base64Of(ed25519.Sign(key, dsse.PAE("application/vnd.in-toto+json", statement))))
}

// ofErin is a layout that takes what erin's key signs as a layout.
func ofErin(t testing.TB) string {
	t.Helper()
	text := inline(t, `subjects: [{subject: ["*"], from: vendor}]`, writeStep("vendor", rules("ALLOW *"), rules("ALLOW *"), expects(LayoutPredicate, 1, "erin")))
	return strings.Replace(text, "principals:\n", sshFunctionary(t, "erin")+"principals:\n", 1)
}

// nestedArrays is a layout with lists so deep in one another, in all the statement.
func nestedArrays(depth int) []byte {
	return []byte(`{"_type":"layout","steps":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
}

// TestSublayoutPredicate reads what an evil signer may put into a signed statement: it is
// refused when the bundle is opened, or as a layout, and each in words.
func TestSublayoutPredicate(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	l := mustParse(t, ofErin(t))
	long := []byte(`{"_type":"layout","version":1,"steps":[` + strings.Repeat(`{"name":"x"},`, 20_000) + `{}]}`)
	for name, c := range map[string]struct {
		predicate []byte
		want      verdict.ID
		opens     bool
	}{
		"nothing":                        {[]byte("{}"), verdict.SublayoutRefused, true},
		"no object":                      {[]byte(`"layout"`), verdict.ThresholdNotMet, false},
		"no predicate":                   {[]byte("null"), verdict.SublayoutRefused, true},
		"a layout of in-toto 1.0":        {[]byte(`{"_type":"layout","steps":[],"inspect":[],"keys":{},"expires":"2027-01-01T00:00:00Z"}`), verdict.SublayoutRefused, true},
		"keys of both dialects":          {[]byte(`{"_type":"layout","version":1,"steps":[{"name":"x","expected_products":[]}]}`), verdict.SublayoutRefused, true},
		"a key twice":                    {[]byte(`{"_type":"layout","version":1,"version":2}`), verdict.ThresholdNotMet, false},
		"a key in another case":          {[]byte(`{"_type":"layout","Version":1}`), verdict.SublayoutRefused, true},
		"lists within lists, to the end": {nestedArrays(61), verdict.SublayoutRefused, true},
		"lists within lists":             {nestedArrays(64), verdict.ThresholdNotMet, false},
		"lists without end":              {nestedArrays(100_000), verdict.ThresholdNotMet, false},
		"steps without end":              {long, verdict.SublayoutRefused, true},
		"an alias in a string":           {[]byte(`{"_type":"&a *a","version":"*a"}`), verdict.SublayoutRefused, true},
		"a layout that takes itself":     {[]byte(asJSON(t, ofErin(t))), verdict.SublayoutRefused, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := Input{Layout: l, Artifact: thing("app", app), Now: now()}
			in.Verified, in.Refused = opened(t, l, sublayoutEnvelope(t, erin, c.predicate))
			if len(in.Verified) > 0 != c.opens {
				t.Errorf("opened %d", len(in.Verified))
			}
			v := Check(in)
			if !c.opens && v.Findings[0].ID == verdict.NoCandidate {
				return // opened here with less than the command has: what was refused is told there
			}
			expect(t, v, c.want)
		})
	}
}

// FuzzSublayout signs what it is given as a layout. It allows nothing, since nobody else
// has said anything, and says why.
func FuzzSublayout(f *testing.F) {
	erin := hand(f, "erin")
	outer := mustParse(f, ofErin(f))
	for _, text := range []string{valid, vendorLayout(f), ofErin(f), outerLayout(f)} {
		f.Add([]byte(asJSON(f, text)))
	}
	for _, predicate := range []string{"{}", "null", `{"_type":"layout","version":1,"steps":[{}]}`, `{"_type":"layout","steps":[],"inspect":[]}`} {
		f.Add([]byte(predicate))
	}
	f.Add(nestedArrays(60))
	key, err := attestation.ParseKey([]byte(sshLine(f, erin)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, predicate []byte) {
		if !json.Valid(predicate) {
			return
		}
		in := Input{Layout: outer, Artifact: thing("app", app), Now: now()}
		found, _ := attestation.Candidates("x.json", sublayoutEnvelope(t, erin, predicate))
		for _, c := range found {
			if v, err := attestation.OpenWithKey(c, key, nil); err == nil {
				in.Verified = append(in.Verified, v)
			}
		}
		for _, l := range Sublayouts(in) {
			if len(l.steps) == 0 || len(l.subjects) == 0 {
				t.Fatal("a layout that demands nothing")
			}
		}
		v := Check(in)
		if v.Allowed() {
			t.Fatalf("allowed by a layout alone: %s", predicate)
		}
		for _, finding := range v.Findings {
			if finding.ID == "" || finding.Found == "" || finding.Expected == "" || finding.Next == "" {
				t.Fatalf("a finding leaves its reader alone: %+v", finding)
			}
		}
	})
}
