package vsa

import (
	"encoding/base64"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// TestCorpus reads the one summary of slsa-verifier's own tests, which Google signed
// for a node image. Its policy has no digest, and its subject is known by an algorithm
// that nobody else computes, so that no layout can take it.
func TestCorpus(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/corpus/sigstore/slsa-verifier/vsa/gce/v1/gke-gce-pre.bcid-vsa.jsonl")
	if err != nil {
		t.Skipf("the corpus is not there: %v", err)
	}
	var envelope struct{ Payload string }
	if err := json.Unmarshal(data, &envelope, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	var parts struct {
		PredicateType string         `json:"predicateType"`
		Predicate     jsontext.Value `json:"predicate"`
	}
	if err := json.Unmarshal(payload, &parts); err != nil {
		t.Fatal(err)
	}
	s, err := Read(parts.PredicateType, parts.Predicate)
	if err != nil {
		t.Fatal(err)
	}
	if s.Result != Passed || s.VerifierID != "https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1" ||
		!Covers(s.Levels, "SLSA_BUILD_LEVEL_2") || !Covers(s.Levels, "BCID_L1") || Covers(s.Levels, "SLSA_BUILD_LEVEL_3") || len(s.Policy.Digest) != 0 {
		t.Errorf("it is read as %+v", s)
	}
}
