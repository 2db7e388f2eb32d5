package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestPagesSpeakTheCommandLine parses every command that a page, a ready-made layout, a
// verb's help or a next step of the transcripts shows with the flags of its verb: none
// names a verb or a flag that there is not, or leaves out a flag's value.
func TestPagesSpeakTheCommandLine(t *testing.T) {
	t.Parallel()
	seen := 0
	for name, text := range pages(t) {
		for _, words := range commands(text) {
			seen++
			if err := understood(words); err != nil {
				t.Errorf("%s: signatus %s: %v", name, strings.Join(words, " "), err)
			}
		}
	}
	if seen < 200 {
		t.Errorf("%d commands seen on all pages, expected more: does this test still find them?", seen)
	}
}

// TestFlagsHaveAPage holds that every flag is named on a page, not in its help alone; those
// of verbs that no help lists are for programs.
func TestFlagsHaveAPage(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for name, text := range pages(t) {
		if filepath.Ext(name) == ".md" {
			all.WriteString(text)
		}
	}
	named := regexp.MustCompile(`--[a-z0-9][a-z0-9-]*`).FindAllString(all.String(), -1)
	eachVerb(newRoot(Env{}), func(verb *cobra.Command) {
		hidden := verb.Hidden || verb.Parent() != nil && verb.Parent().Hidden
		verb.Flags().VisitAll(func(f *pflag.Flag) {
			if !hidden && !slices.Contains(named, "--"+f.Name) {
				t.Errorf("no page names --%s of %s", f.Name, verb.CommandPath())
			}
		})
	})
}

// TestCommandsAreSeen shows that the reader of pages sees what it is there for.
func TestCommandsAreSeen(t *testing.T) {
	t.Parallel()
	const page = "Run `signatus version` or\n```\n$ signatus verify a --layout b \\\n    --param 'c=d e' … > out # why\nx && signatus attest y | z\n```\n#   signatus layout lint f.yml (as each)\n  next: sign it (signatus layout sign g), or not\nsignatus reads on\n"
	want := [][]string{{"version"}, {"verify", "a", "--layout", "b", "--param", "c=d e", "…"}, {"attest", "y"}, {"layout", "lint", "f.yml"}, {"layout", "sign", "g"}}
	got := commands(page)
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q, expected %q", got, want)
	}
	for _, wrong := range [][]string{{"verfiy", "a"}, {"verify", "a", "--layuot", "b"}, {"verify", "a", "--layout"}, {"layout", "lnit"}, {"attest", "--commit", "--step", "a"}, {"attest", "--commit", "HEAD", "--push", "origin"}} {
		if understood(wrong) == nil {
			t.Errorf("%q is taken for a command", wrong)
		}
	}
}

// pages is every text that shows commands, by its name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/layouts/*.md", "layouts/*.yml", ".github/workflows/*.yml"} {
		names, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no page is named like %s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(text)
		}
	}
	transcripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(transcripts) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	nextSteps := regexp.MustCompile(`(?m)^ *(?:verify|verify with|next:|then) .*$`)
	for _, name := range transcripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = strings.Join(nextSteps.FindAllString(string(text), -1), "\n")
	}
	eachVerb(newRoot(Env{}), func(verb *cobra.Command) { out[verb.CommandPath()+" --help"] = verb.Long + "\n" + verb.Example })
	return out
}

// eachVerb visits the verbs of this program; completion is cobra's.
func eachVerb(cmd *cobra.Command, visit func(*cobra.Command)) {
	if cmd.Name() == "completion" {
		return
	}
	visit(cmd)
	for _, child := range cmd.Commands() {
		eachVerb(child, visit)
	}
}

// commands lists the words of each command in a text, without the program's name: those
// of a line that begins with it, and those within backquotes.
func commands(text string) (out [][]string) {
	text = regexp.MustCompile(`\\\n#?\s*`).ReplaceAllString(text, "")
	begins := regexp.MustCompile("(?m)(?:^[ #$]*(?:- run: )?|^verify +|`|&& |\\(|: |with  |run  )signatus ((?:attest|verify|layout|version|conformance) ?[^`;\n]*)")
	for _, match := range begins.FindAllStringSubmatch(text, -1) {
		out = append(out, words(match[1]))
	}
	return out
}

// words splits a line as a shell does, up to where it would do more than run a program, or
// a sentence goes on.
func words(line string) (out []string) {
	word := regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^\s'"])+`)
	for _, w := range word.FindAllString(line, -1) {
		if strings.ContainsAny(w[:1], "#|>&(;") {
			break
		}
		plain := strings.TrimRight(w, ",)") // where the sentence goes on around it
		if strings.Contains(w, "(") {
			plain = w
		}
		out = append(out, strings.NewReplacer(`'`, "", `"`, "").Replace(plain))
		if plain != w {
			break
		}
	}
	return out
}

// understood parses the words of a command with the flags of its verb. A flag without a
// value takes the next one for it, and one whose value goes behind = does not take it.
func understood(words []string) error {
	root := newRoot(Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	verb, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if err := verb.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	flags := verb.Flags()
	if flags.Changed("commit") && flags.NArg() > 0 && flags.Arg(0) != "…" {
		return fmt.Errorf("%q stands beside --commit", flags.Args())
	}
	if verb.HasSubCommands() && flags.NArg() > 0 {
		return knownVerb(verb, flags.Args())
	}
	return refuseValues(flags)
}

// TestElsewhereIsHere holds that what a foreign flag is said to be called here is a flag of
// verify, and that no flag of ours is taken for a foreign one.
func TestElsewhereIsHere(t *testing.T) {
	t.Parallel()
	verify, _, err := newRoot(Env{}).Find([]string{"verify"})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, foreign := range []string{"certificate-identity-regexp", "cert-identity", "cert-oidc-issuer", "signer-workflow", "signature", "bundle-from-oci", "custom-trusted-root", "owner", "type", "source-uri", "layout-keys", "yes"} {
		for _, named := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(elsewhere(foreign), -1) {
			seen++
			if verify.Flags().Lookup(named[1]) == nil {
				t.Errorf("in place of --%s, --%s is named, which verify does not have", foreign, named[1])
			}
		}
	}
	if seen < 12 {
		t.Errorf("%d flags named, expected one in place of each", seen)
	}
	verify.Flags().VisitAll(func(f *pflag.Flag) {
		if said := elsewhere(f.Name); said != "" {
			t.Errorf("--%s is a flag of verify, and is told to be another tool's: %s", f.Name, said)
		}
	})
}
