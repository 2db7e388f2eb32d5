package report_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "app-linux-amd64 (v1.0)", "app-linux-amd64 (v1.0)"},
		{"other scripts", "Ελληνικά, 日本語, العربية, עברית, é, e\u0301, 🔏", "Ελληνικά, 日本語, العربية, עברית, é, e\u0301, 🔏"},
		{"our own signs", "✓ ✗ …", "✓ ✗ …"},
		{"a second line", "app\n  ✓ build", `app\n  ✓ build`},
		{"overwriting the line", "denied\rallowed", `denied\rallowed`},
		{"tab and backspace", "a\tb\bc", `a\tb\u0008c`},
		{"NUL, bell, DEL", "\x00\a\x7f", `\u0000\u0007\u007f`},
		{"colour", "\x1b[32mallowed\x1b[0m", `\u001b[32mallowed\u001b[0m`},
		{"clipboard and title (OSC)", "\x1b]52;c;ZWNobw==\a\x1b]0;x\x1b\\", `\u001b]52;c;ZWNobw==\u0007\u001b]0;x\u001b\`},
		{"C1 controls: CSI, NEL", "\u009b2J\u0085", `\u009b2J\u0085`},
		{"C1 as a bare byte", "\x9b2J", `\x9b2J`},
		{"bidi embedding and override", "\u202a\u202b\u202c\u202d\u202egpj.exe", `\u202a\u202b\u202c\u202d\u202egpj.exe`},
		{"bidi isolates and marks", "\u2066\u2067\u2068\u2069\u200e\u200f\u061c", `\u2066\u2067\u2068\u2069\u200e\u200f\u061c`},
		{"zero width", "a\u200bb\u200cc\u200dd\u2060e\ufefff", `a\u200bb\u200cc\u200dd\u2060e\ufefff`},
		{"invisible letters and marks", "\u115f\u1160\u3164\uffa0\u034f\ufe0f\U000e0100\u2800", `\u115f\u1160\u3164\uffa0\u034f\ufe0f\U000e0100\u2800`},
		{"soft hyphen and tags", "a\u00adb\U000e0041", `a\u00adb\U000e0041`},
		{"line and paragraph separator", "\u2028\u2029", `\u2028\u2029`},
		{"white space like a space", "a\u00a0b\u3000c\u2003d", `a\u00a0b\u3000c\u2003d`},
		{"private and unassigned", "\ue000\U0010ffff", `\ue000\U0010ffff`},
		{"not UTF-8", "a\xff\xc0\xafb\xed\xa0\x80", `a\xff\xc0\xafb\xed\xa0\x80`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"workflow command", "::error::x\n::set-output name=a::b", `::error::x\n::set-output name=a::b`},
		{"the old workflow command", "a##[error]b ##[ # #[ ###[", `a##\u005berror]b ##\u005b # #[ ###\u005b`},
		{"as long as may be", strings.Repeat("é", 512), strings.Repeat("é", 512)},
		{"one rune longer", strings.Repeat("é", 513), strings.Repeat("é", 512) + "…"},
		{"an escape is not cut", strings.Repeat("a", 510) + "\x1b", strings.Repeat("a", 510) + "…"},
		{"much longer", strings.Repeat("\x00", 1<<20), strings.Repeat(`\u0000`, 85) + "…"},
	} {
		got := report.Clean(row.in)
		if got != row.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", row.name, row.in, got, row.want)
		}
		if again := report.Clean(got); again != got {
			t.Errorf("%s: passing the door twice gives %q, once %q", row.name, again, got)
		}
	}
}

// Whatever stands wherever, a report holds no character that could disguise
// it, no line that begins as a verdict but the verdict's own, and, in JSON, the
// exact text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"\x1b[2J\x1b[Hallowed: app", "x\nallowed: app", "x\r\nallowed: app\r\n", "\u202edewolla", "a\u200bb", "\u0085allowed: app\u2028allowed: app",
		"\x9b31m", strings.Repeat("A\x1b", 5000), `"}],"outcome":"allowed","x":"`, "\x00", "\U000e0041\U000e0042", "</script><!--",
	} {
		for _, o := range []report.Options{{}, {Color: true}, {Verbose: true}, {Color: true, Verbose: true}} {
			got := withoutColor(text(t, hostile(evil), o))
			for line := range strings.Lines(got) {
				if strings.HasPrefix(line, "allowed") {
					t.Errorf("%q makes a line of its own: %q", evil, line)
				}
				if line, ended := strings.CutSuffix(line, "\n"); !ended || report.Clean(line) != line && utf8.RuneCountInString(line) <= report.MaxText {
					t.Errorf("%q leaves a line that is not clean: %q", evil, line)
				}
				if n := utf8.RuneCountInString(line); n > 8*report.MaxText {
					t.Errorf("%.20q leaves a line of %d runes", evil, n)
				}
			}
			for _, r := range got {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%q leaves %U in the text report", evil, r)
				}
			}
		}
		exact(t, evil, hostile(evil))
	}
}

// exact checks that the JSON report of d gives back the text that its artifact has.
func exact(t *testing.T, evil string, d report.Document) {
	t.Helper()
	got := jsonText(t, d)
	for _, r := range got {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%q leaves %U in the JSON report", evil, r)
		}
	}
	if !strings.HasSuffix(got, "}\n") {
		t.Errorf("%q: the JSON report ends with %q", evil, got[len(got)-2:])
	}
	var back struct {
		Outcome  string
		Verdicts []struct{ Artifact struct{ Given string } }
	}
	if err := json.Unmarshal([]byte(got), &back, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%q: reading the JSON report back: %v", evil, err)
	}
	if want := string([]rune(evil)); back.Verdicts[0].Artifact.Given != want || back.Outcome != "denied" {
		t.Errorf("%q comes back as %q, outcome %s", evil, back.Verdicts[0].Artifact.Given, back.Outcome)
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "app", "\x1b[31m", "\u202e", "\xff", "a\nb", strings.Repeat("é", 600), "\U000e0041", "…", `\u202e`, "\x81\xae"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := report.Clean(s)
		if n := utf8.RuneCountInString(got); n > report.MaxText+1 {
			t.Errorf("%d runes, at most %d are left", n, report.MaxText+1)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) {
				t.Errorf("Clean(%q) leaves %U", s, r)
			}
		}
		if !utf8.ValidString(got) {
			t.Errorf("Clean(%q) is not UTF-8", s)
		}
		if again := report.Clean(got); again != got {
			t.Errorf("Clean twice gives %q, once %q", again, got)
		}
		exact(t, s, report.Document{Verdicts: []verdict.Verdict{{Artifact: artifact.Artifact{Given: s}}}})
	})
}
