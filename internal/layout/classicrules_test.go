package layout

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestClassicRules is a truth table of artifact rules: what build uses and makes
// of src's products, and the rules over it.
func TestClassicRules(t *testing.T) {
	t.Parallel()
	type files = map[string]string
	const ok, disallow, require, match = verdict.ID(""), verdict.RuleDisallow, verdict.RuleRequire, verdict.MatchFailed
	for _, row := range []struct {
		name                     string
		src, materials, products files // of src the products; of build both
		uses, makes              []string
		finding                  verdict.ID
	}{
		{"ALLOW *", nil, files{"a/b/.c": "x"}, nil, []string{"ALLOW *", "DISALLOW *"}, nil, ok},
		{"implicit ALLOW *", nil, files{"evil": "x"}, files{"evil": "x"}, nil, nil, ok},
		{"DISALLOW * over nothing", nil, nil, nil, []string{"DISALLOW *"}, []string{"DISALLOW *"}, ok},
		{"DISALLOW *", nil, files{"f": "x"}, nil, []string{"DISALLOW *"}, nil, disallow},
		{"DISALLOW * over a line break", nil, files{"a\nb": "x"}, nil, []string{"DISALLOW *"}, nil, disallow},
		{"DISALLOW before ALLOW", nil, files{"f": "x"}, nil, []string{"DISALLOW f", "ALLOW f"}, nil, disallow},
		{"DISALLOW after ALLOW", nil, files{"f": "x"}, nil, []string{"ALLOW f", "DISALLOW f"}, nil, ok},
		{"DISALLOW of what a name means", nil, files{"dir/../f": "x"}, nil, []string{"DISALLOW f"}, nil, disallow},
		{"DISALLOW of what is written", nil, files{"x/../secret": "x"}, nil, []string{"DISALLOW */../secret"}, nil, disallow},
		{"ALLOW of what a name means", nil, files{"./f": "x"}, nil, []string{"ALLOW f", "DISALLOW *"}, nil, disallow},
		{"keywords in lower case", files{"f": "x"}, files{"f": "x"}, nil, []string{"match f with products from src", "disallow *"}, nil, ok},

		{"CREATE", nil, nil, files{"f": "x"}, nil, []string{"CREATE f", "DISALLOW *"}, ok},
		{"CREATE of a material", nil, files{"f": "x"}, files{"f": "x"}, nil, []string{"CREATE f", "DISALLOW *"}, disallow},
		{"CREATE of a material under another name", nil, files{"./f": "x"}, files{"f": "x"}, nil, []string{"CREATE f", "DISALLOW *"}, ok},
		{"CREATE among materials", nil, files{"f": "x"}, nil, []string{"CREATE f", "DISALLOW *"}, nil, disallow},
		{"DELETE", nil, files{"f": "x"}, nil, []string{"DELETE f", "DISALLOW *"}, nil, ok},
		{"DELETE of a product", nil, files{"f": "x"}, files{"f": "x"}, []string{"DELETE f", "DISALLOW *"}, nil, disallow},
		{"DELETE among products", nil, nil, files{"f": "x"}, nil, []string{"DELETE f", "DISALLOW *"}, disallow},
		{"MODIFY", nil, files{"f": "x"}, files{"f": "y"}, nil, []string{"MODIFY f", "DISALLOW *"}, ok},
		{"MODIFY of what is unchanged", nil, files{"f": "x"}, files{"f": "x"}, nil, []string{"MODIFY f", "DISALLOW *"}, disallow},
		{"MODIFY of what is new", nil, nil, files{"f": "x"}, nil, []string{"MODIFY f", "DISALLOW *"}, disallow},
		{"MODIFY across two names", nil, files{"./f": "x"}, files{"f": "x"}, nil, []string{"MODIFY f", "DISALLOW *"}, disallow},

		{"REQUIRE", nil, files{"f": "x"}, nil, []string{"REQUIRE f"}, nil, ok},
		{"REQUIRE of what is not there", nil, files{"g": "x"}, nil, []string{"REQUIRE f"}, nil, require},
		{"REQUIRE does not consume", nil, files{"f": "x"}, nil, []string{"REQUIRE f", "DISALLOW *"}, nil, disallow},
		{"REQUIRE after ALLOW", nil, files{"f": "x"}, nil, []string{"ALLOW f", "REQUIRE f"}, nil, require},
		{"REQUIRE is literal", nil, files{"f": "x"}, nil, []string{"REQUIRE *"}, nil, require},
		{"REQUIRE of a name with brackets", nil, files{"a[1]": "x"}, nil, []string{"REQUIRE a[1]"}, nil, ok},

		{"MATCH", files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f WITH PRODUCTS FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH of another digest", files{"f": "x"}, files{"f": "y"}, nil, []string{"MATCH f WITH PRODUCTS FROM src", "DISALLOW *"}, nil, match},
		{"MATCH of another digest without DISALLOW", files{"f": "x"}, files{"f": "y"}, nil, []string{"MATCH f WITH PRODUCTS FROM src"}, nil, ok},
		{"MATCH of what is not there", nil, files{"f": "x"}, nil, []string{"MATCH f WITH PRODUCTS FROM src", "DISALLOW *"}, nil, match},
		{"MATCH with the materials", files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f WITH MATERIALS FROM src", "DISALLOW *"}, nil, match},
		{"MATCH of products", files{"f": "x"}, nil, files{"f": "x"}, nil, []string{"MATCH * WITH PRODUCTS FROM src", "DISALLOW *"}, ok},
		{"MATCH from itself", nil, files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f WITH MATERIALS FROM build", "DISALLOW *"}, ok},
		{"MATCH IN", files{"b/f": "x"}, files{"lib/f": "x"}, nil, []string{"MATCH f IN lib WITH PRODUCTS IN b FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH IN with slashes", files{"b/l/f": "x"}, files{"lib/f": "x"}, nil, []string{"MATCH f IN lib/ WITH PRODUCTS IN b/l/ FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH IN, the pattern has a folder", files{"b/d/f": "x"}, files{"lib/d/f": "x"}, nil, []string{"MATCH d/* IN lib WITH PRODUCTS IN b FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH IN of what is not in it", files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f IN lib WITH PRODUCTS FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH * IN of what is not in it", files{"b/evil": "x"}, files{"evil": "x"}, nil, []string{"MATCH * IN dist WITH PRODUCTS IN b FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH IN a part of a name", files{"rary/f": "x"}, files{"library/f": "x"}, nil, []string{"MATCH * IN lib WITH PRODUCTS FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH IN is literal", files{"b/f": "x"}, files{"lib/f": "x"}, nil, []string{"MATCH f IN l* WITH PRODUCTS IN b FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH IN / of what is not in it", files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f IN / WITH PRODUCTS FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH IN /", files{"f": "x"}, files{"/f": "x"}, nil, []string{"MATCH f IN / WITH PRODUCTS FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH with what is in /", files{"/f": "x"}, files{"f": "x"}, nil, []string{"MATCH f WITH PRODUCTS IN / FROM src", "DISALLOW *"}, nil, ok},
		{"MATCH with what is not in /", files{"f": "x"}, files{"f": "x"}, nil, []string{"MATCH f WITH PRODUCTS IN / FROM src", "DISALLOW *"}, nil, match},
		{"MATCH IN two slashes", files{"f": "x"}, files{"lib/f": "x"}, nil, []string{"MATCH f IN lib// WITH PRODUCTS FROM src", "DISALLOW *"}, nil, disallow},
		{"MATCH of an alias", files{"f": "x"}, files{"./f": "x"}, nil, []string{"MATCH f WITH PRODUCTS FROM src", "DISALLOW *"}, nil, disallow},

		{"a set", nil, files{"b": "x"}, nil, []string{"ALLOW [a-c]", "DISALLOW *"}, nil, ok},
		{"a negated set", nil, files{"d": "x"}, nil, []string{"ALLOW [!a-c]", "DISALLOW *"}, nil, ok},
		{"a negated set, outside", nil, files{"b": "x"}, nil, []string{"ALLOW [!a-c]", "DISALLOW *"}, nil, disallow},
		{"a set with a circumflex", nil, files{"a": "x", "^": "x"}, nil, []string{"ALLOW [^a]", "DISALLOW *"}, nil, ok},
		{"a circumflex does not negate", nil, files{"b": "x"}, nil, []string{"ALLOW [^a]", "DISALLOW *"}, nil, disallow},
		{"a question mark is one character", nil, files{"a☺b": "x"}, nil, []string{"ALLOW a?b", "DISALLOW *"}, nil, ok},
		{"case", nil, files{"foo": "x"}, nil, []string{"ALLOW FOO", "DISALLOW *"}, nil, disallow},
		{"composed and decomposed", nil, files{"cafe\u0301": "x"}, nil, []string{"ALLOW caf\u00e9", "DISALLOW *"}, nil, disallow},
		{"braces are no alternatives", nil, files{"a": "x"}, nil, []string{"ALLOW {a,b}", "DISALLOW *"}, nil, disallow},
		{"braces are braces", nil, files{"{a,b}": "x"}, nil, []string{"ALLOW {a,b}", "DISALLOW *"}, nil, ok},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			classicRow{row.name, func(w *classicWorld) {
				w.layout.Steps[0].ExpectedProducts = nil
				w.layout.Steps[1].ExpectedMaterials, w.layout.Steps[1].ExpectedProducts = row.uses, row.makes
				w.src().link.Products = row.src
				w.build().link.Materials, w.build().link.Products = row.materials, row.products
			}, row.finding}.hold(t)
		})
	}
}

// TestClassicDigests compares whole dictionaries of digests.
func TestClassicDigests(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 128)
	with := func(src, build map[string]any) func(*classicWorld) {
		return func(w *classicWorld) {
			w.src().edit = func(d map[string]any) { d["products"] = map[string]any{"foo": src} }
			w.build().edit = func(d map[string]any) { d["materials"] = map[string]any{"foo": build} }
		}
	}
	type digests = map[string]any
	holdAll(t, []classicRow{
		{"equal", with(digests{"sha256": a, "sha512": b}, digests{"sha256": a, "sha512": b}), ""},
		{"upper case", with(digests{"sha256": a}, digests{"sha256": strings.ToUpper(a)}), ""},
		{"one more", with(digests{"sha256": a}, digests{"sha256": a, "sha512": b}), verdict.MatchFailed},
		{"one less", with(digests{"sha256": a, "sha512": b}, digests{"sha256": a}), verdict.MatchFailed},
		{"other algorithms", with(digests{"sha512": b}, digests{"sha256": a}), verdict.MatchFailed},
		{"none", with(digests{}, digests{}), verdict.DigestEmpty},
		{"MD5 alone", with(digests{"md5": a[:32]}, digests{"md5": a[:32]}), verdict.DigestEmpty},
		{"SHA-1 alone", with(digests{"sha1": a[:40]}, digests{"sha1": a[:40]}), verdict.DigestEmpty},
		{"an algorithm that nobody knows", with(digests{"x": a}, digests{"x": a}), verdict.DigestEmpty},
		{"MD5 beside", with(digests{"sha256": a, "md5": a[:32]}, digests{"sha256": a, "md5": a[:32]}), ""},
		{"another MD5 beside", with(digests{"sha256": a, "md5": a[:32]}, digests{"sha256": a, "md5": b[:32]}), verdict.MatchFailed},
		{"SHA-512 alone", with(digests{"sha512": b}, digests{"sha512": b}), ""},
		{"a commit", with(digests{"gitCommit": a[:40]}, digests{"gitCommit": a[:40]}), ""},
	})
}

// TestClassicParameters fills words, and never more than that.
func TestClassicParameters(t *testing.T) {
	t.Parallel()
	parameters := func(pattern string, values ...string) func(*classicWorld) {
		return func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				firstStep(d)["expected_products"] = []any{[]any{"CREATE", pattern}, []any{"DISALLOW", "*"}}
			}
			w.in.Parameters = map[string]string{}
			for i := 0; i < len(values); i += 2 {
				w.in.Parameters[values[i]] = values[i+1]
			}
		}
	}
	product := func(name string, change func(*classicWorld)) func(*classicWorld) {
		return func(w *classicWorld) {
			change(w)
			w.src().link.Products[name] = "x"
			if name != "foo" {
				delete(w.src().link.Products, "foo")
				w.layout.Steps[1].ExpectedMaterials = nil
			}
		}
	}
	holdAll(t, []classicRow{
		{"filled", parameters("{f}", "f", "foo"), ""},
		{"filled in part", parameters("{a}{b}", "a", "f", "b", "oo"), ""},
		{"one that is not used", parameters("foo", "f", "foo"), ""},
		{"white space is one word still", product("a b", parameters("{f}", "f", "a b")), ""},
		{"missing", parameters("{g}", "f", "foo"), verdict.ParameterMissing},
		{"none given", parameters("{f}"), verdict.ParameterMissing},
		{"a wildcard", parameters("{f}", "f", "*"), verdict.ParameterMalformed},
		{"a placeholder in a value", parameters("{f}", "f", "{g}", "g", "foo"), verdict.ParameterMalformed},
		{"empty", parameters("{f}", "f", ""), verdict.ParameterMalformed},
		{"a control character", parameters("{f}", "f", "fo\x00o"), verdict.ParameterMalformed},
		{"a name with a dot", parameters("foo", "f.x", "foo"), verdict.ParameterMalformed},
		{"an attribute", parameters("{f.__class__}", "f", "foo"), verdict.RuleMalformed},
		{"doubled braces", parameters("{{f}}", "f", "foo"), verdict.RuleMalformed},
		{"another brace", parameters("f{oo", "f", "foo"), verdict.RuleMalformed},
		{"another brace, and no parameters", product("f{oo", parameters("f{oo")), ""},
		{"never a keyword", func(w *classicWorld) {
			w.layout.Steps[0].ExpectedProducts = []string{"{k} foo"}
			w.in.Parameters = map[string]string{"k": "ALLOW"}
		}, verdict.RuleMalformed},
		{"the step matched from", func(w *classicWorld) {
			w.layout.Steps[1].ExpectedMaterials = []string{"MATCH foo WITH PRODUCTS FROM {s}", "DISALLOW *"}
			w.in.Parameters = map[string]string{"s": "src"}
		}, ""},
		{"a prefix", func(w *classicWorld) {
			w.layout.Steps[1].ExpectedMaterials = []string{"MATCH foo IN {p} WITH PRODUCTS FROM src", "DISALLOW *"}
			w.build().link.Materials = map[string]string{"lib/foo": "good"}
			w.in.Parameters = map[string]string{"p": "lib"}
		}, ""},
		{"never a name of a step", func(w *classicWorld) {
			w.layout.Steps[0].Name = "{s}"
			w.in.Parameters = map[string]string{"s": "src"}
		}, verdict.MatchUnknownStep},
	})
}

// TestClassicCompat relaxes what the specification leaves open, and says so; never
// a signature, a threshold or a digest.
func TestClassicCompat(t *testing.T) {
	t.Parallel()
	edit := func(change func(d map[string]any)) func(*classicWorld) {
		return func(w *classicWorld) { w.editLayout = change }
	}
	rule := func(words ...any) func(*classicWorld) {
		return edit(func(d map[string]any) { firstStep(d)["expected_products"] = []any{words} })
	}
	for _, row := range []struct {
		name   string
		change func(*classicWorld)
		word   string // empty where it stays refused
	}{
		{"an unknown key", edit(func(d map[string]any) { d["x"] = 1 }), "unknown-field"},
		{"no _type", edit(func(d map[string]any) { delete(firstStep(d), "_type") }), "type"},
		{"no rule list", edit(func(d map[string]any) { delete(firstStep(d), "expected_products") }), "rule-list"},
		{"an unknown step", rule("MATCH", "foo", "WITH", "PRODUCTS", "FROM", "x"), "unknown-step"},
		{"a placeholder", rule("ALLOW", "{f}"), "placeholder"},
		{"a pattern", rule("ALLOW", "fo["), "glob"},
		{"a backslash", rule("ALLOW", `fo\o`), "glob"},
		{"another id", edit(func(d map[string]any) {
			for _, key := range d["keys"].(map[string]any) {
				key.(map[string]any)["keyid"] = strings.Repeat("1", 64)
			}
		}), "key-id"},
		{"two ids", func(w *classicWorld) {
			w.layout.Keys = append(w.layout.Keys, w.alice.WithID(strings.Repeat("f", 64)))
		}, "shared-key"},
		{"a wildcard in a value", func(w *classicWorld) {
			w.in.Parameters = map[string]string{"f": "fo*"}
			w.layout.Steps[0].ExpectedProducts = []string{"CREATE {f}", "DISALLOW *"}
		}, "parameter-glob"},
		{"another brace", func(w *classicWorld) {
			w.in.Parameters = map[string]string{"f": "foo"}
			w.layout.Steps[0].ExpectedProducts = []string{"ALLOW a{b", "ALLOW {f}"}
		}, "brace"},
		{"two names", func(w *classicWorld) {
			w.src().link.Products["./foo"] = "good"
			w.layout.Steps[0].ExpectedProducts = nil
		}, "alias"},

		{"two names, of which one is nobody's", func(w *classicWorld) { w.src().link.Products["./foo"] = "evil" }, ""},
		{"a key in another case", edit(func(d map[string]any) { firstStep(d)["Threshold"] = 1 }), ""},
		{"threshold 0", edit(func(d map[string]any) { firstStep(d)["threshold"] = 0 }), ""},
		{"no threshold", edit(func(d map[string]any) { delete(firstStep(d), "threshold") }), ""},
		{"no steps", edit(func(d map[string]any) { d["steps"] = []any{} }), ""},
		{"a renamed link", func(w *classicWorld) { w.src().link.Name = "build" }, ""},
		{"no digest", func(w *classicWorld) {
			w.src().edit = func(d map[string]any) { d["products"] = map[string]any{"foo": map[string]any{}} }
		}, ""},
		{"a signature", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
		}, ""},
		{"a placeholder among parameters", func(w *classicWorld) {
			w.in.Parameters = map[string]string{"f": "foo"}
			w.layout.Steps[0].ExpectedProducts = []string{"ALLOW {g}"}
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newClassicWorld(t)
			row.change(w)
			if w.check().Verdict(nil).Allowed() {
				t.Fatal("allowed without --compat")
			}
			w.in.Compat = true
			result := w.check()
			v := result.Verdict(nil)
			used := slices.ContainsFunc(result.Relaxed, func(line string) bool { return strings.HasPrefix(line, row.word+": ") })
			switch {
			case row.word == "" && v.Allowed():
				t.Errorf("allowed: %q", result.Relaxed)
			case row.word != "" && !v.Allowed():
				t.Errorf("denied:\n%s", describeAll(v))
			case row.word != "" && !used:
				t.Errorf("relaxed %q, expected %s", result.Relaxed, row.word)
			}
		})
	}
	w := newClassicWorld(t)
	w.in.Compat = true
	if used := w.check().Relaxed; used != nil {
		t.Errorf("a strict layout used %q", used)
	}
}

// TestPythonGlob reads patterns as Python's fnmatch does; each expectation is what
// fnmatch.fnmatchcase answers.
func TestPythonGlob(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	want := map[string]bool{
		"foo[ foo[": true, "foo[ foo": false, `a\*b a\xb`: true, `a\*b a*b`: false, "[z-a] m": false, "[!z-a] m": true,
		"[]a] ]": true, "[]a] a": true, "[!]a] b": true, "[!]a] ]": false, "[a-] -": true, "[a-] b": false, "[] []": true,
		"[!] [!]": true, "** x": true, "[a-c-e] -": true, "[a-c-e] d": false, "[^a] ^": true, "[z-!!a] b": true, "[z-!!a] a": false, "[!z-!!a] b": true, "[!z-!!a] !": false,
		"[z-!] !": false, "a? ab": true, "a? a": false,
	}
	for row := range want {
		pattern, name, _ := strings.Cut(row, " ")
		got[row] = parsePythonGlob(pattern).match(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestClassicInspections runs inspections after all else, and only there.
func TestClassicInspections(t *testing.T) {
	t.Parallel()
	var asked []string
	inspect := func(found map[string]map[string]string, finding *verdict.Finding) Inspect {
		return func(i Inspection) (Inspected, *verdict.Finding) {
			asked = append(asked, fmt.Sprintf("%s %s %q", strings.Join(i.Path, "/"), i.Name, i.Run))
			return Inspected{Materials: found, Products: found, Note: "it was run"}, finding
		}
	}
	digest := func(content string) map[string]map[string]string {
		w := attestationtest.ClassicLink{Products: map[string]string{"bin": content}}.JSON()
		return map[string]map[string]string{"bin": {"sha256": w["products"].(map[string]any)["bin"].(map[string]any)["sha256"].(string)}}
	}
	world := func() *classicWorld {
		w := newClassicWorld(t)
		w.layout.Inspect = []attestationtest.ClassicInspection{{
			Name: "check", Run: []string{"check", "{f}", "{}"}, ExpectedMaterials: []string{"MATCH bin WITH PRODUCTS FROM build", "DISALLOW *"},
		}}
		w.in.Parameters = map[string]string{"f": "a b"}
		w.in.Inspect = inspect(digest("binary"), nil)
		return w
	}
	w := world()
	if v := w.check().Verdict(nil); !v.Allowed() || !slices.Contains(v.Notes, "it was run") {
		t.Errorf("%s", describeAll(v))
	}
	if diff := cmp.Diff([]string{` check ["check" "a b" "{}"]`}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	asked = nil
	for _, row := range []struct {
		name   string
		change func(*classicWorld)
		want   verdict.ID
		runs   int
	}{
		{"another file", func(w *classicWorld) { w.in.Inspect = inspect(digest("evil"), nil) }, verdict.MatchFailed, 1},
		{"it fails", func(w *classicWorld) { w.in.Inspect = inspect(nil, &verdict.Finding{ID: verdict.InspectionFailed}) }, verdict.InspectionFailed, 1},
		{"nothing runs them", func(w *classicWorld) { w.in.Inspect = nil }, verdict.InspectionForbidden, 0},
		{"no digest", func(w *classicWorld) { w.in.Inspect = inspect(map[string]map[string]string{"bin": {}}, nil) }, verdict.DigestEmpty, 1},
		{"a step is not satisfied", func(w *classicWorld) { w.build().link.Products["evil"] = "x" }, verdict.RuleDisallow, 0},
		{"a link is missing", func(w *classicWorld) { delete(w.links, "build."+w.bob.ID[:8]) }, verdict.ThresholdNotMet, 0},
		{"no value for its parameter", func(w *classicWorld) { w.in.Parameters = nil }, verdict.ParameterMissing, 0},
		{"a step matches from it", func(w *classicWorld) {
			w.layout.Steps[0].ExpectedProducts = []string{"MATCH foo WITH PRODUCTS FROM check"}
		}, verdict.MatchUnknownStep, 0},
	} {
		w := world()
		row.change(w)
		v := w.check().Verdict(nil)
		if v.Allowed() || !slices.Contains(idsOf(v), row.want) || len(asked) != row.runs {
			t.Errorf("%s: %v, %d run\n%s", row.name, idsOf(v), len(asked), describeAll(v))
		}
		asked = nil
	}
}
