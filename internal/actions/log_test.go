package actions

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/signatus-dev/signatus/internal/identity"
)

// obeyed tells whether the runner takes a line for a command: as it does, and also
// if it left out of account what nobody sees.
//
// Source: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
func obeyed(line string) bool {
	seen := strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, line)
	for _, line := range []string{line, seen} {
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			return true
		}
	}
	return false
}

func lines(text string) []string { return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n") }

func TestLog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"allowed: app\n":                      "allowed: app\n",
		"::add-mask::x\n":                     `\u003a:add-mask::x` + "\n",
		"a\n::error::x":                       "a\n" + `\u003a:error::x`,
		"a\r::error::x":                       "a\r" + `\u003a:error::x`,
		"a\r\n \t ::stop-commands::x":         "a\r\n \t " + `\u003a:stop-commands::x`,
		"\u00a0\u2003\ufeff::x::":             "\u00a0\u2003\ufeff" + `\u003a:x::`,
		"\u200b::x::":                         "\u200b" + `\u003a:x::`,
		"\x1b::x::":                           "\x1b" + `\u003a:x::`,
		":\u200b:x::":                         `\u003a` + "\u200b:x::",
		"a ::error::x":                        "a ::error::x",
		"✗ a: b":                              "✗ a: b",
		"a ##[group]b":                        `a ##\u005bgroup]b`,
		"###[error]":                          `###\u005berror]`,
		"#\u200b#[error]":                     "#\u200b#" + `\u005berror]`,
		"##\u00ad[error]":                     "##\u00ad" + `\u005berror]`,
		"#[1], # #[2], ##\n[3], [4], ## [5]":  "#[1], # #[2], ##\n[3], [4], ## [5]",
		`{"name": "##[add-mask]", "b": [1]}`:  `{"name": "##\u005badd-mask]", "b": [1]}`,
		"":                                    "",
		"\n\n::debug::\n":                     "\n\n" + `\u003a:debug::` + "\n",
		"##[group]a\n##[endgroup]\n##[debug]": `##\u005bgroup]a` + "\n" + `##\u005bendgroup]` + "\n" + `##\u005bdebug]`,
	} {
		for size := 1; size <= max(len(text), 1); size++ {
			var out strings.Builder
			log := NewLog(&out)
			for rest := text; rest != ""; {
				n, err := log.Write([]byte(rest[:min(size, len(rest))]))
				if err != nil || n != min(size, len(rest)) {
					t.Fatalf("%q: %d, %v", text, n, err)
				}
				rest = rest[n:]
			}
			if out.String() != want {
				t.Errorf("%q, %d bytes at a time: got %q, expected %q", text, size, out.String(), want)
			}
		}
	}
}

// TestLogMask: the mask of a token passes, and always as a line of its own.
func TestLogMask(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"":              "::add-mask::a.b.c\n",
		"line\n":        "line\n::add-mask::a.b.c\n",
		"half a line":   "half a line\n::add-mask::a.b.c\n",
		"  ":            "  \n::add-mask::a.b.c\n",
		"::add-mask::y": `\u003a:add-mask::y` + "\n::add-mask::a.b.c\n",
		"##":            "##\n::add-mask::a.b.c\n",
	} {
		var out strings.Builder
		log := NewLog(&out)
		if _, err := log.Write([]byte(before)); err != nil {
			t.Fatal(err)
		}
		r := Runner{Getenv: getenv(map[string]string{"GITHUB_ACTIONS": "true"}), Commands: log}
		if err := r.mask(identity.NewToken("a.b.c")); err != nil {
			t.Fatal(err)
		}
		if _, err := log.Write([]byte("::after::")); err != nil {
			t.Fatal(err)
		}
		if want += `\u003a:after::`; out.String() != want {
			t.Errorf("after %q: got %q, expected %q", before, out.String(), want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestLogFails(t *testing.T) {
	t.Parallel()
	log := NewLog(full{})
	if n, err := log.Write([]byte("a")); n != 0 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %d, %v", n, err)
	}
	if err := log.command("::x::\n"); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

// FuzzLog: nothing that is written is obeyed, however it is split.
func FuzzLog(f *testing.F) {
	f.Add("a\n::add-mask::x\n##[group]", uint8(3))
	f.Add("#\u200b#[x] \u00a0::x::", uint8(1))
	f.Fuzz(func(t *testing.T, text string, at uint8) {
		var out strings.Builder
		log := NewLog(&out)
		split := min(int(at), len(text))
		for _, part := range []string{text[:split], text[split:]} {
			if n, err := log.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		for _, line := range lines(out.String()) {
			if obeyed(line) {
				t.Fatalf("%q is obeyed", line)
			}
		}
		if back := strings.NewReplacer(`\u003a`, ":", `\u005b`, "[").Replace(out.String()); !strings.Contains(text, `\u00`) && back != text {
			t.Fatalf("%q becomes %q", text, back)
		}
	})
}
