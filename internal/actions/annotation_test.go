package actions

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/identity"
)

// command is a line as the runner reads it; false for what it takes for text.
//
// Source: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs (TryParseV2)
func command(line string) (name, data string, properties map[string]string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "::")
	if !ok {
		return "", "", nil, false
	}
	head, data, ok := strings.Cut(rest, "::")
	if !ok {
		return "", "", nil, false
	}
	name, list, _ := strings.Cut(head, " ")
	properties = map[string]string{}
	for item := range strings.SplitSeq(list, ",") {
		if key, value, ok := strings.Cut(item, "="); ok && value != "" {
			properties[strings.TrimSpace(key)] = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(value)
		}
	}
	return name, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data), properties, true
}

func TestAnnotate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a    Annotation
		want string
	}{
		{Annotation{Level: "error", Title: "signatus: denied, rule", Text: "a\nb", File: "l.yml", Line: 3, Column: 7}, "::error col=7,file=l.yml,line=3,title=signatus%3A denied%2C rule::a%0Ab\n"},
		{Annotation{Level: "warning", Text: "100% :: ##[error]"}, "::warning::100%25 :: ##[error]\n"},
		{Annotation{Level: "notice", Title: "t", Text: "x\r\n::error::y", Line: 3}, "::notice title=t::x%0D%0A::error::y\n"},
		{Annotation{Text: "x"}, "::notice::x\n"},
		{Annotation{Level: "error", File: "a,line=1::b\n::add-mask::c", Line: 9, Text: "x"}, "::error file=a%2Cline=1%3A%3Ab%0A%3A%3Aadd-mask%3A%3Ac,line=9::x\n"},
	} {
		var out strings.Builder
		log := NewLog(&out)
		if _, err := io.WriteString(log, "half a line"); err != nil {
			t.Fatal(err)
		}
		if err := log.Annotate(row.a); err != nil {
			t.Fatal(err)
		}
		if want := "half a line\n" + row.want; out.String() != want {
			t.Errorf("%+v: got %q, expected %q", row.a, out.String(), want)
		}
	}
}

// Whatever is in an annotation, the runner reads one command of it: this one.
func FuzzAnnotate(f *testing.F) {
	f.Add("title", "text", "file", 3)
	f.Add("a: b, c", "x\n::add-mask::y\r::z", "a,b=c:d%0A", 1)
	f.Add("%25%0A", "%0A%250A", "", 0)
	f.Fuzz(func(t *testing.T, title, text, file string, line int) {
		var out strings.Builder
		log := NewLog(&out)
		if err := log.Annotate(Annotation{Level: "error", Title: title, Text: text, File: file, Line: line}); err != nil {
			t.Fatal(err)
		}
		written, ended := strings.CutSuffix(out.String(), "\n")
		if !ended || strings.ContainsAny(written, "\r\n") {
			t.Fatalf("it is not one line: %q", out.String())
		}
		name, data, properties, ok := command(written)
		want := map[string]string{}
		for key, value := range map[string]string{"title": title, "file": file} {
			if value != "" {
				want[key] = value
			}
		}
		if line > 0 && file != "" {
			want["line"] = strconv.Itoa(line)
		}
		if diff := cmp.Diff(want, properties); !ok || name != "error" || !strings.HasPrefix(data, strings.TrimRight(text, " \t\r\n\v\f\u0085\u00a0")) && strings.TrimSpace(text) == text || diff != "" {
			t.Fatalf("%q is read as %s %q (-want +got):\n%s", out.String(), name, data, diff)
		}
	})
}

// A fold is closed whatever becomes of what is in it, and its title is no command.
func TestFold(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, row := range []struct {
		title, text string
		err         error
		want        string
	}{
		{"what did not count", "a\n::error::b\n", nil, "::group::what did not count\na\n\\u003a:error::b\n::endgroup::\n"},
		{"a\n::add-mask::b", "half", nil, "::group::a%0A::add-mask::b\nhalf\n::endgroup::\n"},
		{"x", "", broken, "::group::x\n::endgroup::\n"},
	} {
		var out strings.Builder
		log := NewLog(&out)
		err := log.Fold(row.title, func() error {
			_, err := io.WriteString(log, row.text)
			return errors.Join(err, row.err)
		})
		if !errors.Is(err, row.err) || out.String() != row.want {
			t.Errorf("%q: %v, got %q, expected %q", row.title, err, out.String(), row.want)
		}
	}
	if err := NewLog(full{}).Fold("x", func() error { return nil }); err == nil {
		t.Error("a fold that nobody sees is no error")
	}
	if err := NewLog(full{}).Annotate(Annotation{Text: "x"}); err == nil {
		t.Error("an annotation that nobody sees is no error")
	}
}

func TestHide(t *testing.T) {
	t.Parallel()
	step, none := getenv(map[string]string{"GITHUB_ACTIONS": "true"}), getenv(nil)
	kept, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	for name, row := range map[string]struct {
		getenv func(string) string
		secret identity.Token
		want   string
	}{
		"in a step":    {step, identity.NewToken("s3cret%"), "::add-mask::s3cret%25\n"},
		"nothing":      {step, identity.Token{}, ""},
		"not a runner": {none, identity.NewToken("s3cret"), ""},
	} {
		var out strings.Builder
		if err := Hide(row.getenv, NewLog(&out), row.secret); err != nil || out.String() != row.want {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
	}
	if err := Hide(step, kept, identity.NewToken("s3cret")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(kept.Name()); err != nil || len(text) > 0 {
		t.Errorf("a file keeps %q, %v", text, err)
	}
	if err := Hide(step, NewLog(full{}), identity.NewToken("s3cret")); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a mask that nobody sees: %v", err)
	}
}
