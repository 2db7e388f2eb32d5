package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/command"
)

// TestLayoutNewAsks answers as a person does, line by line.
func TestLayoutNewAsks(t *testing.T) {
	t.Parallel()
	dir := at(t)
	key := filepath.Join(dir, "release.pub")
	for name, row := range map[string]struct {
		answers []string
		args    []string
		code    int
		says    []string // on either stream
		holds   []string // in the layout
	}{
		"everything": {
			answers: []string{"https://github.com/acme/app", "728493015", "alice@example.com, bob@example.com " + key, "", "2", "", "", ""},
			says: []string{"Which repository is built from", "[https://github.com/login/oauth]", "How many of them must have signed [3]",
				"Which workflow builds releases [release.yml]", "On which ref (refs/tags/* for any tag) [refs/heads/main]", "wrote ", "signatus layout show"},
			holds: []string{"identity: alice@example.com", "identity: bob@example.com", "keyType: ecdsa", "threshold: 2", "sourceRepositoryIdentifier: \"728493015\"", "release.yml@refs/heads/main"},
		},
		"one author, and no number": {
			answers: []string{"github.com/acme/app", "", "alice@example.com", "https://accounts.google.com", "build.yml", "refs/tags/*", ""},
			says:    []string{"note: without --repo-id"},
			holds:   []string{"https://accounts.google.com", "threshold: 1", "build.yml@refs/tags/*"},
		},
		"nobody vouches": {
			answers: []string{"github.com/acme/app", "1", "", "", "", ""},
			holds:   []string{"functionaries: [builder]"},
		},
		"answers that will not do": {
			answers: []string{"x", "github.com/acme/app", "seven", "7", "alice@example.com bob@example.com", "", "3", "0", "two", "1", "", "main", "refs/heads/main", ""},
			says:    []string{"--repo x is no repository", "it is a number, such as 728493015", "it is a number from 1 to 2", "it begins with refs/heads/ or refs/tags/"},
			holds:   []string{"threshold: 1"},
		},
		"what flags say is not asked": {
			args:    []string{"--repo", "github.com/acme/app", "--repo-id", "7"},
			answers: []string{"alice@example.com", "", "", "", ""},
			holds:   []string{"sourceRepositoryIdentifier: \"7\""},
		},
		"a file that is there": {
			answers: []string{"github.com/acme/app", "", "", "", "", key},
			code:    3, says: []string{"there is a file " + key + " already", "reading the answer"},
		},
		"nothing is asked where all is said": {
			args:  []string{"--repo", "github.com/acme/app", "--author", "alice@example.com"},
			holds: []string{"alice@example.com"},
		},
		"no answer":              {answers: []string{"github.com/acme/app"}, code: 3, says: []string{"reading the answer", "next: run it again, or say everything with flags"}},
		"never one that will do": {answers: []string{"github.com/acme/app", "a", "b", "c", "d", "e", "1"}, code: 3, says: []string{"no answer would do"}},
		"an answer without end":  {answers: []string{strings.Repeat("x", 1<<16)}, code: 3, says: []string{"it has no end"}},
		"an author who is a pattern": {
			answers: []string{"github.com/acme/app", "", "*@example.com", "", "", "", ""},
			code:    1, says: []string{"a layout cannot name it exactly"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "new.yml")
			args := append([]string{"layout", "new", "--output", file}, row.args...)
			got := run(t, func(env *command.Env) {
				env.StderrIsTerminal = true
				env.Stdin = strings.NewReader(strings.Join(row.answers, "\n") + "\n")
			}, args...)
			got.demand(t, row.code, row.says...)
			text, err := os.ReadFile(file)
			if (err == nil) != (row.code == 0) {
				t.Fatalf("the layout: %v", err)
			}
			for _, want := range row.holds {
				if !strings.Contains(string(text), want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			if err == nil {
				run(t, nil, "layout", "lint", file).demand(t, 0)
			}
		})
	}
}
