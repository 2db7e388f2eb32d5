package layout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestClassicMutations breaks one thing in a layout or its links, each row
// another, and names the finding.
func TestClassicMutations(t *testing.T) {
	t.Parallel()
	const dsse = attestationtest.ClassicDSSE
	step := func(key string, value any) func(*classicWorld) {
		return func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				if firstStep(d)[key] = value; value == nil {
					delete(firstStep(d), key)
				}
			}
		}
	}
	layout := func(key string, value any) func(*classicWorld) {
		return func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				if d[key] = value; value == nil {
					delete(d, key)
				}
			}
		}
	}
	link := func(key string, value any) func(*classicWorld) {
		return func(w *classicWorld) {
			w.src().edit = func(d map[string]any) {
				if d[key] = value; value == nil {
					delete(d, key)
				}
			}
		}
	}
	rule := func(words ...any) func(*classicWorld) {
		return step("expected_products", []any{words, []any{"ALLOW", "*"}})
	}
	holdAll(t, []classicRow{
		{"nothing", func(*classicWorld) {}, ""},
		{"nothing, in DSSE", func(w *classicWorld) { w.sign.Format, w.src().sign.Format = dsse, dsse }, ""},

		// The layout's signatures.
		{"layout key: none", func(w *classicWorld) { w.in.Keys = nil }, verdict.LayoutKeyMissing},
		{"layout key: another", func(w *classicWorld) { w.in.Keys[0] = inTotoKey(w.t, w.carl) }, verdict.LayoutSignature},
		{"layout: unsigned", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakUnsigned}
		}, verdict.LayoutUnsigned},
		{"layout: broken signature", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
		}, verdict.LayoutSignature},
		{"layout: changed after signing", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakContent}
		}, verdict.LayoutSignature},
		{"layout: signed as it stands", func(w *classicWorld) { w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakText} }, verdict.LayoutSignature},
		{"layout: another payload type signed", func(w *classicWorld) {
			w.sign.Format, w.sign.Break = dsse, []attestationtest.ClassicBreak{attestationtest.ClassicBreakPayloadType}
		}, verdict.LayoutSignature},
		{"layout: garbage before the good signature", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakGarbageFirst}
		}, ""},
		{"layout: another key id", func(w *classicWorld) {
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakKeyID}
		}, ""},

		// The layout's form.
		{"expired", layout("expires", "2026-05-31T23:59:59Z"), verdict.LayoutExpired},
		{"expires at the very second", layout("expires", "2026-06-01T00:00:00Z"), ""},
		{"expires: missing", layout("expires", nil), verdict.LayoutMalformed},
		{"expires: fraction", layout("expires", "2040-01-01T00:00:00.5Z"), verdict.LayoutMalformed},
		{"expires: offset", layout("expires", "2040-01-01T00:00:00+00:00"), verdict.LayoutMalformed},
		{"expires: lower case", layout("expires", "2040-01-01t00:00:00z"), verdict.LayoutMalformed},
		{"expires: no such day", layout("expires", "2040-02-30T00:00:00Z"), verdict.LayoutMalformed},
		{"expires: short hour", layout("expires", "2040-01-01T0:00:00Z"), verdict.LayoutMalformed},
		{"expires: white space", layout("expires", "2040-01-01T00:00:00Z "), verdict.LayoutMalformed},
		{"readme: missing", layout("readme", nil), ""},
		{"inspect: missing", layout("inspect", nil), ""},
		{"no steps", layout("steps", []any{}), verdict.LayoutEmpty},
		{"steps: missing", layout("steps", nil), verdict.LayoutEmpty},
		{"steps: an object", layout("steps", map[string]any{}), verdict.LayoutMalformed},
		{"_type: another", layout("_type", "Layout"), verdict.LayoutMalformed},
		{"another key", layout("expectedAttributes", []any{}), verdict.UnknownField},
		{"a key in another case", layout("Expires", "2040-01-01T00:00:00Z"), verdict.AmbiguousKey},
		{"step: another key", step("expectedAttributes", []any{"false"}), verdict.UnknownField},
		{"step: a key in another case", step("Threshold", 1), verdict.AmbiguousKey},
		{"step: a key without its underscore", step("expectedProducts", []any{}), verdict.AmbiguousKey},
		{"step: no _type", step("_type", nil), verdict.LayoutMalformed},
		{"step: another _type", step("_type", "inspection"), verdict.LayoutMalformed},
		{"step: no name", step("name", ""), verdict.LayoutMalformed},
		{"step: a path for a name", step("name", "../src"), verdict.LayoutMalformed},
		{"step: the name of another", step("name", "build"), verdict.NameClash},
		{"step: no expected_command", step("expected_command", nil), ""},
		{"step: expected_command as one string", step("expected_command", "make all"), ""},
		{"step: no expected_products", step("expected_products", nil), verdict.LayoutMalformed},
		{"step: no expected_materials", step("expected_materials", nil), verdict.LayoutMalformed},
		{"threshold: missing", step("threshold", nil), verdict.ThresholdRange},
		{"threshold: 0", step("threshold", 0), verdict.ThresholdRange},
		{"threshold: negative", step("threshold", -1), verdict.ThresholdRange},
		{"threshold: text", step("threshold", "1"), verdict.LayoutMalformed},
		{"pubkeys: nobody", step("pubkeys", []any{}), verdict.ThresholdRange},
		{"pubkeys: none that there is", step("pubkeys", []any{strings.Repeat("0", 64)}), verdict.ThresholdRange},
		{"pubkeys: one more that there is not", func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				firstStep(d)["pubkeys"] = append(firstStep(d)["pubkeys"].([]any), strings.Repeat("0", 64))
			}
		}, ""},
		{"inspection: the name of a step", func(w *classicWorld) {
			w.layout.Inspect = []attestationtest.ClassicInspection{{Name: "src", Run: []string{"true"}}}
		}, verdict.NameClash},
		{"inspection: nothing to run", func(w *classicWorld) { w.layout.Inspect = []attestationtest.ClassicInspection{{Name: "check"}} }, verdict.LayoutMalformed},
		{"inspection: not allowed", func(w *classicWorld) {
			w.layout.Inspect = []attestationtest.ClassicInspection{{Name: "check", Run: []string{"true"}}}
		}, verdict.InspectionForbidden},

		// Keys.
		{"keys: another id than its own", func(w *classicWorld) {
			w.editLayout = func(d map[string]any) {
				d["keys"].(map[string]any)[w.alice.ID].(map[string]any)["keyid"] = strings.Repeat("1", 64)
			}
		}, verdict.KeyIDMismatch},
		{"keys: one key under two ids", func(w *classicWorld) {
			w.layout.Keys = append(w.layout.Keys, w.alice.WithID(strings.Repeat("f", 64)))
		}, verdict.SharedKey},
		{"keys: unreadable", func(w *classicWorld) { w.layout.Keys[2].Public = "zz" }, verdict.KeyMalformed},
		{"keys: another scheme", func(w *classicWorld) { w.layout.Keys[2].Scheme = "rsassa-pss-sha256" }, verdict.KeyMalformed},
		{"keys: another type", func(w *classicWorld) { w.layout.Keys[2].KeyType = "rsa" }, verdict.KeyMalformed},

		// Rules.
		{"rule: no words", rule(), verdict.RuleMalformed},
		{"rule: no pattern", rule("ALLOW"), verdict.RuleMalformed},
		{"rule: unknown", rule("FROBNICATE", "foo"), verdict.RuleMalformed},
		{"rule: a letter that folds to one", rule("DI\u017fALLOW", "foo"), verdict.RuleMalformed},
		{"rule: a keyword's letter that folds", rule("MATCH", "foo", "WITH", "PRODUCT\u017f", "FROM", "src"), verdict.RuleMalformed},
		{"rule: a word too many", rule("ALLOW", "foo", "bar"), verdict.RuleMalformed},
		{"rule: MATCH with links", rule("MATCH", "foo", "WITH", "LINKS", "FROM", "build"), verdict.RuleMalformed},
		{"rule: MATCH from nowhere", rule("MATCH", "foo", "WITH", "PRODUCTS", "FROM"), verdict.RuleMalformed},
		{"rule: MATCH from an unknown step", rule("MATCH", "foo", "WITH", "PRODUCTS", "FROM", "nosuch"), verdict.MatchUnknownStep},
		{"rule: open set", rule("ALLOW", "foo["), verdict.GlobMalformed},
		{"rule: backslash", rule("ALLOW", `foo\`), verdict.GlobMalformed},
		{"rule: reversed range", rule("DISALLOW", "[z-a]"), verdict.GlobMalformed},
		{"rule: hyphen at the end", rule("DISALLOW", "[a-]"), verdict.GlobMalformed},
		{"rule: empty pattern", rule("ALLOW", ""), verdict.GlobMalformed},
		{"rule: placeholder without a value", rule("ALLOW", "{g}"), verdict.ParameterMissing},

		// Links.
		{"link: missing", func(w *classicWorld) { delete(w.links, "src."+w.alice.ID[:8]) }, verdict.ThresholdNotMet},
		{"link: by somebody else", func(w *classicWorld) { w.src().sign.Keys[0] = w.carl }, verdict.SignatureInvalid},
		{"link: broken signature", func(w *classicWorld) {
			w.src().sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
		}, verdict.SignatureInvalid},
		{"link: garbage before the good signature", func(w *classicWorld) {
			w.src().sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakGarbageFirst}
		}, ""},
		{"link: another payload type", func(w *classicWorld) { w.src().sign.Format, w.src().sign.PayloadType = dsse, "text/plain" }, verdict.EnvelopeMalformed},
		{"link: no JSON", func(w *classicWorld) { w.src().file = []byte("{") }, verdict.EnvelopeMalformed},
		{"link: another _type", link("_type", "Link"), verdict.LinkMalformed},
		{"link: another step's", link("name", "build"), verdict.LinkOfOtherStep},
		{"link: no name", link("name", nil), verdict.LinkMalformed},
		{"link: no products", link("products", nil), verdict.LinkMalformed},
		{"link: a key in another case", link("Name", "src"), verdict.AmbiguousKey},
		{"link: another key", link("hint", "x"), ""},
		{"link: products as a list", link("products", []any{}), verdict.LinkMalformed},
		{"link: no digest", link("products", map[string]any{"foo": map[string]any{}}), verdict.DigestEmpty},
		{"link: digest not hexadecimal", link("products", map[string]any{"foo": map[string]any{"sha256": strings.Repeat("z", 64)}}), verdict.DigestMalformed},
		{"link: digest of another length", link("products", map[string]any{"foo": map[string]any{"sha256": "abcd"}}), verdict.DigestMalformed},
		{"link: unknown digest not hexadecimal", link("products", map[string]any{"foo": map[string]any{"blake3": "xy"}}), verdict.DigestMalformed},
		{"link: two names of one file", func(w *classicWorld) { w.src().link.Products["./foo"] = "evil" }, verdict.ArtifactAlias},
		{"link: a name through another folder", func(w *classicWorld) { w.src().link.Products["x/../foo"] = "evil" }, verdict.ArtifactAlias},
		{"link: other digest", func(w *classicWorld) { w.build().link.Materials["foo"] = "evil" }, verdict.MatchFailed},
		{"link: more products", func(w *classicWorld) { w.src().link.Products["evil"] = "x" }, verdict.RuleDisallow},
		{"link: one more that is unreadable", func(w *classicWorld) { w.links["src.00000000"] = &signedLink{file: []byte("{")} }, ""},
		{"link: one more by somebody else", func(w *classicWorld) {
			w.links["src.00000000"] = &signedLink{link: attestationtest.ClassicLink{Name: "src"}, sign: by(w.carl)}
		}, ""},
		{"link: two of one person that disagree", func(w *classicWorld) {
			w.links["src.00000000"] = &signedLink{link: attestationtest.ClassicLink{Name: "src", Products: map[string]string{"foo": "other"}}, sign: by(w.alice)}
		}, verdict.StatementsDisagree},
	})
}

// TestClassicLayoutKeys counts who must have signed the layout.
func TestClassicLayoutKeys(t *testing.T) {
	t.Parallel()
	keys := func(w *classicWorld, names ...string) {
		people := map[string]*attestationtest.ClassicKey{"owner": w.owner, "alice": w.alice, "bob": w.bob}
		w.in.Keys = nil
		for _, name := range names {
			w.in.Keys = append(w.in.Keys, inTotoKey(w.t, people[name]))
		}
	}
	holdAll(t, []classicRow{
		{"two of two", func(w *classicWorld) { keys(w, "owner", "alice"); w.sign = by(w.owner, w.alice) }, ""},
		{"one of two", func(w *classicWorld) { keys(w, "owner", "alice") }, verdict.LayoutSignature},
		{"one of two, where one is enough", func(w *classicWorld) { keys(w, "owner", "alice"); w.in.Threshold = 1 }, ""},
		{"two of three, where two are enough", func(w *classicWorld) {
			keys(w, "owner", "alice", "bob")
			w.in.Threshold, w.sign = 2, by(w.owner, w.bob)
		}, ""},
		{"one of three, where two are enough", func(w *classicWorld) { keys(w, "owner", "alice", "bob"); w.in.Threshold = 2 }, verdict.LayoutSignature},
		{"one key given twice", func(w *classicWorld) { keys(w, "owner", "owner") }, ""},
		{"one key given twice is not two", func(w *classicWorld) { keys(w, "owner", "owner"); w.in.Threshold = 2 }, verdict.LayoutSignature},
		{"one signature twice is not two", func(w *classicWorld) {
			keys(w, "owner", "alice")
			w.sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakTwice}
		}, verdict.LayoutSignature},
		{"one signature beyond what is asked", func(w *classicWorld) { w.sign = by(w.carl, w.owner) }, ""},
	})
}

// TestClassicThresholds counts people, not key ids, signatures or files.
func TestClassicThresholds(t *testing.T) {
	t.Parallel()
	twoOfThree := func(w *classicWorld, links ...*attestationtest.ClassicKey) {
		w.layout.Steps[0].Threshold = 2
		w.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{w.alice, w.bob, w.carl}
		delete(w.links, "src."+w.alice.ID[:8])
		for i, key := range links {
			w.links[fmt.Sprintf("src.%08d", i)] = &signedLink{link: attestationtest.ClassicLink{Name: "src", Products: map[string]string{"foo": "good"}}, sign: by(key)}
		}
	}
	holdAll(t, []classicRow{
		{"two of three", func(w *classicWorld) { twoOfThree(w, w.alice, w.carl) }, ""},
		{"all three", func(w *classicWorld) { twoOfThree(w, w.alice, w.bob, w.carl) }, ""},
		{"one of three", func(w *classicWorld) { twoOfThree(w, w.alice) }, verdict.ThresholdNotMet},
		{"one of three, twice", func(w *classicWorld) { twoOfThree(w, w.alice, w.alice) }, verdict.ThresholdNotMet},
		{"two, of whom one is nobody here", func(w *classicWorld) { twoOfThree(w, w.alice, w.owner) }, verdict.ThresholdNotMet},
		{"two signatures on one link", func(w *classicWorld) {
			twoOfThree(w, w.alice)
			w.links["src.00000000"].sign = by(w.alice, w.bob)
		}, verdict.ThresholdNotMet},
		{"a listed key twice", func(w *classicWorld) {
			twoOfThree(w, w.alice)
			w.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{w.alice, w.alice}
		}, verdict.ThresholdNotMet},
		{"one key under two ids, read leniently", func(w *classicWorld) {
			twin := w.alice.WithID(strings.Repeat("f", 64))
			twoOfThree(w, w.alice, twin)
			w.in.Compat, w.layout.Keys = true, append(w.layout.Keys, twin)
			w.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{w.alice, twin}
		}, verdict.ThresholdNotMet},
		{"three, of whom one disagrees", func(w *classicWorld) {
			twoOfThree(w, w.alice, w.bob, w.carl)
			w.links["src.00000002"].link.Products = map[string]string{"foo": "evil"}
		}, verdict.StatementsDisagree},
		{"three, of whom one has a broken signature", func(w *classicWorld) {
			twoOfThree(w, w.alice, w.bob, w.carl)
			w.links["src.00000002"].sign.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakSignature}
		}, ""},
	})
}

// TestClassicArtifact compares what is in hand with the last step's products.
func TestClassicArtifact(t *testing.T) {
	t.Parallel()
	result := newClassicWorld(t).check()
	digest := func(content string) *artifact.Artifact {
		set, err := artifact.Hash(strings.NewReader(content), artifact.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return &artifact.Artifact{Given: "file", Digest: set}
	}
	if v := result.Verdict(digest("binary")); !v.Allowed() {
		t.Errorf("the last step's product: %s", describeAll(v))
	}
	for _, content := range []string{"good", "other"} { // the first step's product, and nothing's
		if v := result.Verdict(digest(content)); v.Allowed() || v.Findings[0].ID != verdict.ArtifactNotProduct {
			t.Errorf("%s: %s", content, describeAll(v))
		}
	}
	if v := result.Verdict(nil); !v.Allowed() || len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "no artifact bound") {
		t.Errorf("no artifact: %q", v.Notes)
	}
	var zero ClassicResult
	if zero.Verdict(nil).Allowed() || zero.Verdict(digest("binary")).Allowed() {
		t.Error("the zero result allows")
	}
}

// TestClassicZeroInput holds that nothing given is nothing allowed.
func TestClassicZeroInput(t *testing.T) {
	t.Parallel()
	w := newClassicWorld(t)
	good := w.input()
	for name, change := range map[string]func(*ClassicInput){
		"all":     func(in *ClassicInput) { *in = ClassicInput{} },
		"layout":  func(in *ClassicInput) { in.Layout = nil },
		"links":   func(in *ClassicInput) { in.Links = nil },
		"keys":    func(in *ClassicInput) { in.Keys = nil },
		"a key":   func(in *ClassicInput) { in.Keys = []attestation.InTotoKey{{}} },
		"instant": func(in *ClassicInput) { in.Now = time.Time{} },
	} {
		in := good
		change(&in)
		if v := CheckClassic(in).Verdict(nil); v.Allowed() || len(v.Findings) == 0 {
			t.Errorf("without %s: %s", name, describeAll(v))
		}
	}
}
