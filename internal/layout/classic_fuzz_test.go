package layout

import (
	"bytes"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// FuzzClassic signs any text as a layout and as a link of the layout that the
// tests use. What is refused has a finding that can be read; what is allowed has
// all of its steps.
func FuzzClassic(f *testing.F) {
	w := newClassicWorld(f)
	good := w.layoutText()
	f.Add(good, []byte(nil), false)
	f.Add(bytes.ReplaceAll(good, []byte("foo"), []byte("{f}")), []byte(nil), true)
	f.Add(bytes.ReplaceAll(good, []byte("DISALLOW"), []byte("REQUIRE")), []byte(nil), false)
	f.Add([]byte(`{"_type": "layout", "steps": [{"cert_constraints": [{}]}], "rootcas": {"a": {"keyval": {"certificate": "x"}}}}`), []byte(nil), true)
	f.Add([]byte(`{"_type": "layout", "inspect": [{"_type": "inspection", "name": "i", "run": "x {f}"}]}`), []byte(nil), false)
	f.Add(good, attestationtest.EncodeClassic(w.src().link.JSON()), false)
	f.Add(good, []byte(`{"_type": "link", "name": "src", "materials": {"./a": {"sha256": ""}, "a": {}}, "products": {}}`), true)
	f.Add(good, good, true)
	f.Fuzz(func(t *testing.T, layout, link []byte, compat bool) {
		w := newClassicWorld(t)
		in := w.in
		in.Compat, in.Trace, in.Parameters = compat, true, map[string]string{"f": "foo"}
		in.Layout = sealed(t, layout, w.sign)
		if in.Layout == nil {
			return
		}
		in.Links = w.folder()
		if link != nil {
			for i, file := range in.Links.Files {
				if strings.HasPrefix(file.Name, "src.") {
					in.Links.Files[i].Envelope = sealed(t, link, w.src().sign)
				}
			}
			if in.Links.Files[1].Envelope == nil {
				return
			}
		}
		result := CheckClassic(in)
		v := result.Verdict(nil)
		if v.Allowed() == (len(v.Findings) > 0) {
			t.Fatalf("%s", describeAll(v))
		}
		for _, finding := range v.Findings {
			if finding.ID == "" || finding.Found == "" || finding.Expected == "" || finding.Next == "" {
				t.Fatalf("a finding leaves its reader alone: %+v", finding)
			}
		}
		for _, e := range v.Evidence {
			if e.Reason == nil && !e.Verified {
				t.Fatalf("no reason: %+v", e)
			}
		}
	})
}

// sealed signs a text in DSSE, which takes any; nil where it is no JSON object
// that is read.
func sealed(t *testing.T, text []byte, request attestationtest.ClassicRequest) *attestation.Envelope {
	request.Signed, request.Format = text, attestationtest.ClassicDSSE
	file, err := attestationtest.SignClassic(request)
	if err != nil {
		return nil
	}
	envelope, _ := attestation.ReadEnvelope("f", file)
	return envelope
}

// FuzzClassicRule holds that a word's value fills one word, and that a pattern
// that was read matches in bounded time.
func FuzzClassicRule(f *testing.F) {
	f.Add("MATCH {f} IN a WITH PRODUCTS IN b FROM src", "foo", "a/foo")
	f.Add("ALLOW [!a-c]*?[^x]", "", "a")
	f.Add("DISALLOW {{f}}", "x y", "x y")
	f.Add("REQUIRE [", "a", "[")
	f.Fuzz(func(t *testing.T, text, value, name string) {
		for _, on := range []bool{false, true} {
			r := &classicReader{parameters: map[string]string{"f": value}, compat: &compat{on: on}, used: map[string]bool{}}
			r.checkParameters()
			rule, ok := r.rule("s", strings.Split(text, " "))
			if !ok && len(r.problems) == 0 {
				t.Fatal("refused without a finding")
			}
			if ok && rule.kind != requireRule {
				rule.glob.match(name)
			}
		}
	})
}
