package statement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

const (
	commit = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	app    = "git+https://github.com/acme/app"
	custom = "https://example.com/type/v1"
)

func hexOf(digit string, n int) string { return strings.Repeat(digit, n) }

func file(name string) artifact.Subject {
	return artifact.Subject{Name: name, Digest: artifact.DigestSet{artifact.SHA256: hexOf("a", 64)}, Source: "somewhere/" + name}
}

func commitSubject(t testing.TB) artifact.Subject {
	t.Helper()
	s, err := artifact.GitCommitSubject(artifact.Name{Text: app, Git: true}, "refs/heads/main", commit, hexOf("b", 40))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNew(t *testing.T) {
	t.Parallel()
	two := file("app")
	two.Digest[artifact.SHA512] = hexOf("C", 128)
	got, err := New([]artifact.Subject{two, commitSubject(t)}, custom, []byte("{ \"z\": 12345678901234567890,\n\t\"a\": [1.0, \"<&>\", {}] }\n"))
	want := `{"_type":"https://in-toto.io/Statement/v1","subject":[` +
		`{"name":"app","digest":{"sha256":"` + hexOf("a", 64) + `","sha512":"` + hexOf("c", 128) + `"}},` +
		`{"name":"` + app + `","uri":"` + app + `@refs/heads/main","digest":{"gitCommit":"` + commit + `","gitTree":"` + hexOf("b", 40) + `"}}],` +
		`"predicateType":"https://example.com/type/v1","predicate":{"z":12345678901234567890,"a":[1.0,"<&>",{}]}}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if strings.Contains(string(got), "somewhere") {
		t.Error("the place where the caller named it is in the statement")
	}
}

// TestIsRead has what was written signed for real and read by the one reader.
func TestIsRead(t *testing.T) {
	t.Parallel()
	link, err := Link{Name: "author"}.Predicate()
	if err != nil {
		t.Fatal(err)
	}
	crowd := make([]artifact.Subject, artifact.MaxStatementSubjects)
	for i := range crowd {
		crowd[i] = file(fmt.Sprint("f", i))
	}
	for _, r := range []struct {
		name          string
		subjects      []artifact.Subject
		predicateType string
		predicate     []byte
	}{
		{"an author's word", []artifact.Subject{commitSubject(t)}, LinkV03, link},
		{"a file", []artifact.Subject{file("app")}, custom, []byte(`{}`)},
		{"odd names", []artifact.Subject{file("a b"), file("ü"), file(`"q"`), file("pkg:npm/a@1"), file("</script>")}, custom, []byte(`{"a":"\u2028"}`)},
		{"as many as there may be", crowd, custom, []byte(`{}`)},
	} {
		data, err := New(r.subjects, r.predicateType, r.predicate)
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		s := open(t, data)
		if s.Type != Type || s.PredicateType != r.predicateType || len(s.Subjects) != len(r.subjects) || !bytes.Equal(s.Predicate, r.predicate) {
			t.Errorf("%s: read as %.500v", r.name, s)
			continue
		}
		for i, subject := range r.subjects {
			if read := s.Subjects[i]; read.Name.Text != subject.Name || !read.Digest.Equal(subject.Digest) {
				t.Errorf("%s: subject %+v is read as %+v", r.name, subject, read)
			}
		}
	}
}

func open(t *testing.T, statement []byte) attestation.Statement {
	t.Helper()
	sigstore, err := attestationtest.New(attestationtest.PublicGood())
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := sigstore.Sign(attestationtest.SignRequest{Payload: statement, As: attestationtest.Workflow(attestationtest.WorkflowClaims{})})
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(sigstore.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := attestation.NewRoot("sigstore", material)
	if err != nil {
		t.Fatal(err)
	}
	candidates, refused := attestation.Candidates("x", bundle.JSON)
	if len(candidates) != 1 || len(refused) != 0 {
		t.Fatalf("%d candidates, %v", len(candidates), refused)
	}
	verified, err := attestation.Open(candidates[0], trusted)
	if err != nil {
		t.Fatal(err)
	}
	return verified.Statement()
}

// TestRefused breaks one thing in each row.
func TestRefused(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for name, r := range map[string]struct {
		subjects  []artifact.Subject
		typ, pred string
		words     string
	}{
		"no subject":             {nil, custom, "{}", "nothing to attest"},
		"too many subjects":      {make([]artifact.Subject, artifact.MaxSubjects+1), custom, "{}", "at most 16384"},
		"a subject twice":        {[]artifact.Subject{file("a"), file("a")}, custom, "{}", "two subjects"},
		"a nameless subject":     {[]artifact.Subject{file("")}, custom, "{}", "neither name nor uri"},
		"no digest":              {[]artifact.Subject{{Name: "a"}}, custom, "{}", "has no digest"},
		"a digest that is none":  {[]artifact.Subject{{Name: "a", Digest: artifact.DigestSet{artifact.SHA256: "x"}}}, custom, "{}", "not hexadecimal"},
		"two spellings":          {[]artifact.Subject{{Name: "a", Digest: artifact.DigestSet{artifact.SHA256: hexOf("a", 64)}}, {Name: "./a", Digest: artifact.DigestSet{artifact.SHA256: hexOf("b", 64)}}}, custom, "{}", "unequal digests"},
		"no type":                {[]artifact.Subject{file("a")}, "", "{}", "no type"},
		"a type that is no URI":  {[]artifact.Subject{file("a")}, "spdx", "{}", "no absolute URI"},
		"a type with a space":    {[]artifact.Subject{file("a")}, custom + " ", "{}", "no absolute URI"},
		"a type without a place": {[]artifact.Subject{file("a")}, "https:", "{}", "no absolute URI"},
		"a type that is long":    {[]artifact.Subject{file("a")}, custom + hexOf("a", artifact.MaxNameLength), "{}", "at most 4096"},
		"no predicate":           {[]artifact.Subject{file("a")}, custom, "", "expected a JSON object"},
		"null":                   {[]artifact.Subject{file("a")}, custom, "null", "expected a JSON object"},
		"a list":                 {[]artifact.Subject{file("a")}, custom, "[]", "expected a JSON object"},
		"two objects":            {[]artifact.Subject{file("a")}, custom, "{}{}", "more data"},
		"cut":                    {[]artifact.Subject{file("a")}, custom, `{"a":`, "EOF"},
		"a key twice":            {[]artifact.Subject{file("a")}, custom, `{"a":1,"a":1}`, "duplicate"},
		"a key twice, within":    {[]artifact.Subject{file("a")}, custom, `{"b":[{"a":1,"a":1}]}`, "duplicate"},
		"not UTF-8":              {[]artifact.Subject{file("a")}, custom, "{\"a\":\"\xff\"}", "UTF-8"},
		"too deep":               {[]artifact.Subject{file("a")}, custom, nested(maxDepth + 1), "64 levels"},
		"too large":              {[]artifact.Subject{file("a")}, custom, `{"a":"` + hexOf("a", MaxPredicateBytes) + `"}`, "at most 16 MiB are signed"},
		"too large with the subjects": {[]artifact.Subject{file("a")}, custom, `{"a":"` + hexOf("a", MaxPredicateBytes-8) + `"}`,
			"are read by who verifies"},
	} {
		got, err := New(r.subjects, r.typ, []byte(r.pred))
		if err == nil || !strings.Contains(err.Error(), r.words) {
			t.Errorf("%s: got %.200s, %.300v; expected %q", name, got, err, r.words)
		}
	}
	if _, err := New([]artifact.Subject{file("a")}, custom, []byte(nested(maxDepth))); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	many := make([]artifact.Subject, artifact.MaxStatementSubjects+1)
	for i := range many {
		many[i] = file(fmt.Sprint(i))
	}
	if _, err := New(many, custom, []byte("{}")); err == nil || !strings.Contains(err.Error(), "at most 1024") {
		t.Errorf("%d subjects: %v", len(many), err)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		link Link
		want string
	}{
		{Link{Name: "author"}, `{"byproducts":{},"environment":{},"name":"author"}`},
		{Link{
			Name: "build", Command: []string{"go", "build"}, Materials: []artifact.Subject{commitSubject(t), file("go.sum")},
			Byproducts: map[string]string{"stdout": "ok", "return-value": "0"}, Environment: map[string]string{"GOOS": "linux"},
		}, `{"byproducts":{"return-value":"0","stdout":"ok"},"command":["go","build"],"environment":{"GOOS":"linux"},"materials":[` +
			`{"digest":{"gitCommit":"` + commit + `","gitTree":"` + hexOf("b", 40) + `"},"name":"` + app + `","uri":"` + app + `@refs/heads/main"},` +
			`{"digest":{"sha256":"` + hexOf("a", 64) + `"},"name":"go.sum"}],"name":"build"}`},
	} {
		for range 5 {
			got, err := r.link.Predicate()
			if diff := cmp.Diff(r.want, string(got)); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	}
	other := file("app")
	other.Digest = artifact.DigestSet{artifact.SHA256: hexOf("b", 64)}
	for name, l := range map[string]Link{
		"no name": {}, "a name of two lines": {Name: "a\nb"}, "a long name": {Name: hexOf("a", artifact.MaxNameLength+1)},
		"a material without digest": {Name: "a", Materials: []artifact.Subject{{Name: "x"}}}, "materials that contradict": {Name: "a", Materials: []artifact.Subject{file("app"), other}},
		"too many arguments": {Name: "a", Command: make([]string, maxEntries+1)}, "text that is not UTF-8": {Name: "a", Environment: map[string]string{"x": "\xff"}},
	} {
		if got, err := l.Predicate(); err == nil {
			t.Errorf("%s: written as %.200s", name, got)
		}
	}
}

// TestMaxBytes holds the bound to the reader's.
func TestMaxBytes(t *testing.T) {
	t.Parallel()
	if MaxBytes != attestation.MaxStatementSize || artifact.MaxStatementSubjects > attestation.MaxSubjects {
		t.Errorf("%d bytes are written and %d are read", MaxBytes, attestation.MaxStatementSize)
	}
}

func FuzzPredicate(f *testing.F) {
	for _, s := range []string{`{}`, `{"a": [1, 2.50, -0, 1e400], "b": "\u00e4\/"}`, `{"a":{"a":null}}`, "{\n}", `{} `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, predicate []byte) {
		data, err := New([]artifact.Subject{file("app")}, custom, predicate)
		if err != nil {
			return
		}
		var statement struct{ Predicate json.RawMessage }
		if err := json.Unmarshal(data, &statement); err != nil {
			t.Fatal(err)
		}
		want := jsontext.Value(bytes.Clone(predicate))
		if err := want.Compact(); err != nil || !bytes.Equal(want, statement.Predicate) {
			t.Fatalf("%q is written as %q (%v)", predicate, statement.Predicate, err)
		}
		if again, err := New([]artifact.Subject{file("app")}, custom, statement.Predicate); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%q gives %q, then %q (%v)", predicate, data, again, err)
		}
	})
}
