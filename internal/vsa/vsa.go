// Package vsa builds and reads SLSA verification summaries: somebody's word that
// an artifact was verified against a policy, and with which result. Whether the
// word counts is the layout's question.
//
// It writes https://slsa.dev/verification_summary/v1, and reads v0.2 too, whose
// fields have the same names.
// Source: https://slsa.dev/spec/v1.1/verification_summary
package vsa

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// The predicate types that Read understands.
const (
	V1  = "https://slsa.dev/verification_summary/v1"
	V02 = "https://slsa.dev/verification_summary/v0.2"
)

// SLSAVersion is the version of the specification that Build writes for.
const SLSAVersion = "1.1"

// The two results.
const (
	Passed = "PASSED"
	Failed = "FAILED"
)

// Bounds of what is read and written. Each has a test.
const (
	MaxInputs = 16_384
	MaxLevels = 64
	maxText   = 4096 // bytes of a URI or a level
)

// Is reports whether predicateType is one that Read understands.
func Is(predicateType string) bool { return predicateType == V1 || predicateType == V02 }

// Summary is a verification summary. What is empty was not stated.
type Summary struct {
	VerifierID string // a URI: who verified
	// VerifierVersion is the version of the tool by its name; written only.
	VerifierVersion map[string]string
	TimeVerified    time.Time
	ResourceURI     string
	Policy          Policy
	// Inputs are the attestations that the verification rests on.
	Inputs []Input
	Result string // Passed or Failed
	Levels []string
	// SLSAVersion is MAJOR.MINOR.
	SLSAVersion string
}

// Policy is what the artifact was verified against.
type Policy struct {
	URI    string
	Digest artifact.DigestSet
	// Parameters are the values that the policy was applied with. They stand in the
	// descriptor's annotations: the digest of a policy that takes parameters does not
	// say by itself what was demanded.
	Parameters map[string]string
	// Relaxations are the ways in which the policy was read less strictly than it can
	// be, each as PROFILE/WORD. They stand in the annotations too: the same digest then
	// says less. An empty text is an annotation of that name which cannot be read.
	Relaxations []string
	// Inspections are those of the policy that ran a command where it was verified.
	Inspections []string
}

// Input is one attestation that the verification rests on.
type Input struct {
	URI    string
	Digest artifact.DigestSet
}

type summaryJSON struct {
	Verifier struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version,omitempty"`
	} `json:"verifier"`
	TimeVerified string           `json:"timeVerified,omitempty"`
	ResourceURI  string           `json:"resourceUri"`
	Policy       policyJSON       `json:"policy"`
	Inputs       []descriptorJSON `json:"inputAttestations,omitempty"`
	Result       string           `json:"verificationResult"`
	Levels       []string         `json:"verifiedLevels"`
	SLSAVersion  string           `json:"slsaVersion,omitempty"`
}

type descriptorJSON struct {
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

type policyJSON struct {
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations struct {
		Parameters  map[string]string `json:"parameters,omitempty"`
		Relaxations []string          `json:"relaxations,omitempty"`
		Inspections []string          `json:"inspections,omitempty"`
	} `json:"annotations,omitzero"`
}

// Build writes the predicate of version 1. It refuses a summary that a reader
// could take for more than it says: without verifier, time, resource or policy
// digest, with a result that there is not, or FAILED with levels.
//
// "verifiedLevels: Indicates the highest level of each track verified for the
// artifact (and not its dependencies), or 'FAILED' if policy verification failed."
func Build(s Summary) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("writing verification summary: %w", err)
	}
	out := summaryJSON{
		TimeVerified: s.TimeVerified.UTC().Format(time.RFC3339), ResourceURI: s.ResourceURI,
		Policy: policyJSON{URI: s.Policy.URI, Digest: plain(s.Policy.Digest)},
		Result: s.Result, Levels: append([]string{}, s.Levels...), SLSAVersion: SLSAVersion,
	}
	out.Verifier.ID, out.Verifier.Version = s.VerifierID, s.VerifierVersion
	said := &out.Policy.Annotations
	if len(s.Policy.Parameters) > 0 {
		said.Parameters = s.Policy.Parameters
	}
	said.Relaxations, said.Inspections = append([]string(nil), s.Policy.Relaxations...), append([]string(nil), s.Policy.Inspections...)
	for _, input := range s.Inputs {
		out.Inputs = append(out.Inputs, descriptorJSON{input.URI, plain(input.Digest)})
	}
	if s.Result == Failed {
		out.Levels = []string{Failed}
	}
	return json.Marshal(out, json.Deterministic(true))
}

func (s Summary) check() error {
	if err := CheckURI(s.VerifierID); err != nil {
		return fmt.Errorf("the verifier's id: %w", err)
	}
	if err := CheckURI(s.ResourceURI); err != nil {
		return fmt.Errorf("the resource: %w", err)
	}
	switch {
	case s.TimeVerified.IsZero():
		return errors.New("it has no time")
	case len(s.Policy.Digest) == 0:
		return errors.New("the policy has no digest")
	case s.Result != Passed && s.Result != Failed:
		return fmt.Errorf("the result is %q, expected %s or %s", s.Result, Passed, Failed)
	case s.Result == Failed && len(s.Levels) > 0:
		return errors.New("a failed verification has verified no level")
	case s.Result == Passed && len(s.Inputs) == 0:
		return errors.New("it passed, and rests on no attestation")
	case len(s.Inputs) > MaxInputs:
		return fmt.Errorf("%d input attestations, at most %d are written", len(s.Inputs), MaxInputs)
	}
	if slices.Contains(s.Policy.Relaxations, "") {
		return errors.New("a relaxation has no name")
	}
	if err := s.checkDigests(); err != nil {
		return err
	}
	return CheckLevels(s.Levels)
}

// checkDigests demands what a reader does.
func (s Summary) checkDigests() error {
	if _, err := artifact.ParseDigestSet(plain(s.Policy.Digest)); err != nil {
		return fmt.Errorf("the policy: %w", err)
	}
	for i, input := range s.Inputs {
		if _, err := artifact.ParseDigestSet(plain(input.Digest)); err != nil {
			return fmt.Errorf("inputAttestations[%d]: %w", i, err)
		}
	}
	return nil
}

// Read decodes a predicate. Duplicate keys and wrong types are errors; fields that
// are not in the specification are ignored, as it asks of consumers.
func Read(predicateType string, predicate []byte) (Summary, error) {
	if !Is(predicateType) {
		return Summary{}, fmt.Errorf("reading verification summary: predicate type %q is neither %s nor %s", predicateType, V1, V02)
	}
	var in struct {
		summaryJSON
		// Written by others in any form; it is not compared.
		Verifier struct {
			ID string `json:"id"`
		} `json:"verifier"`
		Policy struct {
			URI         string            `json:"uri"`
			Digest      map[string]string `json:"digest"`
			Annotations annotations       `json:"annotations"`
		} `json:"policy"`
	}
	if err := json.Unmarshal(predicate, &in); err != nil {
		return Summary{}, fmt.Errorf("reading verification summary: %w", err)
	}
	s := Summary{
		VerifierID: in.Verifier.ID, ResourceURI: in.ResourceURI, Result: in.Result, Levels: in.Levels, SLSAVersion: in.SLSAVersion,
		Policy: Policy{
			URI: in.Policy.URI, Parameters: in.Policy.Annotations.parameters,
			Relaxations: in.Policy.Annotations.relaxations, Inspections: in.Policy.Annotations.inspections,
		},
	}
	if err := s.read(in.summaryJSON, in.Policy.Digest); err != nil {
		return Summary{}, fmt.Errorf("reading verification summary: %w", err)
	}
	return s, nil
}

// read reads what must be in a form.
func (s *Summary) read(in summaryJSON, policy map[string]string) (err error) {
	switch {
	case len(in.Inputs) > MaxInputs:
		return fmt.Errorf("%d input attestations, at most %d are read", len(in.Inputs), MaxInputs)
	case len(in.Levels) > MaxLevels:
		return fmt.Errorf("%d levels, at most %d are read", len(in.Levels), MaxLevels)
	}
	if in.TimeVerified != "" {
		if s.TimeVerified, err = time.Parse(time.RFC3339, in.TimeVerified); err != nil {
			return fmt.Errorf("timeVerified is %q, not an RFC 3339 instant", in.TimeVerified)
		}
	}
	if s.Policy.Digest, err = artifact.ParseDigestSet(policy); err != nil {
		return fmt.Errorf("the policy: %w", err)
	}
	for i, input := range in.Inputs {
		digest, err := artifact.ParseDigestSet(input.Digest)
		if err != nil {
			return fmt.Errorf("inputAttestations[%d]: %w", i, err)
		}
		s.Inputs = append(s.Inputs, Input{input.URI, digest})
	}
	return nil
}

// CheckURI demands an absolute URI without white space.
func CheckURI(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("it is empty")
	case len(text) > maxText:
		return fmt.Errorf("it has %d bytes, at most %d are taken", len(text), maxText)
	case err != nil || parsed.Scheme == "" || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return fmt.Errorf("%.200q is no absolute URI, expected one such as https://example.com/verifier", text)
	}
	return nil
}

func plain(set artifact.DigestSet) map[string]string {
	out := make(map[string]string, len(set))
	for alg, value := range set {
		out[string(alg)] = value
	}
	return out
}
