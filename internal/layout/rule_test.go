package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

func TestParseRule(t *testing.T) {
	t.Parallel()
	type parsed struct{ Kind, Pattern, Src, Dst, From, Side string }
	for text, want := range map[string]parsed{
		"ALLOW *":                                   {Kind: "ALLOW", Pattern: "*"},
		"allow *":                                   {Kind: "ALLOW", Pattern: "*"},
		"  DISALLOW   x  ":                          {Kind: "DISALLOW", Pattern: "x"},
		"REQUIRE git+https://{repo}":                {Kind: "REQUIRE", Pattern: "git+https://{repo}"},
		"CREATE dist/*":                             {Kind: "CREATE", Pattern: "dist/*"},
		"DELETE a":                                  {Kind: "DELETE", Pattern: "a"},
		"MODIFY a\tb":                               {},
		"MODIFY a":                                  {Kind: "MODIFY", Pattern: "a"},
		"MATCH a WITH PRODUCTS FROM s":              {Kind: "MATCH", Pattern: "a", From: "s", Side: "PRODUCTS"},
		"MATCH a WITH MATERIALS FROM s":             {Kind: "MATCH", Pattern: "a", From: "s", Side: "MATERIALS"},
		"Match a in x With products In y from s":    {Kind: "MATCH", Pattern: "a", Src: "x", Dst: "y", From: "s", Side: "PRODUCTS"},
		"MATCH a IN x WITH PRODUCTS FROM s":         {Kind: "MATCH", Pattern: "a", Src: "x", From: "s", Side: "PRODUCTS"},
		"MATCH a WITH PRODUCTS IN y FROM s":         {Kind: "MATCH", Pattern: "a", Dst: "y", From: "s", Side: "PRODUCTS"},
		"MATCH IN IN IN WITH PRODUCTS IN IN FROM s": {Kind: "MATCH", Pattern: "IN", Src: "IN", Dst: "IN", From: "s", Side: "PRODUCTS"},
		"MATCH WITH WITH PRODUCTS FROM FROM":        {Kind: "MATCH", Pattern: "WITH", From: "FROM", Side: "PRODUCTS"},

		"":                                       {},
		"ALLOW":                                  {},
		"ALLOW a b":                              {},
		"FORBID a":                               {},
		"DI\u017fALLOW a":                        {},
		"d\u0131sallow a":                        {},
		"MATCH a WITH PRODUCT\u017f FROM s":      {},
		"{kind} a":                               {},
		"REQUIRE":                                {},
		"MATCH a":                                {},
		"MATCH a FROM s":                         {},
		"MATCH a WITH LINKS FROM s":              {},
		"MATCH a WITH PRODUCTS":                  {},
		"MATCH a WITH PRODUCTS FROM":             {},
		"MATCH a WITH PRODUCTS FROM s t":         {},
		"MATCH a WITH PRODUCTS OF s":             {},
		"MATCH a IN WITH PRODUCTS FROM s":        {},
		"MATCH a WITH PRODUCTS IN FROM s":        {},
		"MATCH a IN x IN y WITH PRODUCTS FROM s": {},
		"MATCH a WITH PRODUCTS IN x IN y FROM s": {},
		"ALLOW {a":                               {},
		"ALLOW a}":                               {},
		"ALLOW {}":                               {},
		"ALLOW {1a}":                             {},
		"ALLOW {a-b}":                            {},
		"ALLOW {{a}}":                            {},
		"MATCH a IN {x WITH PRODUCTS FROM s":     {},
		"MATCH a WITH PRODUCTS IN x} FROM s":     {},
	} {
		r, err := parseRule(text, position{})
		got := parsed{}
		if err == nil {
			got = parsed{string(r.kind), r.pattern.text, r.sourcePrefix.text, r.destPrefix.text, r.from, ""}
			if r.kind == matchRule {
				got.Side = map[bool]string{true: "PRODUCTS", false: "MATERIALS"}[r.withProducts]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (%v) (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	values := map[string]string{"repo": "github.com/acme/app", "a": "x", "_1": "y"}
	for text, want := range map[string]string{
		"": "", "plain": "plain", "{a}": "x", "{a}{a}": "xx", "-{a}-{_1}-": "-x-y-", "https://{repo}/x": "https://github.com/acme/app/x", "*{a}*": "*x*",
	} {
		tmpl, err := parseTemplate(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := tmpl.fill(values); err != nil || got != want {
			t.Errorf("%q gives %q (%v), expected %q", text, got, err, want)
		}
	}
	for _, text := range []string{"{", "}", "{}", "{a", "a}", "{a}}", "{{a}", "{a b}", "{a.b}", "{0}", "{ä}"} {
		if tmpl, err := parseTemplate(text); err == nil {
			t.Errorf("%q is read, as %v", text, tmpl.parts)
		}
	}
	missing, err := parseTemplate("{nobody}")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := missing.fill(values); err == nil {
		t.Errorf("a parameter without a value gives %q", got)
	}
	// A value is put in once: what it holds is never read again.
	once, _ := parseTemplate("{a}")
	if got, err := once.fill(map[string]string{"a": "{a}"}); err != nil || got != "{a}" {
		t.Errorf("a value that looks like a placeholder gives %q (%v)", got, err)
	}
}

func TestCheckValue(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"a", "github.com/acme/app", "alice@example.com", "1.2.3", "ä", "$(x)", "a;b", "'", `"`, "#", "%2f", "WITH"} {
		if err := checkValue(value); err != nil {
			t.Errorf("%q is refused: %v", value, err)
		}
	}
	for _, value := range []string{"", " ", "a b", "a\tb", "a\nb", "a\rb", "a\u00a0b", "a\u2003b", "a\u2028b", "\x00", "a\x1bb", "\u0085", "*", "a*", "?", "[", "]", "[a]", `\`, "{", "}", "{a}", "\xff", "\ufffd"} {
		if err := checkValue(value); err == nil {
			t.Errorf("%q is taken", value)
		}
	}
}

// The rule engine on its own: in-toto's queue over one statement's sets.
func TestQueue(t *testing.T) {
	t.Parallel()
	one, two := artifact.DigestSet{"sha256": "1"}, artifact.DigestSet{"sha256": "2"}
	set := func(list ...any) artifact.Set {
		s := artifact.Set{}
		for i := 0; i < len(list); i += 2 {
			name := list[i].(string)
			s[name] = artifact.Resource{Name: artifact.Name{Text: name}, Digest: list[i+1].(artifact.DigestSet)}
		}
		return s
	}
	asserted := func(name string, d artifact.DigestSet) artifact.Set {
		return artifact.Set{name: {Name: artifact.Name{Text: name}, Digest: d, Asserted: true}}
	}
	none := artifact.DigestSet{}
	other := func(products artifact.Set) []*group {
		return []*group{{claims: &claims{products: products, materials: set("m", one), hasProducts: true}}}
	}
	for _, r := range []struct {
		name                string
		rules               string
		materials, products artifact.Set
		over                string // products, or materials
		other               []*group
		want                verdict.ID
		rule                string
	}{
		{"nothing to judge", "DISALLOW *", set(), set(), "products", nil, "", ""},
		{"an end without rules allows", "", set(), set("a", one), "products", nil, "", ""},
		{"DISALLOW *", "DISALLOW *", set(), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"DISALLOW * of a name with slashes", "DISALLOW *", set(), set("a/b/c", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"DISALLOW * of a hidden name", "ALLOW [!.]*, DISALLOW *", set(), set(".a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"DISALLOW of another name", "DISALLOW b", set(), set("a", one), "products", nil, "", ""},
		{"DISALLOW sees only what is left", "ALLOW a, DISALLOW *", set(), set("a", one), "products", nil, "", ""},
		{"DISALLOW before ALLOW", "DISALLOW *, ALLOW a", set(), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},

		{"CREATE takes new products", "CREATE *, DISALLOW *", set("b", one), set("a", one), "products", nil, "", ""},
		{"CREATE leaves what was a material", "CREATE *, DISALLOW *", set("a", one), set("a", two), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"CREATE does nothing to materials", "CREATE *, DISALLOW *", set("a", one), set(), "materials", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"DELETE takes materials that are gone", "DELETE *, DISALLOW *", set("a", one), set(), "materials", nil, "", ""},
		{"DELETE leaves what is still there", "DELETE *, DISALLOW *", set("a", one), set("a", one), "materials", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"DELETE does nothing to products", "DELETE *, DISALLOW *", set(), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"MODIFY takes what changed", "MODIFY *, DISALLOW *", set("a", one), set("a", two), "products", nil, "", ""},
		{"MODIFY takes what changed, as material", "MODIFY *, DISALLOW *", set("a", one), set("a", two), "materials", nil, "", ""},
		{"MODIFY leaves what did not", "MODIFY *, DISALLOW *", set("a", one), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"MODIFY leaves what is new", "MODIFY *, DISALLOW *", set(), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},

		{"REQUIRE", "REQUIRE a", set(), set("a", one), "products", nil, "", ""},
		{"REQUIRE does not consume", "REQUIRE a, DISALLOW *", set(), set("a", one), "products", nil, verdict.RuleDisallow, "DISALLOW *"},
		{"REQUIRE of what is not there", "REQUIRE b", set(), set("a", one), "products", nil, verdict.RuleRequire, "REQUIRE b"},
		{"REQUIRE of nothing", "REQUIRE b", set(), set(), "products", nil, verdict.RuleRequire, "REQUIRE b"},
		{"REQUIRE of what was consumed", "ALLOW *, REQUIRE a", set(), set("a", one), "products", nil, verdict.RuleRequire, "REQUIRE a"},
		{"REQUIRE of what is only asserted", "REQUIRE a", set(), asserted("a", one), "products", nil, verdict.RuleRequire, "REQUIRE a"},

		{"MATCH", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", other(set("a", one)), "", ""},
		{"MATCH with materials", "MATCH m WITH MATERIALS FROM s, DISALLOW *", set("m", one), set(), "materials", other(set()), "", ""},
		{"MATCH of another digest", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", two), set(), "materials", other(set("a", one)), verdict.MatchFailed, "MATCH a WITH PRODUCTS FROM s"},
		{"MATCH of another name", "MATCH * WITH PRODUCTS FROM s, DISALLOW *", set("b", one), set(), "materials", other(set("a", one)), verdict.MatchFailed, "MATCH * WITH PRODUCTS FROM s"},
		{"MATCH of no digests", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", none), set(), "materials", other(set("a", none)), verdict.MatchFailed, "MATCH a WITH PRODUCTS FROM s"},
		{"MATCH with what is only asserted", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", other(asserted("a", one)), verdict.MatchFailed, "MATCH a WITH PRODUCTS FROM s"},
		{"MATCH of what is only asserted", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", asserted("a", one), set(), "materials", other(set("a", one)), verdict.MatchFailed, "MATCH a WITH PRODUCTS FROM s"},
		{"MATCH from two that agree", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", append(other(set("a", one)), other(set("a", one))...), "", ""},
		{"MATCH from two of which one knows it", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", append(other(set("b", one)), other(set("a", one))...), "", ""},
		{"MATCH from two that disagree", "MATCH a WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", append(other(set("a", one)), other(set("a", two))...), verdict.MatchFailed, "MATCH a WITH PRODUCTS FROM s"},
		{"MATCH under a prefix", "MATCH * IN lib WITH PRODUCTS IN out FROM s, DISALLOW *", set("lib/a", one), set(), "materials", other(set("out/a", one)), "", ""},
		{"MATCH under a prefix with a slash", "MATCH * IN lib/ WITH PRODUCTS IN out/ FROM s, DISALLOW *", set("lib/a", one), set(), "materials", other(set("out/a", one)), "", ""},
		{"MATCH under /", "MATCH * IN / WITH PRODUCTS FROM s, DISALLOW *", set("/a", one), set(), "materials", other(set("a", one)), "", ""},
		{"MATCH under / leaves the others", "MATCH * IN / WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", other(set("a", one)), verdict.RuleDisallow, "DISALLOW *"},
		{"MATCH with what is under /", "MATCH * WITH PRODUCTS IN / FROM s, DISALLOW *", set("a", one), set(), "materials", other(set("a", one)), verdict.MatchFailed, "MATCH * WITH PRODUCTS IN / FROM s"},
		{"MATCH under a prefix leaves the others", "MATCH * IN lib WITH PRODUCTS FROM s, DISALLOW *", set("a", one), set(), "materials", other(set("a", one)), verdict.RuleDisallow, "DISALLOW *"},
		{"MATCH under a prefix that is only a beginning", "MATCH * IN li WITH PRODUCTS FROM s, DISALLOW *", set("lib/a", one), set(), "materials", other(set("b/a", one)), verdict.RuleDisallow, "DISALLOW *"},
		{"the first of two MATCH consumes", "MATCH a WITH PRODUCTS FROM s, MATCH a WITH MATERIALS FROM s, DISALLOW *", set("a", one), set(), "materials", other(set("a", one)), "", ""},
		{"the second of two MATCH may do what the first could not", "MATCH m WITH PRODUCTS FROM s, MATCH m WITH MATERIALS FROM s, DISALLOW *", set("m", one), set(), "materials", other(set("m", two)), "", ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			var bound []boundRule
			for text := range strings.SplitSeq(r.rules, ", ") {
				if text == "" {
					continue
				}
				parsed, err := parseRule(text, position{})
				if err != nil {
					t.Fatal(err)
				}
				b, err := parsed.bind(nil)
				if err != nil {
					t.Fatal(err)
				}
				bound = append(bound, b)
			}
			q := queue{step: "step", claims: &claims{materials: r.materials, products: r.products}, accepted: []artifact.Algorithm{"sha256"}}
			q.counted = func(step string) []*group {
				if step != "s" {
					t.Errorf("asked for step %s", step)
				}
				return r.other
			}
			if q.over = r.products; r.over == "materials" {
				q.over = r.materials
			}
			q.names = q.over.Names()
			f := q.run(bound)
			switch {
			case f == nil && r.want != "":
				t.Errorf("nothing is found, expected %s", r.want)
			case f != nil && (f.ID != r.want || f.Rule != r.rule || f.Step != "step"):
				t.Errorf("found %s by the rule %q, expected %q by %q", f, f.Rule, r.want, r.rule)
			case f != nil && (f.Found == "" || f.Expected == "" || f.Next == ""):
				t.Errorf("the finding leaves its reader alone: %+v", f)
			}
		})
	}
}

func TestRuleBind(t *testing.T) {
	t.Parallel()
	values := map[string]string{"repo": "GitHub.com/acme/app"}
	for text, want := range map[string]string{
		"ALLOW git+https://{repo}":                    "git+https://github.com/acme/app",
		"ALLOW git+https://{repo}.git":                "git+https://github.com/acme/app",
		"ALLOW git+ssh://git@{repo}.git":              "git+https://github.com/acme/app",
		"ALLOW git@github.com:acme/app.git":           "git+https://github.com/acme/app",
		"REQUIRE git+https://{repo}":                  "git+https://github.com/acme/app",
		"ALLOW ./a//b/":                               "a/b",
		"ALLOW ./a*":                                  "",
		"DISALLOW x/../*":                             "",
		"DISALLOW git+ssh://*":                        "",
		"DISALLOW git@github.com:evil/*":              "",
		"DISALLOW git+https://GitHub.com/*":           "",
		"DISALLOW Git+https://github.com/*":           "",
		"DISALLOW git+https://github.com/E*":          "git+https://github.com/E*",
		"DISALLOW .*":                                 ".*",
		"ALLOW pkg:npm/a@1":                           "pkg:npm/a@1",
		"REQUIRE ./a":                                 "a",
		"ALLOW git+https://{repo}@main":               "",
		"ALLOW git+https://x@{repo}":                  "",
		"ALLOW git+https://github.com:1/a/b":          "",
		"ALLOW ../a":                                  "",
		"REQUIRE a*":                                  "",
		"ALLOW a[":                                    "",
		"ALLOW {nobody}":                              "",
		"MATCH a IN {nobody} WITH PRODUCTS FROM s":    "",
		"MATCH a IN b/ WITH PRODUCTS IN c FROM s":     "a",
		"MATCH a IN ./b WITH PRODUCTS FROM s":         "",
		"MATCH a IN b\x01c WITH PRODUCTS FROM s":      "",
		"MATCH a WITH PRODUCTS IN b\xff FROM s":       "",
		"MATCH a WITH PRODUCTS IN git+ssh://h FROM s": "",
		"MATCH a WITH PRODUCTS IN {nobody} FROM s":    "",
	} {
		r, err := parseRule(text, position{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		b, err := r.bind(values)
		got := b.name + b.glob.text
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%q is bound to %q (%v), expected %q", text, got, err, want)
		}
	}
}
