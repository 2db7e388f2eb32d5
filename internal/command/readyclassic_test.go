package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/layouts"
)

// classicTeam are the keys that a test puts in the place of the ready-made
// layout's, whose private halves nobody has.
type classicTeam struct {
	owner, alice, bob, carol, builder *attestationtest.ClassicKey
}

func newClassicTeam(t *testing.T) classicTeam {
	t.Helper()
	key := func(name string) *attestationtest.ClassicKey {
		k, err := attestationtest.NewClassicKey("the ready-made classic layout", name, attestationtest.ClassicEd25519)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	return classicTeam{key("owner"), key("alice"), key("bob"), key("carol"), key("builder")}
}

// layout is the ready-made layout with the team's keys, as the owner signs it.
func (c classicTeam) layout(t *testing.T, by *attestationtest.ClassicKey) []byte {
	t.Helper()
	data, err := layouts.Files.ReadFile("classic-1.0.layout")
	if err != nil {
		t.Fatal(err)
	}
	_, signed, ok := strings.Cut(string(data), `"signed": `)
	signed = strings.TrimSuffix(strings.TrimSpace(signed), "}")
	if !ok {
		t.Fatal("the ready-made layout has no part that is signed")
	}
	for _, k := range []*attestationtest.ClassicKey{c.alice, c.bob, c.carol, c.builder} {
		id := between(t, signed, `"keyid": "`, `"`)
		public := between(t, signed, `"public": "`, `"`)
		// What has been replaced is marked, so that the next one is found.
		signed = strings.NewReplacer(`"keyid": "`+id, `"keyid":"`+k.ID, id, k.ID, `"public": "`+public, `"public":"`+k.Public).Replace(signed)
	}
	return signClassic(t, []byte(signed), by)
}

func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, before)
	found, _, closed := strings.Cut(rest, after)
	if !ok || !closed {
		t.Fatalf("no %s in %s", before, text)
	}
	return found
}

func signClassic(t *testing.T, signed []byte, by ...*attestationtest.ClassicKey) []byte {
	t.Helper()
	data, err := attestationtest.SignClassic(attestationtest.ClassicRequest{Signed: signed, Keys: by})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestReadyClassic is the table of docs/layouts/classic.md.
func TestReadyClassic(t *testing.T) {
	t.Parallel()
	team := newClassicTeam(t)
	source := map[string]string{"src/main.go": "package main"}
	changed := map[string]string{"src/main.go": "package main // and a miner"}
	built := map[string]string{"src/main.go": "package main", "dist/app": appText}
	wrote := func(by *attestationtest.ClassicKey, files map[string]string) classicLink {
		return classicLink{by, attestationtest.ClassicLink{Name: "write-code", Products: files}}
	}
	build := func(by *attestationtest.ClassicKey, from, to map[string]string) classicLink {
		return classicLink{by, attestationtest.ClassicLink{Name: "build", Materials: from, Products: to, Command: []string{"make", "dist"}}}
	}
	good := []classicLink{wrote(team.alice, source), wrote(team.bob, source), build(team.builder, source, built)}
	for _, row := range []struct {
		name     string
		links    []classicLink
		artifact string
		by       *attestationtest.ClassicKey
		want     string // the finding; empty for allowed
	}{
		{"two authors and the builder", good, "", team.owner, ""},
		{"the artifact in hand is what was built", good, appText, team.owner, ""},
		{"three authors", append(good, wrote(team.carol, source)), "", team.owner, ""},

		{"another artifact in hand", good, "something else", team.owner, "artifact-not-product"},
		{"one author", good[1:], "", team.owner, "threshold-not-met"},
		{"the builder as second author", append(good[1:], wrote(team.builder, source)), "", team.owner, "threshold-not-met"},
		{"two authors of two sources", []classicLink{good[0], wrote(team.bob, changed), good[2]}, "", team.owner, "statements-disagree"},
		{"built from something else", []classicLink{good[0], good[1], build(team.builder, changed, built)}, "", team.owner, "match-failed"},
		{"an author builds", []classicLink{good[0], good[1], build(team.carol, source, built)}, "", team.owner, "threshold-not-met"},
		{"a file beside dist", []classicLink{good[0], good[1], build(team.builder, source, map[string]string{"dist/app": appText, "etc/cron": "x"})}, "", team.owner, "rule-disallow"},
		{"a layout that somebody else signed", good, "", team.carol, "layout-signature-threshold"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(name string, data []byte) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			for _, l := range row.links {
				write(attestationtest.ClassicLinkName(l.link.Name, l.by), signClassic(t, attestationtest.EncodeClassic(l.link.JSON()), l.by))
			}
			public, err := team.owner.PEM()
			if err != nil {
				t.Fatal(err)
			}
			args := []string{
				"verify", "--layout", write("root.layout", team.layout(t, row.by)), "--link-dir", dir,
				"--layout-key", write("owner.pub", public), "--format", "json",
			}
			if row.artifact != "" {
				args = append(args, write("app", []byte(row.artifact)))
			}
			o := run(t, atTheTime, args...)
			ids := findingsOf(t, o)
			switch {
			case row.want == "" && (o.code != 0 || len(ids) > 0):
				t.Errorf("exit code %d with %q, expected allowed\n%s", o.code, ids, o.out)
			case row.want != "" && (o.code != 1 || len(ids) == 0 || ids[0] != row.want):
				t.Errorf("exit code %d with %q, expected %s\n%s", o.code, ids, row.want, o.out)
			}
		})
	}
}

// classicLink is a link and who signs it.
type classicLink struct {
	by   *attestationtest.ClassicKey
	link attestationtest.ClassicLink
}
