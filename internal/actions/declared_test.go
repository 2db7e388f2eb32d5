package actions

import (
	"slices"
	"strings"
	"testing"
)

// TestUndeclared: an input that nobody declares is refused, whatever it holds, and its
// value is never told.
func TestUndeclared(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		variable string
		words    []string // of the error; none where it is allowed
	}{
		"a flag":                  {"INPUT_TRUSTED-ROOT=x", nil},
		"an alias":                {"INPUT_SUBJECT-PATH=x", nil},
		"a secret":                {"INPUT_GITHUB-TOKEN=x", nil},
		"the folder":              {"INPUT_WORKING-DIRECTORY=", nil},
		"the runner's entrypoint": {"INPUT_ENTRYPOINT=/signatus", nil},
		"the runner's arguments":  {"INPUT_ARGS=action", nil},
		"no input":                {"INPUTS=x", nil},
		"another variable":        {"MY_INPUT_LAYUOT=x", nil},
		"a slip":                  {"INPUT_TRUSTED-ROTO=s3cret", []string{`"trusted-roto"`, "did you mean trusted-root?"}},
		"an underscore":           {"INPUT_TRUSTED_ROOT=s3cret", []string{`"trusted_root"`, "did you mean trusted-root?"}},
		"a plural":                {"INPUT_BUNDLES=s3cret", []string{`"bundles"`, "did you mean bundle?"}},
		"an empty one":            {"INPUT_BUNDEL=", []string{`"bundel"`, "did you mean bundle?"}},
		"without a value":         {"INPUT_BUNDEL", []string{`"bundel"`}},
		"another action's":        {"INPUT_CREATE-STORAGE-RECORD=true", []string{`"create-storage-record"`, "leave it out; docs/action.md"}},
		"in small letters":        {"INPUT_bundle=s3cret", []string{`"bundle"`}},
		"no name":                 {"INPUT_=s3cret", []string{`""`}},
		"a long one":              {"INPUT_" + strings.Repeat("A", 10_000) + "=s3cret", []string{`"aaaaaaaaaa`}},
		"a hostile one":           {"INPUT_A\n::ERROR::B=s3cret", []string{`"a\n::error::b"`}},
	} {
		err := checkDeclared([]string{"PATH=/bin", r.variable, "INPUT_BUNDLE=x"}, someVerbs())
		if (err == nil) != (r.words == nil) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		for _, word := range append(r.words, "; next: ") {
			if err != nil && (!strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "s3cret") || len(err.Error()) > 300 || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s: %v does not say %q, or says too much", name, err, word)
			}
		}
	}
	if err := checkDeclared([]string{"INPUT_ZZZZZ=", "INPUT_BUNDEL=", "INPUT_YYYYY="}, someVerbs()); err == nil || !strings.Contains(err.Error(), `"bundel"`) || !strings.Contains(err.Error(), "2 others") {
		t.Errorf("three: got %v", err)
	}
}

// TestNearest: a third of the letters is as far as a slip goes.
func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"bundle", "key", "layout", "layout-key"}
	for name, want := range map[string]string{
		"bundle": "bundle", "bundel": "bundle", "bnudel": "bundle", "nubdle": "bundle", "nlubed": "", "kye": "key", "ke": "key", "keys": "key", "layuot": "layout", "layoutkey": "layout-key", "": "", "zzz": "",
		strings.Repeat("k", 65): "",
	} {
		if got := Nearest(name, names); got != want {
			t.Errorf("%s: got %q, expected %q", name, got, want)
		}
	}
}

// FuzzSlips: what is counted is a distance.
func FuzzSlips(f *testing.F) {
	f.Add("bundle", "bundel")
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > maxNearName || len(b) > maxNearName {
			return
		}
		n := slips(a, b)
		if n != slips(b, a) || (n == 0) != (a == b) || n > max(len(a), len(b)) || n < max(len(a), len(b))-min(len(a), len(b)) {
			t.Fatalf("%q and %q: %d, and back %d", a, b, n, slips(b, a))
		}
	})
}

func TestDeclaredOnce(t *testing.T) {
	t.Parallel()
	names := Declared(someVerbs())
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "sbom-path") {
		t.Errorf("got %q", names)
	}
}
