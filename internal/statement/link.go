package statement

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	link "github.com/in-toto/attestation/go/predicates/link/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// maxEntries bounds the materials of a link, its byproducts, its environment and
// its command, each.
const maxEntries = 16_384

// Link is the predicate of in-toto's link v0.3: what a step was made from. What it
// made are the statement's subjects.
type Link struct {
	Name        string   // the step's, as the layout has it
	Command     []string // what was run; may be empty
	Materials   []artifact.Subject
	Byproducts  map[string]string // such as stdout and return-value
	Environment map[string]string
}

// Predicate writes the link as canonical JSON (RFC 8785): the same link gives the
// same bytes.
// Source: https://github.com/in-toto/attestation/blob/main/spec/predicates/link.md
func (l Link) Predicate() ([]byte, error) {
	predicate, err := l.build()
	if err != nil {
		return nil, fmt.Errorf("writing link: %w", err)
	}
	data, err := protojson.Marshal(predicate)
	if err != nil {
		return nil, fmt.Errorf("writing link: %w", err)
	}
	value := jsontext.Value(data)
	if err := value.Canonicalize(); err != nil {
		return nil, fmt.Errorf("writing link: %w", err)
	}
	return value, nil
}

func (l Link) build() (*link.Link, error) {
	switch {
	case strings.TrimSpace(l.Name) == "":
		return nil, errors.New("it names no step")
	case len(l.Name) > artifact.MaxNameLength || strings.ContainsFunc(l.Name, unicode.IsControl):
		return nil, fmt.Errorf("the step's name %.80q is too long or holds a control character", l.Name)
	case max(len(l.Command), len(l.Materials), len(l.Byproducts), len(l.Environment)) > maxEntries:
		return nil, fmt.Errorf("more than %d materials, byproducts, variables or arguments", maxEntries)
	}
	materials, err := materialsOf(l.Materials)
	if err != nil {
		return nil, err
	}
	byproducts, err := object(l.Byproducts)
	if err != nil {
		return nil, fmt.Errorf("byproducts: %w", err)
	}
	environment, err := object(l.Environment)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	return &link.Link{Name: l.Name, Command: slices.Clone(l.Command), Materials: materials, Byproducts: byproducts, Environment: environment}, nil
}

func materialsOf(materials []artifact.Subject) ([]*intoto.ResourceDescriptor, error) {
	var list []*intoto.ResourceDescriptor
	seen := artifact.Set{}
	for _, m := range materials {
		raw := map[string]string{}
		for alg, value := range m.Digest {
			raw[string(alg)] = value
		}
		resource, err := artifact.NewResource(m.Name, m.URI, raw)
		if err == nil && len(raw) == 0 {
			err = errors.New("it has no digest")
		}
		if err == nil {
			err = seen.Add(resource)
		}
		if err != nil {
			return nil, fmt.Errorf("material %q: %w", m.Name, err)
		}
		list = append(list, &intoto.ResourceDescriptor{Name: m.Name, Uri: m.URI, Digest: raw})
	}
	return list, nil
}

func object(values map[string]string) (*structpb.Struct, error) {
	fields := make(map[string]any, len(values))
	for name, value := range values {
		fields[name] = value
	}
	return structpb.NewStruct(fields)
}
