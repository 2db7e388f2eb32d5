// Package statement writes in-toto statements v1: subjects, and a predicate of any
// type. It signs nothing, and what it writes is read again by attestation alone.
package statement

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// The types that are written.
// Source: https://github.com/in-toto/attestation/tree/main/spec
const (
	Type    = "https://in-toto.io/Statement/v1"
	LinkV03 = "https://in-toto.io/attestation/link/v0.3"
)

// Bounds, in bytes. A statement is never larger than what verify reads, so the
// largest predicate leaves no room for subjects.
const (
	MaxBytes          = 16 << 20
	MaxPredicateBytes = 16 << 20
)

// maxDepth bounds how deep a predicate is nested.
const maxDepth = 64

// descriptor is an in-toto ResourceDescriptor. in-toto's own Go types are not used
// for a statement: their predicate is a protobuf Struct, whose numbers are floating
// point, and an SBOM with an integer of 17 digits would be signed as another one.
type descriptor struct {
	Name   string             `json:"name,omitempty"`
	URI    string             `json:"uri,omitempty"`
	Digest artifact.DigestSet `json:"digest"`
}

// New makes a statement of at most [artifact.MaxStatementSubjects] subjects and a
// predicate, a JSON object of at most 16 MiB. The predicate's white space goes, all
// else in it stays as it is written: the order of its keys and the digits of its
// numbers. Duplicate keys and text that is not UTF-8 are refused. The same input
// gives the same bytes.
func New(subjects []artifact.Subject, predicateType string, predicate []byte) ([]byte, error) {
	if err := CheckType(predicateType); err != nil {
		return nil, fmt.Errorf("writing statement: %w", err)
	}
	list, err := describe(subjects)
	if err != nil {
		return nil, fmt.Errorf("writing statement: %w", err)
	}
	compact, err := checkPredicate(predicate)
	if err != nil {
		return nil, fmt.Errorf("writing statement: reading the predicate: %w", err)
	}
	data, err := json.Marshal(struct {
		Type          string         `json:"_type"`
		Subject       []descriptor   `json:"subject"`
		PredicateType string         `json:"predicateType"`
		Predicate     jsontext.Value `json:"predicate"`
	}{Type, list, predicateType, compact}, json.Deterministic(true), jsontext.PreserveRawStrings(true))
	if err != nil {
		return nil, fmt.Errorf("writing statement: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("writing statement: it has %d bytes with its %d subjects, at most %d MiB are read by who verifies: attest fewer subjects at once or make the predicate smaller", len(data), len(subjects), MaxBytes>>20)
	}
	return data, nil
}

// CheckType demands a URI that names a type.
//
// "predicateType: TypeURI, required. URI identifying the type of the Predicate."
// (in-toto attestation spec v1, Statement)
func CheckType(predicateType string) error {
	parsed, err := url.Parse(predicateType)
	switch {
	case predicateType == "":
		return errors.New("the predicate has no type")
	case predicateType == "layout": // ITE-10's word for a sublayout
	case err != nil || parsed.Scheme == "" || parsed.Host+parsed.Opaque == "" || strings.ContainsFunc(predicateType, unicode.IsSpace):
		return fmt.Errorf("the predicate type %q is no absolute URI, expected one such as https://cyclonedx.org/bom", predicateType)
	case len(predicateType) > artifact.MaxNameLength:
		return fmt.Errorf("the predicate type has %d bytes, at most %d are read", len(predicateType), artifact.MaxNameLength)
	}
	return nil
}

// describe turns subjects into descriptors, and refuses what a reader would.
func describe(subjects []artifact.Subject) ([]descriptor, error) {
	if err := artifact.CheckSubjects(subjects); err != nil {
		return nil, err
	}
	if len(subjects) > artifact.MaxStatementSubjects {
		return nil, fmt.Errorf("%d subjects, at most %d are in one statement", len(subjects), artifact.MaxStatementSubjects)
	}
	list := make([]descriptor, 0, len(subjects))
	seen := artifact.Set{}
	for _, s := range subjects {
		raw := map[string]string{}
		for alg, value := range s.Digest {
			raw[string(alg)] = value
		}
		resource, err := artifact.NewResource(s.Name, s.URI, raw)
		if err == nil && len(resource.Digest) == 0 {
			err = errors.New("it has no digest")
		}
		if err == nil {
			err = seen.Add(resource) // two names may be one rule name
		}
		if err != nil {
			return nil, fmt.Errorf("subject %q: %w", s.Name, err)
		}
		list = append(list, descriptor{Name: s.Name, URI: s.URI, Digest: resource.Digest})
	}
	return list, nil
}

// CheckPredicate demands what New does of a predicate: one JSON object of at most
// MaxPredicateBytes, without duplicate keys.
func CheckPredicate(predicate []byte) error {
	_, err := checkPredicate(predicate)
	return err
}

// checkPredicate demands one JSON object, and takes its white space out.
func checkPredicate(predicate []byte) (jsontext.Value, error) {
	if len(predicate) > MaxPredicateBytes {
		return nil, fmt.Errorf("it has %d bytes, at most %d MiB are signed: sign a statement that refers to it by digest", len(predicate), MaxPredicateBytes>>20)
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(predicate))
	if kind := decoder.PeekKind(); kind != '{' {
		return nil, errors.New("expected a JSON object")
	}
	for first := true; first || decoder.StackDepth() > 0; first = false {
		if _, err := decoder.ReadToken(); err != nil {
			return nil, err
		}
		if decoder.StackDepth() > maxDepth {
			return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
		}
	}
	if len(bytes.TrimSpace(predicate[decoder.InputOffset():])) > 0 {
		return nil, errors.New("there is more data behind the JSON object")
	}
	value := jsontext.Value(slices.Clone(predicate))
	if err := value.Compact(); err != nil {
		return nil, err
	}
	return value, nil
}
