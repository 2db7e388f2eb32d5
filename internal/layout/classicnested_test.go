package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// nest has bob answer step build with a layout of two steps, by carl: fetch takes
// foo, link makes bin.
func (w *classicWorld) nest() (inner *attestationtest.ClassicLayout) {
	folder := "build." + w.bob.ID[:8]
	inner = &attestationtest.ClassicLayout{
		Keys: []*attestationtest.ClassicKey{w.carl},
		Steps: []attestationtest.ClassicStep{
			{Name: "fetch", ExpectedMaterials: []string{"ALLOW foo", "DISALLOW *"}, ExpectedProducts: []string{"CREATE object"}, Functionaries: []*attestationtest.ClassicKey{w.carl}},
			{Name: "link", ExpectedMaterials: []string{"MATCH object WITH PRODUCTS FROM fetch", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{w.carl}},
		},
	}
	w.links[folder].text = []byte("later")
	w.links[folder+"/fetch.x"] = &signedLink{sign: by(w.carl), link: attestationtest.ClassicLink{Name: "fetch", Materials: map[string]string{"foo": "good"}, Products: map[string]string{"object": "o"}}}
	w.links[folder+"/link.x"] = &signedLink{sign: by(w.carl), link: attestationtest.ClassicLink{Name: "link", Materials: map[string]string{"object": "o"}, Products: map[string]string{"bin": "binary"}}}
	return inner
}

// TestClassicSublayouts judges a layout in place of a link.
func TestClassicSublayouts(t *testing.T) {
	t.Parallel()
	type layout = attestationtest.ClassicLayout
	folder := func(w *classicWorld) string { return "build." + w.bob.ID[:8] }
	for _, row := range []struct {
		name    string
		change  func(w *classicWorld, inner *layout)
		finding verdict.ID
	}{
		{"satisfied", func(*classicWorld, *layout) {}, ""},
		{"in DSSE", func(w *classicWorld, _ *layout) { w.build().sign.Format = attestationtest.ClassicDSSE }, ""},
		{"signed by somebody else", func(w *classicWorld, _ *layout) { w.build().sign = by(w.carl) }, verdict.SignatureInvalid},
		{"expired", func(_ *classicWorld, l *layout) { l.Expires = "2026-01-01T00:00:00Z" }, verdict.LayoutExpired},
		{"empty", func(_ *classicWorld, l *layout) { l.Steps = nil }, verdict.LayoutEmpty},
		{"malformed", func(_ *classicWorld, l *layout) { l.Steps[0].ExpectedProducts = []string{"NO foo"} }, verdict.RuleMalformed},
		{"a link is missing", func(w *classicWorld, _ *layout) { delete(w.links, folder(w)+"/link.x") }, verdict.ThresholdNotMet},
		{"a link lies beside it", func(w *classicWorld, _ *layout) {
			w.links["link.x"] = w.links[folder(w)+"/link.x"]
			delete(w.links, folder(w)+"/link.x")
		}, verdict.ThresholdNotMet},
		{"a link by the outer layout's functionary", func(w *classicWorld, _ *layout) { w.links[folder(w)+"/link.x"].sign = by(w.alice) }, verdict.SignatureInvalid},
		{"its rules", func(_ *classicWorld, l *layout) { l.Steps[0].ExpectedProducts = []string{"DISALLOW *"} }, verdict.RuleDisallow},
		{"its first step's materials are the outer step's", func(w *classicWorld, _ *layout) {
			w.links[folder(w)+"/fetch.x"].link.Materials["foo"] = "evil"
		}, verdict.MatchFailed},
		{"its last step's products are the outer step's", func(w *classicWorld, _ *layout) {
			w.links[folder(w)+"/link.x"].link.Products["evil"] = "x"
		}, verdict.RuleDisallow},
		{"the products between are nobody's", func(w *classicWorld, _ *layout) {
			w.links[folder(w)+"/fetch.x"].link.Products["log"] = "x"
		}, ""},
		{"the caller's parameters are not for it", func(w *classicWorld, l *layout) {
			l.Steps[0].ExpectedProducts = []string{"CREATE {o}"}
			w.in.Parameters = map[string]string{"o": "object"}
		}, verdict.ParameterMissing},
		{"its inspection", func(_ *classicWorld, l *layout) {
			l.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}}}
		}, verdict.InspectionForbidden},
		{"its inspection as a link", func(w *classicWorld, l *layout) {
			l.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}, ExpectedMaterials: []string{"MATCH bin WITH PRODUCTS FROM link", "DISALLOW *"}}}
			w.links[folder(w)+"/check.x"] = &signedLink{sign: by(w.bob), link: attestationtest.ClassicLink{Name: "check", Materials: map[string]string{"bin": "binary"}}}
		}, ""},
		{"its inspection as a link by somebody else", func(w *classicWorld, l *layout) {
			l.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}}}
			w.links[folder(w)+"/check.x"] = &signedLink{sign: by(w.carl), link: attestationtest.ClassicLink{Name: "check"}}
		}, verdict.InspectionForbidden},
		{"the outer inspection never as a link", func(w *classicWorld, _ *layout) {
			w.layout.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}}}
			w.links["check.x"] = &signedLink{sign: by(w.owner), link: attestationtest.ClassicLink{Name: "check"}}
		}, verdict.InspectionForbidden},
		{"a link beside it that agrees", func(w *classicWorld, _ *layout) {
			w.links["build.00000000"] = &signedLink{sign: by(w.bob), link: attestationtest.ClassicLink{Name: "build", Materials: map[string]string{"foo": "good"}, Products: map[string]string{"bin": "binary"}}}
		}, ""},
		{"a link beside it that does not", func(w *classicWorld, _ *layout) {
			w.links["build.00000000"] = &signedLink{sign: by(w.bob), link: attestationtest.ClassicLink{Name: "build"}}
		}, verdict.StatementsDisagree},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			classicRow{row.name, func(w *classicWorld) {
				inner := w.nest()
				row.change(w, inner)
				w.build().text = attestationtest.EncodeClassic(inner.JSON())
			}, row.finding}.hold(t)
		})
	}
}

// TestClassicDepth nests layouts up to the bound, and beyond it.
func TestClassicDepth(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{MaxSublayoutDepth, MaxSublayoutDepth + 1} {
		w := newClassicWorld(t)
		w.layout.Steps = []attestationtest.ClassicStep{{Name: "s", Functionaries: []*attestationtest.ClassicKey{w.alice}}}
		inner := w.layout
		w.links = map[string]*signedLink{}
		path := "s.x"
		for range depth {
			w.links[path] = &signedLink{text: attestationtest.EncodeClassic(inner.JSON()), sign: by(w.alice)}
			path += "/s.x"
		}
		w.links[path] = &signedLink{link: attestationtest.ClassicLink{Name: "s"}, sign: by(w.alice)}
		v := w.check().Verdict(nil)
		if deep := slices.Contains(idsOf(v), verdict.SublayoutTooDeep); v.Allowed() != (depth == MaxSublayoutDepth) || deep == v.Allowed() {
			t.Errorf("depth %d:\n%s", depth, describeAll(v))
		}
	}
}

// TestClassicSublayoutTells: what is wrong inside is for the sublayout's owner, to whom no
// --param is of use; and a link in place of an inspection is evidence as any other.
func TestClassicSublayoutTells(t *testing.T) {
	t.Parallel()
	w := newClassicWorld(t)
	inner := w.nest()
	inner.Steps[0].ExpectedProducts = []string{"CREATE {o}"}
	w.build().text = attestationtest.EncodeClassic(inner.JSON())
	v := w.check().Verdict(nil)
	i := slices.IndexFunc(v.Findings, func(f verdict.Finding) bool { return f.ID == verdict.ParameterMissing })
	if i < 0 || strings.Contains(v.Findings[i].String()+v.Findings[i].Next, "--param") || !strings.Contains(v.Findings[i].Next, "sublayout's owner") {
		t.Errorf("an unfilled placeholder:\n%s", describeAll(v))
	}

	for _, evil := range []bool{false, true} {
		w = newClassicWorld(t)
		inner = w.nest()
		inner.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}, ExpectedMaterials: []string{"MATCH bin WITH PRODUCTS FROM link", "DISALLOW *"}}}
		w.build().text = attestationtest.EncodeClassic(inner.JSON())
		materials := map[string]string{"bin": "binary"}
		if evil {
			materials["evil"] = "x"
		}
		w.links["build."+w.bob.ID[:8]+"/check.x"] = &signedLink{sign: by(w.bob), link: attestationtest.ClassicLink{Name: "check", Materials: materials}}
		v = w.check().Verdict(nil)
		if said := strings.Contains(describeAll(v), "the link names evil"); v.Allowed() == evil || said != evil {
			t.Errorf("evil %t:\n%s", evil, describeAll(v))
		}
		if evil {
			continue
		}
		counted := 0
		for _, e := range v.Evidence {
			if e.Counted && e.Verified && len(e.SHA256) == 64 {
				counted++
			}
		}
		if counted != 5 { // of src, the sublayout, and inside of it fetch, link and check
			t.Errorf("%d links counted:\n%+v", counted, v.Evidence)
		}
	}
}
