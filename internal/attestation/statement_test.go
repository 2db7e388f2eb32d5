package attestation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const (
	sha256a = "975a0582b8c9607f3f20a6b8cfef01b25823e68c5c3658e6e1ccaaced2a3255d"
	sha256b = "9e2ba52487d945504d250de186cb4fe2e3ba023ed2921dd6ac8b97ed43e76af9"
	commit  = "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
)

// goodStatement is the statement that each row of TestStatementRefused breaks.
const goodStatement = `{"_type":"https://in-toto.io/Statement/v1",` +
	`"subject":[{"name":"app","digest":{"sha256":"` + sha256a + `"}}],` +
	`"predicateType":"https://slsa.dev/provenance/v1","predicate":{"a":{"b":[1,2]}}}`

func TestStatement(t *testing.T) {
	t.Parallel()
	subject := func(s string) string {
		return `{"_type":"https://in-toto.io/Statement/v0.1","subject":` + s + `,"predicateType":"t"}`
	}
	app := artifact.Resource{Name: artifact.Name{Text: "app"}, Digest: artifact.DigestSet{artifact.SHA256: sha256a}}
	repo := artifact.Name{Text: "git+https://github.com/acme/app", Ref: "refs/heads/main", Git: true}
	rows := []struct {
		name, payload string
		want          Statement
	}{
		{"v1", goodStatement, Statement{Type: statementV1, PredicateType: "https://slsa.dev/provenance/v1", Subjects: []artifact.Resource{app}, Predicate: []byte(`{"a":{"b":[1,2]}}`)}},
		{"unknown keys are ignored", `{"x":{"Subject":1},` + goodStatement[1:], Statement{Type: statementV1, PredicateType: "https://slsa.dev/provenance/v1", Subjects: []artifact.Resource{app}, Predicate: []byte(`{"a":{"b":[1,2]}}`)}},
		{"v0.1, no predicate", subject(`[{"name":"./app","digest":{"sha256":"` + strings.ToUpper(sha256a) + `"}}]`), Statement{Type: statementV0, PredicateType: "t", Subjects: []artifact.Resource{app}}},
		// PyPI's publish attestations.
		{"predicate null", strings.Replace(goodStatement, `{"a":{"b":[1,2]}}`, "null", 1), Statement{Type: statementV1, PredicateType: "https://slsa.dev/provenance/v1", Subjects: []artifact.Resource{app}}},
		{"fields of a descriptor", subject(`[{"content":"AA==","uri":"git+https://github.com/acme/app.git@refs/heads/main","annotations":{"digest":{}},"digest":{"sha1":"` + commit + `"},"other":1}]`),
			Statement{Type: statementV0, PredicateType: "t", Subjects: []artifact.Resource{{Name: repo, Digest: artifact.DigestSet{artifact.GitCommit: commit}}}}},
		{"nameless", subject(`[{"digest":{"sha256":"` + sha256a + `"}}]`), Statement{Type: statementV0, PredicateType: "t", Subjects: []artifact.Resource{{Name: artifact.Name{Text: "_"}, Digest: app.Digest}}}},
		{"one name twice, agreeing", subject(`[{"name":"app","digest":{"sha256":"` + sha256a + `"}},{"name":"app","digest":{"sha256":"` + sha256a + `"}}]`), Statement{Type: statementV0, PredicateType: "t", Subjects: []artifact.Resource{app, app}}},
		{"escaped keys", strings.Replace(goodStatement, `"subject"`, `"subj\u0065ct"`, 1), Statement{Type: statementV1, PredicateType: "https://slsa.dev/provenance/v1", Subjects: []artifact.Resource{app}, Predicate: []byte(`{"a":{"b":[1,2]}}`)}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, fault := parseStatement(payloadType, []byte(row.payload))
			if fault != nil {
				t.Fatal(fault.why)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.MessageSignature() {
				t.Error("a statement is taken for a message signature")
			}
		})
	}
}

// TestStatementRefused breaks one thing in a good statement at a time.
func TestStatementRefused(t *testing.T) {
	t.Parallel()
	second := func(subject string) (before, after string) { return `}}],`, `}},` + subject + `],` }
	conflictOld, conflictNew := second(`{"name":"./app","digest":{"sha256":"` + sha256b + `"}}`)
	unsharedOld, unsharedNew := second(`{"name":"app","digest":{"sha512":"` + sha256a + sha256b + `"}}`)
	namelessOld, namelessNew := second(`{"digest":{"sha256":"` + sha256a + `"}},{"digest":{"sha256":"` + sha256b + `"}}`)
	gitOld, gitNew := second(`{"uri":"git+https://h/o/r@a","digest":{"gitCommit":"` + commit + `"}},{"uri":"git@h:o/r.git","digest":{"gitCommit":"` + strings.Repeat("0", 40) + `"}}`)
	rows := []struct {
		name     string
		old, new string
		id       verdict.ID
		says     string
	}{
		{"not JSON", `{"_type"`, `"_type"`, verdict.StatementMalformed, "not a JSON object"},
		{"truncated", `]}}}`, `]}`, verdict.StatementMalformed, "ends in the middle"},
		{"trailing data", `]}}}`, `]}}}{}`, verdict.StatementMalformed, "more data after the statement"},
		{"duplicate key", `{"_type"`, `{"subject":[],"_type"`, verdict.StatementMalformed, `duplicate key "subject"`},
		{"duplicate key, escaped", `{"_type"`, `{"subj\u0065ct":[],"_type"`, verdict.StatementMalformed, `duplicate key "subject"`},
		{"duplicate key in the predicate", `"b":`, `"b":1,"b":`, verdict.StatementMalformed, `duplicate key "b"`},
		{"duplicate digest", `{"sha256"`, `{"sha256":"","sha256"`, verdict.StatementMalformed, `duplicate key "sha256"`},
		{"invalid UTF-8", `"app"`, "\"a\xffpp\"", verdict.StatementMalformed, "invalid UTF-8"},
		{"lone surrogate", `"app"`, `"\ud800"`, verdict.StatementMalformed, "surrogate"},
		{"too deep", `{"b":[1,2]}`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), verdict.StatementMalformed, "nested more than 64"},
		{"case variant", `"subject"`, `"Subject"`, verdict.StatementMalformed, `"Subject" is a variant of "subject"`},
		{"case variant beside the key", `{"_type"`, `{"PredicateType":"x","_type"`, verdict.StatementMalformed, `"PredicateType" is a variant`},
		{"case variant by Unicode folding", `{"_type"`, `{"ſubject":[],"_type"`, verdict.StatementMalformed, `is a variant of "subject"`},
		{"protobuf's spelling", `{"_type"`, `{"predicate_type":"x","_type"`, verdict.StatementMalformed, `"predicate_type" is a variant`},
		{"protobuf's spelling of _type", `{"_type"`, `{"type":"x","_type"`, verdict.StatementMalformed, `"type" is a variant of "_type"`},
		{"case variant in a subject", `"name"`, `"Name":"b","name"`, verdict.StatementMalformed, `"Name" is a variant`},
		{"case variant of digest", `"digest"`, `"DIGEST":{},"digest"`, verdict.StatementMalformed, `"DIGEST" is a variant`},
		{"case variant of an algorithm", `{"sha256"`, `{"SHA256":"x","sha256"`, verdict.StatementMalformed, `"SHA256" is a variant`},
		{"no _type", `"_type":"https://in-toto.io/Statement/v1",`, ``, verdict.StatementMalformed, `_type is ""`},
		{"other _type", `Statement/v1`, `Statement/v2`, verdict.StatementMalformed, "Statement/v2"},
		{"_type with a slash", `Statement/v1`, `Statement/v1/`, verdict.StatementMalformed, "Statement/v1/"},
		{"_type no string", `"https://in-toto.io/Statement/v1"`, `1`, verdict.StatementMalformed, "_type"},
		{"no predicateType", `"predicateType":"https://slsa.dev/provenance/v1",`, ``, verdict.StatementMalformed, "predicateType is missing"},
		{"predicateType null", `"https://slsa.dev/provenance/v1"`, `null`, verdict.StatementMalformed, "predicateType is missing"},
		{"predicateType no string", `"https://slsa.dev/provenance/v1"`, `["x"]`, verdict.StatementMalformed, "predicateType is missing"},
		{"predicate a list", `{"a":{"b":[1,2]}}`, `[]`, verdict.StatementMalformed, "reading the predicate: it is a list"},
		{"predicate a string", `{"a":{"b":[1,2]}}`, `"x"`, verdict.StatementMalformed, "reading the predicate: it is a string"},
		{"no subject", `"subject":[{"name":"app","digest":{"sha256":"` + sha256a + `"}}],`, ``, verdict.StatementMalformed, "subject is nothing"},
		{"subject null", `[{"name":"app","digest":{"sha256":"` + sha256a + `"}}]`, `null`, verdict.StatementMalformed, "subject is null"},
		{"no subjects", `[{"name":"app","digest":{"sha256":"` + sha256a + `"}}]`, `[]`, verdict.StatementMalformed, "has no subject"},
		{"subject a string", `[{"name":"app","digest":{"sha256":"` + sha256a + `"}}]`, `["app"]`, verdict.StatementMalformed, "reading subject 1: it is a string"},
		{"name no string", `"app"`, `1`, verdict.StatementMalformed, `reading "name": it is a number`},
		{"name leaves", `"app"`, `"../app"`, verdict.StatementMalformed, "leaves its directory"},
		{"name with a control character", `"app"`, `"a\nb"`, verdict.StatementMalformed, "control character"},
		{"name and uri disagree", `"name":"app"`, `"name":"git+https://h/o/a","uri":"git+https://h/o/b"`, verdict.StatementMalformed, "two different sources"},
		{"no digest", `,"digest":{"sha256":"` + sha256a + `"}`, ``, verdict.StatementMalformed, "it has no digest"},
		{"empty digest", `{"sha256":"` + sha256a + `"}`, `{}`, verdict.StatementMalformed, "it has no digest"},
		{"digest a string", `{"sha256":"` + sha256a + `"}`, `"x"`, verdict.StatementMalformed, `reading "digest": it is a string`},
		{"digest of a number", `"` + sha256a + `"`, `1`, verdict.StatementMalformed, "it is a number"},
		{"digest not hex", sha256a, strings.Repeat("x", 64), verdict.StatementMalformed, "not hexadecimal"},
		{"digest cut", sha256a, sha256a[:62], verdict.StatementMalformed, "62 hex digits"},
		{"digest of another length", `"sha256":"` + sha256a, `"sha512":"` + sha256a, verdict.StatementMalformed, "64 hex digits"},
		{"one name, two digests", conflictOld, conflictNew, verdict.DescriptorConflict, `named "app" with unequal digests`},
		{"one name, no shared algorithm", unsharedOld, unsharedNew, verdict.DescriptorConflict, `named "app" with unequal digests`},
		{"nameless twice", namelessOld, namelessNew, verdict.DescriptorConflict, `named "_"`},
		{"one source, two commits", gitOld, gitNew, verdict.DescriptorConflict, "git+https://h/o/r"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(goodStatement, row.old) {
				t.Fatalf("no %q in the good statement", row.old)
			}
			refusesStatement(t, payloadType, strings.Replace(goodStatement, row.old, row.new, 1), row.id, row.says)
		})
	}
	refusesStatement(t, "application/json", goodStatement, verdict.StatementMalformed, `payload type is "application/json"`)
	refusesStatement(t, payloadType+"; charset=utf-8", goodStatement, verdict.StatementMalformed, "payload type")
}

func refusesStatement(t *testing.T, media, payload string, id verdict.ID, says string) {
	t.Helper()
	_, fault := parseStatement(media, []byte(payload))
	switch {
	case fault == nil:
		t.Errorf("accepted, expected %s", id)
	case fault.id != id || !strings.Contains(fault.why.Error(), says):
		t.Errorf("got %s %q, expected %s that says %q", fault.id, fault.why, id, says)
	}
}

func TestStatementBounds(t *testing.T) {
	t.Parallel()
	subjects := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"name":"f%d","digest":{"sha256":%q}}`, i, sha256a))
		}
		return `{"_type":"` + statementV1 + `","predicateType":"t","subject":[` + strings.Join(list, ",") + `]}`
	}
	if s, fault := parseStatement(payloadType, []byte(subjects(MaxSubjects))); fault != nil || len(s.Subjects) != MaxSubjects {
		t.Errorf("%d subjects: %v", MaxSubjects, fault)
	}
	refusesStatement(t, payloadType, subjects(MaxSubjects+1), verdict.StatementMalformed, "too many subjects")

	pad := func(size int) string {
		return goodStatement[:len(goodStatement)-1] + strings.Repeat(" ", size-len(goodStatement)) + "}"
	}
	if _, fault := parseStatement(payloadType, []byte(pad(MaxStatementSize))); fault != nil {
		t.Errorf("statement of %d bytes: %v", MaxStatementSize, fault.why)
	}
	refusesStatement(t, payloadType, pad(MaxStatementSize+1), verdict.StatementMalformed, "at most 16777216")

	var digests []string
	for i := range artifact.MaxDigests + 1 {
		digests = append(digests, fmt.Sprintf(`"x%d":"1"`, i))
	}
	refusesStatement(t, payloadType, strings.Replace(goodStatement, `{"sha256":"`+sha256a+`"}`, "{"+strings.Join(digests, ",")+"}", 1), verdict.StatementMalformed, "more than 32 digests")
}
