package layout

import (
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/vsa"
	"github.com/signatus-dev/signatus/layouts"
)

// A layout that parses says something: it has steps, each with people and closed
// rule lists, it lints clean again, and without evidence it allows nothing.
func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	entries, err := layouts.Files.ReadDir(".")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		data, err := layouts.Files.ReadFile(e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(inline(f, fromBuild, authorStep(1, "ivan, judy"), buildStep())))
	f.Add([]byte(inline(f, `subjects: [{subject: ["*"], from: verified}]`, writeStep("verified", rules("ALLOW *"), nil, expects(vsa.V1, 1, "carol", vsaDemand)))))
	f.Add([]byte(`{"_type":"layout","version":1}`))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("steps: [[[[[[{{{{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, findings := Parse("fuzz.yml", data, now())
		for _, finding := range findings {
			if finding.ID == "" || finding.Found == "" || finding.Expected == "" || finding.Next == "" || !strings.HasPrefix(finding.Where, "fuzz.yml") {
				t.Fatalf("a finding leaves its reader alone: %+v", finding)
			}
		}
		if (l == nil) == (len(findings) == 0) || len(findings) > maxProblems {
			t.Fatalf("layout %t with %d findings", l != nil, len(findings))
		}
		if l == nil {
			return
		}
		if len(l.steps) == 0 || len(l.subjects) == 0 || l.version < 1 || l.expires.IsZero() {
			t.Fatal("a layout that demands nothing")
		}
		for _, s := range l.steps {
			for _, e := range s.entries {
				if e.threshold < 1 || len(e.allowed) == 0 || len(e.predicateTypes) == 0 {
					t.Fatalf("step %s demands nothing", s.name)
				}
			}
			if len(s.entries) == 0 || !s.materials.given {
				t.Fatalf("step %s demands nothing", s.name)
			}
		}
		if again := l.lint(&reader{name: "fuzz.yml"}, now()); len(again) > 0 {
			t.Fatalf("linted twice it is no longer clean: %v", again)
		}
		values := map[string]string{}
		for name := range l.parameters {
			values[name] = "github.com/acme/app"
		}
		for _, p := range []map[string]string{nil, values} {
			if v := Check(Input{Layout: l, Parameters: p, Artifact: thing("app", app), Now: now()}); v.Allowed() {
				t.Fatal("allowed without evidence")
			}
		}
	})
}

// A parameter's value fills one token and is matched literally.
func FuzzRule(f *testing.F) {
	for _, text := range []string{
		"ALLOW *", "REQUIRE git+https://{p}", "MATCH {p} WITH PRODUCTS FROM s", "MATCH a IN {p} WITH MATERIALS IN {p}/x FROM s", "disallow [!a-z]{p}?", "ALLOW {", "MATCH", "DISALLOW \x00*", "MATCH a IN {p} WITH MATERIALS IN x\x00 FROM s",
	} {
		f.Add(text, "github.com/acme/app")
		f.Add(text, "x")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		r, err := parseRule(text, position{})
		if err != nil {
			return
		}
		again, err := parseRule(strings.Join(strings.Fields(text), " "), position{})
		if err != nil || again.kind != r.kind || again.pattern.text != r.pattern.text || again.from != r.from {
			t.Fatalf("%q is read in two ways (%v)", text, err)
		}
		if checkValue(value) != nil {
			return
		}
		b, err := r.bind(map[string]string{"p": value})
		if err != nil {
			return
		}
		if strings.ContainsAny(b.name+b.glob.text+b.src+b.dst, "\n\r\x00") {
			t.Fatalf("%q with %q holds a control character", text, value)
		}
		if r.kind == requireRule {
			if hasWildcard(b.name) || b.name == "" {
				t.Fatalf("%q with %q requires %q", text, value, b.name)
			}
			return
		}
		if wild := hasWildcard(r.pattern.text); wild == b.glob.literal() {
			t.Fatalf("%q with %q: wildcard %t became literal %t", text, value, wild, b.glob.literal())
		}
		if b.glob.literal() && (!b.glob.match(b.glob.text) || b.glob.match(b.glob.text+"x")) {
			t.Fatalf("%q with %q does not match literally", text, value)
		}
	})
}

func FuzzGlob(f *testing.F) {
	for _, pattern := range []string{"*", "a*b?[c-d][!e]", "[", "[!]", "[^a]", `\`, "**", "git+https://*", "[a-"} {
		f.Add(pattern, "a/b")
		f.Add(pattern, "")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g, err := parseGlob(pattern)
		if err != nil {
			if g2, err2 := parseNameGlob(pattern); err2 == nil {
				t.Fatalf("%q is a pattern for names, %v, and no pattern", pattern, g2)
			}
			return
		}
		if (glob{}).match(name) {
			t.Fatal("the zero pattern matches")
		}
		if g.literal() && g.match(name) != (name == pattern) {
			t.Fatalf("literal %q matches %q: %t", pattern, name, g.match(name))
		}
		// Small ones are held against the naive reading.
		if len(pattern) <= 12 && len(name) <= 12 && ascii(pattern+name) && !strings.ContainsAny(pattern, "[]") {
			if got, want := g.match(name), naiveGlob([]rune(pattern), []rune(name)); got != want {
				t.Fatalf("%q matches %q: %t, naively %t", pattern, name, got, want)
			}
		}
		star, err := parseGlob("*" + pattern + "*")
		if err == nil && g.match(name) && !star.match("x"+name+"/y") {
			t.Fatalf("%q matches %q, and with stars around it does not match more", pattern, name)
		}
	})
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"", "{a}", "x{a}y{a}", "{", "}", "{a", "{{a}}", "{1}", "é{a}"} {
		f.Add(text, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		tmpl, err := parseTemplate(text)
		if err != nil {
			return
		}
		got, err := tmpl.fill(map[string]string{"a": value})
		if err != nil {
			return
		}
		if want := strings.ReplaceAll(text, "{a}", value); got != want {
			t.Fatalf("%q with %q gives %q, expected %q", text, value, got, want)
		}
	})
}
