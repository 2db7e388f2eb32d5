package attestation

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Statement is what was signed, read strictly. A messageSignature bundle has no
// Type, no PredicateType and no Predicate, and one nameless subject: the digest
// that was signed.
type Statement struct {
	Type          string              // https://in-toto.io/Statement/v1 or /v0.1; empty for a messageSignature
	PredicateType string              // empty in a message signature, and in odd statements
	Subjects      []artifact.Resource // in order; rule names normalised; a subject without name and uri is named "_"
	Predicate     jsontext.Value      // raw JSON object without duplicate keys; nil if there is none
}

// MessageSignature reports whether a digest was signed, without a statement.
func (s Statement) MessageSignature() bool { return s.Type == "" && len(s.Subjects) == 1 }

// The types that are read. Source:
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
const (
	payloadType = "application/vnd.in-toto+json"
	statementV1 = "https://in-toto.io/Statement/v1"
	statementV0 = "https://in-toto.io/Statement/v0.1"
	// gittuf writes statements with Go's encoding/json, which spells _type as type, and
	// says so by a payload type of its own.
	// Source: https://github.com/gittuf/gittuf/blob/main/internal/signerverifier/dsse/dsse.go
	gittufPayloadType = "application/vnd.gittuf+json"
)

// faulty is a fault in a statement, with its finding.
type faulty struct {
	id  verdict.ID
	why error
}

func malformed(found, expected string, cause error) *faulty {
	return &faulty{verdict.StatementMalformed, &reason{found: found, expected: expected, cause: cause, next: "have the statement made and signed again"}}
}

// parseStatement reads a DSSE payload as an in-toto statement. It is the only
// reader of what was signed: sigstore-go's verdict on the signature and this
// reading are of the same bytes.
func parseStatement(mediaType string, payload []byte) (Statement, *faulty) {
	typeKey := "_type"
	switch {
	case mediaType == gittufPayloadType:
		typeKey = "type"
	case mediaType != payloadType:
		return Statement{}, malformed(fmt.Sprintf("the envelope's payload type is %.80q", mediaType), payloadType, nil)
	}
	if len(payload) > MaxStatementSize {
		return Statement{}, malformed(fmt.Sprintf("the statement has %d bytes", len(payload)), fmt.Sprintf("at most %d", MaxStatementSize), nil)
	}
	document, err := scanObject(payload)
	if err != nil {
		return Statement{}, malformed("reading the statement", "one JSON object with unique keys, in UTF-8", err)
	}
	if len(bytes.TrimSpace(document.rest)) > 0 {
		return Statement{}, malformed("more data after the statement", "one JSON object", nil)
	}
	if err := checkKeys(document, typeKey, "subject", "predicateType", "predicate"); err != nil {
		return Statement{}, malformed("reading the statement", "", err)
	}
	s := Statement{Type: document.text(typeKey), PredicateType: document.text("predicateType")}
	if s.Type != statementV1 && s.Type != statementV0 {
		return Statement{}, malformed(fmt.Sprintf("the statement's _type is %.80q", s.Type), statementV1+" or v0.1", nil)
	}
	// An empty type is read, as published statements have one; no layout asks for it.
	if document.get("predicateType").Kind() != '"' || len(s.PredicateType) > artifact.MaxNameLength {
		return Statement{}, malformed("the statement's predicateType is missing, no string or too long", "a type URI", nil)
	}
	if s.Predicate, err = predicateOf(document); err != nil {
		return Statement{}, malformed("reading the predicate", "an object, or no predicate", err)
	}
	var fault *faulty
	s.Subjects, fault = parseSubjects(document.get("subject"))
	return s, fault
}

// checkKeys refuses keys that another reader would take for a known one: in
// other case (Go's encoding/json) or as protobuf spells the field
// (predicate_type, type). All other keys pass: "consumers MUST ignore
// unrecognized fields" (in-toto attestation spec v1, Parsing rules).
func checkKeys(o object, known ...string) error {
	for _, m := range o.members {
		if err := checkKey(m.name, known); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(name string, known []string) error {
	for _, want := range known {
		if name == want {
			return nil
		}
	}
	for _, want := range known {
		if strings.EqualFold(bare(name), bare(want)) {
			return fmt.Errorf("the key %q is a variant of %q", name, want)
		}
	}
	return nil
}

// bare takes out what protobuf's spellings of one name differ in.
func bare(name string) string { return strings.ReplaceAll(name, "_", "") }

// predicateOf gives the predicate: "object, optional". PyPI's publish
// attestations write null for none, which protobuf's JSON reads as absent.
func predicateOf(document object) (jsontext.Value, error) {
	predicate := document.get("predicate")
	switch kind := predicate.Kind(); {
	case predicate == nil, kind == 'n':
		return nil, nil
	case kind != '{':
		return nil, fmt.Errorf("it is %s", kindName(kind))
	}
	return predicate, nil
}

// parseSubjects reads the subjects, "at least one".
//
// "subject: array of ResourceDescriptor objects, required. Set of software
// artifacts that the attestation applies to. Each element MUST have digest set"
// (in-toto attestation spec v1, Statement)
func parseSubjects(list jsontext.Value) ([]artifact.Resource, *faulty) {
	const expected = "a list of 1 to 16384 subjects, each with a digest"
	if list.Kind() != '[' {
		return nil, malformed("the statement's subject is "+kindName(list.Kind()), expected, nil)
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(list))
	if _, err := dec.ReadToken(); err != nil {
		return nil, malformed("reading the subjects", expected, err)
	}
	var subjects []artifact.Resource
	byName := artifact.Set{}
	for dec.PeekKind() != ']' {
		if len(subjects) == MaxSubjects {
			return nil, malformed("the statement has too many subjects", expected, nil)
		}
		subject, err := parseSubject(dec)
		if err != nil {
			return nil, malformed(fmt.Sprintf("reading subject %d", len(subjects)+1), expected, err)
		}
		// "Two descriptors of one statement under one rule name with unequal
		// digests refuse the statement." (docs/layout.md 7)
		if err := byName.Add(subject); err != nil {
			return nil, &faulty{verdict.DescriptorConflict, &reason{found: err.Error(), expected: "one digest for each name", next: "have the statement made again with one subject for each name"}}
		}
		subjects = append(subjects, subject)
	}
	if len(subjects) == 0 {
		return nil, malformed("the statement has no subject", expected, nil)
	}
	return subjects, nil
}

// parseSubject reads one ResourceDescriptor: name, uri and digest. The other
// known fields are passed over, and their variants refused like those of the
// first three.
func parseSubject(dec *jsontext.Decoder) (artifact.Resource, error) {
	if kind := dec.PeekKind(); kind != '{' {
		return artifact.Resource{}, fmt.Errorf("it is %s", kindName(kind))
	}
	if _, err := dec.ReadToken(); err != nil {
		return artifact.Resource{}, err
	}
	known := []string{"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"}
	var name, uri string
	var digest map[string]string
	for dec.PeekKind() != '}' {
		key, err := readString(dec)
		if err != nil {
			return artifact.Resource{}, err
		}
		if err := checkKey(key, known); err != nil {
			return artifact.Resource{}, err
		}
		switch key {
		case "name":
			name, err = readString(dec)
		case "uri":
			uri, err = readString(dec)
		case "digest":
			digest, err = parseDigests(dec)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return artifact.Resource{}, fmt.Errorf("reading %q: %w", key, err)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return artifact.Resource{}, err
	}
	return newSubject(name, uri, digest)
}

func newSubject(name, uri string, digest map[string]string) (artifact.Resource, error) {
	if len(digest) == 0 {
		return artifact.Resource{}, errors.New("it has no digest")
	}
	// "If the name is not meaningful, leave the field unset or use "_"." (spec v1)
	if name == "" && uri == "" {
		name = "_"
	}
	return artifact.NewResource(name, uri, digest)
}

func parseDigests(dec *jsontext.Decoder) (map[string]string, error) {
	if kind := dec.PeekKind(); kind != '{' {
		return nil, fmt.Errorf("it is %s, expected algorithms and their hex digests", kindName(kind))
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	known := []string{"sha256", "sha384", "sha512", "sha1", "gitCommit", "gitTree", "gitTag", "gitBlob"}
	digests := map[string]string{}
	for dec.PeekKind() != '}' {
		alg, err := readString(dec)
		if err != nil {
			return nil, err
		}
		if err := checkKey(alg, known); err != nil {
			return nil, err
		}
		if len(digests) == artifact.MaxDigests {
			return nil, fmt.Errorf("more than %d digests", artifact.MaxDigests)
		}
		if digests[alg], err = readString(dec); err != nil {
			return nil, fmt.Errorf("digest %q: %w", alg, err)
		}
	}
	_, err := dec.ReadToken()
	return digests, err
}

func readString(dec *jsontext.Decoder) (string, error) {
	if kind := dec.PeekKind(); kind != '"' {
		return "", fmt.Errorf("it is %s, expected a string", kindName(kind))
	}
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}
