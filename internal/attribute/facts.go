package attribute

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
)

// Signer is who signed, as rules see it: the variable signer. What a certificate
// does not say is no key of its maps, so that a rule which asks for it fails and
// never compares with an empty text.
type Signer struct {
	// Identity is the certificate's subject alternative name; empty for a key.
	Identity string `cel:"identity"`
	// Kind is what the identity was: uri, email or othername; key for a key.
	Kind string `cel:"kind"`
	// Issuer is the OIDC issuer; empty for a key.
	Issuer string `cel:"issuer"`
	// Key is a public key's fingerprint; empty for a certificate.
	Key string `cel:"key"`
	// Root names the trusted root that the statement verified under.
	Root string `cel:"root"`
	// Extensions are the certificate's extensions by their names.
	Extensions map[string]string `cel:"extensions"`
	// Job is what the certificate proves of a CI job, whichever extensions it
	// has for it: repository, commit and ref of the source, the workflow that
	// signed, and the trigger.
	Job map[string]string `cel:"job"`
}

// jobFacts names the keys of Signer.Job.
func jobFacts() []string { return []string{"repository", "commit", "ref", "workflow", "trigger"} }

// Facts are what rules may know of one statement.
type Facts struct {
	predicateType string
	predicate     any
	subject       []map[string]any
	signer        *Signer
}

// NewFacts reads a verified statement for rules.
func NewFacts(v *attestation.Verified) (*Facts, error) {
	statement := v.Statement()
	f := &Facts{predicateType: statement.PredicateType, signer: signerOf(v)}
	for _, s := range statement.Subjects {
		f.subject = append(f.subject, subjectOf(s))
	}
	if statement.Predicate == nil {
		f.predicate = map[string]any{}
		return f, nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(statement.Predicate))
	var err error
	if f.predicate, err = readValue(dec, 0); err != nil {
		return nil, fmt.Errorf("reading the predicate: %w", err)
	}
	return f, nil
}

func signerOf(v *attestation.Verified) *Signer {
	signer := v.Signer()
	s := &Signer{
		Identity: signer.SAN, Kind: string(signer.SANKind), Issuer: signer.Issuer, Key: signer.Key, Root: v.Root(),
		Extensions: map[string]string{}, Job: map[string]string{},
	}
	if signer.Key != "" {
		s.Kind = "key"
	}
	for name, value := range signer.Extensions {
		s.Extensions[string(name)] = value
	}
	if signer.IsWorkload() {
		s.Job = jobOf(signer)
	}
	return s
}

// jobOf gives what the certificate proves; what it does not say has no key.
func jobOf(signer identity.Signer) map[string]string {
	source, _ := signer.Source()
	job := map[string]string{}
	for key, value := range map[string]string{
		"repository": source.Repository, "commit": source.Commit, "ref": source.Ref,
		"workflow": signer.BuilderURI(), "trigger": signer.Trigger(),
	} {
		if value != "" {
			job[key] = value
		}
	}
	return job
}

// subjectOf gives a subject by its rule name, as artifact rules see it.
func subjectOf(r artifact.Resource) map[string]any {
	digest := map[string]string{}
	for alg, value := range r.Digest {
		digest[string(alg)] = value
	}
	s := map[string]any{"name": r.Name.Text, "digest": digest}
	if r.Name.Ref != "" {
		s["ref"] = r.Name.Ref
	}
	return s
}

// readValue reads one JSON value. Whole numbers stay whole, so that the number
// of a run or a repository is compared digit by digit.
func readValue(dec *jsontext.Decoder, depth int) (any, error) {
	if depth > attestation.MaxDepth {
		return nil, fmt.Errorf("nested more than %d deep", attestation.MaxDepth)
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		object := map[string]any{}
		for dec.PeekKind() != '}' {
			key, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			name := key.String()
			if object[name], err = readValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = dec.ReadToken()
		return object, err
	case '[':
		list := []any{}
		for dec.PeekKind() != ']' {
			item, err := readValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = dec.ReadToken()
		return list, err
	case '"':
		return token.String(), nil
	case '0':
		return readNumber(token.String())
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func readNumber(text string) (any, error) {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return n, nil
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %.40s: %w", text, err)
	}
	return n, nil
}
