package attestationtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Subject is an in-toto resource descriptor, as far as subjects need one.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"` // algorithm to hex
}

// File returns a subject by name and SHA-256 of its content.
func File(name string, content []byte) Subject {
	digest := sha256.Sum256(content)
	return Subject{Name: name, Digest: map[string]string{"sha256": hex.EncodeToString(digest[:])}}
}

// Statement returns an in-toto v1 statement in JSON. It panics if the
// predicate has no JSON form.
func Statement(subjects []Subject, predicateType string, predicate any) []byte {
	return statement("https://in-toto.io/Statement/v1", subjects, predicateType, predicate)
}

// StatementV01 returns an in-toto v0.1 statement in JSON, in which SLSA
// provenance v0.2 comes. It panics if the predicate has no JSON form.
func StatementV01(subjects []Subject, predicateType string, predicate any) []byte {
	return statement("https://in-toto.io/Statement/v0.1", subjects, predicateType, predicate)
}

func statement(statementType string, subjects []Subject, predicateType string, predicate any) []byte {
	encoded, err := json.Marshal(struct {
		Type          string    `json:"_type"`
		Subject       []Subject `json:"subject"`
		PredicateType string    `json:"predicateType"`
		Predicate     any       `json:"predicate"`
	}{statementType, subjects, predicateType, predicate})
	if err != nil {
		panic(fmt.Sprintf("attestationtest: encoding %s statement: %v", predicateType, err))
	}
	return encoded
}

// Commit is a git commit as an author attests it.
type Commit struct {
	Repository string // host, owner and name: "github.com/acme/app"
	Ref        string // "refs/heads/main"
	ID         string // hex
	Tree       string // hex; empty means that only the commit is attested
}

// CommitLink returns an author's word on a commit: an in-toto v1 statement
// with one subject and a link predicate v0.3 for the step.
func CommitLink(step string, commit Commit) []byte {
	name := "git+https://" + commit.Repository
	digest := map[string]string{"gitCommit": commit.ID}
	if commit.Tree != "" {
		digest["gitTree"] = commit.Tree
	}
	return Statement(
		[]Subject{{Name: name, URI: name + "@" + commit.Ref, Digest: digest}},
		"https://in-toto.io/attestation/link/v0.3",
		map[string]any{
			"name":        step,
			"command":     []string{},
			"materials":   []any{},
			"byproducts":  map[string]any{},
			"environment": map[string]any{},
		},
	)
}
