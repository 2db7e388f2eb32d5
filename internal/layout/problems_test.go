package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLint tells all that is wrong with a layout in one run, in its order.
func TestLint(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		old, new string // several pairs, one a line
		want     []string
	}{
		{name: "nothing"},
		{
			name: "what cannot be read and what it says, together",
			old:  "version: 1\nidentity: bob@example.com\nthreshold: 2}\n\"DISALLOW *\"]",
			new:  "version: 0\nidentity: \"bob@*\"\nthreshold: 3, colour: red}\n\"DISALOW *\"]",
			want: []string{
				"2:10 layout-malformed", "12:3 wildcard-host", "29:24 rule-list-open", "29:25 rule-malformed",
				"30:23 rule-list-open", "30:82 rule-malformed", "32:9 threshold-out-of-range", "32:117 layout-malformed",
				"38:23 rule-list-open", "38:36 rule-malformed",
			},
		},
		{
			name: "no lint of an expiry that is none",
			old:  "expires: \"2027-03-01T00:00:00Z\"", new: "expires: soon",
			want: []string{"3:10 layout-malformed"},
		},
		{
			name: "no lint of a threshold that is none, but of who is counted",
			old:  "functionaries: [alice, bob-oidc], threshold: 2", new: "functionaries: [alice, carol]",
			want: []string{"32:9 layout-malformed", "32:9 unknown-functionary"},
		},
		{name: "another dialect", old: "_type: layout", new: "signed: {}\nsignatures: []", want: []string{"1:1 layout-dialect-unknown"}},
		{name: "no document", old: "_type: layout", new: "_type: [", want: []string{"2:1 layout-malformed"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text := valid
			old, changed := strings.Split(row.old, "\n"), strings.Split(row.new, "\n")
			if len(old) != len(changed) {
				old, changed = []string{row.old}, []string{row.new}
			}
			for i := range old {
				if row.old != "" && !strings.Contains(text, old[i]) {
					t.Fatalf("the layout does not hold %q", old[i])
				}
				if old[i] != "" {
					text = strings.ReplaceAll(text, old[i], changed[i])
				}
			}
			var got []string
			for _, p := range Lint("layout.yml", []byte(text), now()) {
				got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.ID))
				if p.Line > 0 && p.Where != fmt.Sprintf("layout.yml:%d:%d", p.Line, p.Column) || p.Found == "" || p.Expected == "" || p.Next == "" {
					t.Errorf("a problem leaves its reader alone: %+v", p)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("problems (-expected +found):\n%s", diff)
			}
			_, findings := Parse("layout.yml", []byte(text), now())
			if (len(findings) == 0) != (len(got) == 0) {
				t.Errorf("Parse has %d findings, Lint %d problems", len(findings), len(got))
			}
		})
	}
}

// TestLintPlaces reads the places of files whose names look like places.
func TestLintPlaces(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "a:1:2", "C:\\layout.yml", ":", ""} {
		line, column := lineAndColumn(name, (&reader{name: name}).where(position{3, 4}))
		if line != 3 || column != 4 {
			t.Errorf("in %q: %d:%d, expected 3:4", name, line, column)
		}
		if line, column := lineAndColumn(name, (&reader{name: name}).where(position{})); line != 0 || column != 0 {
			t.Errorf("in %q: %d:%d, expected no place", name, line, column)
		}
	}
}
