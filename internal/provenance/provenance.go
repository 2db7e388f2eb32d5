// Package provenance builds the SLSA provenance predicate v1 of a GitHub Actions
// job from the claims of its token, and reads the predicate, v0.2 and v1, as far
// as a layout asks: who built, from which sources, in which run. What it reads
// is what the predicate says; whether that is true is the layout's question.
package provenance

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// The predicate types that Read understands.
const (
	V1  = "https://slsa.dev/provenance/v1"
	V02 = "https://slsa.dev/provenance/v0.2"
)

// Facts are the parts of a provenance that can be joined with other statements
// or compared with a certificate. An empty field was not stated.
type Facts struct {
	BuilderID string
	// Materials are v1's resolvedDependencies or v0.2's materials, in order.
	Materials []Descriptor
	// Sources are further places that name the source: v0.2's configSource,
	// v1's externalParameters.source.
	Sources  []Descriptor
	Workflow Workflow
	// Trigger is the event, for example push.
	Trigger string
	// Invocation is the run: a URL, or RUN-ATTEMPT in v0.2.
	Invocation string
}

// Workflow is the top-level workflow as the predicate names it.
type Workflow struct {
	Repository string `json:"repository"` // https://github.com/acme/app
	Path       string `json:"path"`       // .github/workflows/release.yml
	Ref        string `json:"ref"`        // refs/heads/main
}

// Descriptor is an in-toto resource descriptor, as far as it is compared.
type Descriptor struct {
	Name   string            `json:"name"`
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// Is reports whether predicateType is one that Read understands.
func Is(predicateType string) bool { return predicateType == V1 || predicateType == V02 }

// Read decodes a predicate. Duplicate keys and wrong types are errors; keys that
// are not in the specification are ignored, as in-toto asks of consumers.
func Read(predicateType string, predicate []byte) (Facts, error) {
	switch predicateType {
	case V1:
		return readV1(predicate)
	case V02:
		return readV02(predicate)
	}
	return Facts{}, fmt.Errorf("reading provenance: predicate type %q is neither %s nor %s", predicateType, V1, V02)
}

// readV1 reads https://slsa.dev/spec/v1.0/provenance. The parameters are those of
// GitHub's buildTypes; builders of slsa-github-generator flatten the environment.
func readV1(predicate []byte) (Facts, error) {
	var p struct {
		BuildDefinition struct {
			ExternalParameters struct {
				Workflow parameter[Workflow]   `json:"workflow"`
				Source   parameter[Descriptor] `json:"source"`
			} `json:"externalParameters"`
			InternalParameters struct {
				GitHub parameter[struct {
					EventName string `json:"event_name"`
				}] `json:"github"`
				EventName parameter[string] `json:"GITHUB_EVENT_NAME"`
			} `json:"internalParameters"`
			ResolvedDependencies []Descriptor `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata struct {
				InvocationID string `json:"invocationId"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(predicate, &p); err != nil {
		return Facts{}, fmt.Errorf("reading SLSA provenance v1: %w", err)
	}
	facts := Facts{
		BuilderID:  p.RunDetails.Builder.ID,
		Materials:  p.BuildDefinition.ResolvedDependencies,
		Workflow:   p.BuildDefinition.ExternalParameters.Workflow.value,
		Trigger:    first(p.BuildDefinition.InternalParameters.GitHub.value.EventName, p.BuildDefinition.InternalParameters.EventName.value),
		Invocation: p.RunDetails.Metadata.InvocationID,
	}
	if source := p.BuildDefinition.ExternalParameters.Source.value; source.URI != "" {
		facts.Sources = append(facts.Sources, source)
	}
	return facts, nil
}

// readV02 reads https://slsa.dev/provenance/v0.2 with the environment that
// slsa-github-generator (lower case) and npm (upper case) write.
func readV02(predicate []byte) (Facts, error) {
	var p struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
		Invocation struct {
			ConfigSource struct {
				URI        string            `json:"uri"`
				Digest     map[string]string `json:"digest"`
				EntryPoint string            `json:"entryPoint"`
			} `json:"configSource"`
			Environment struct {
				EventName      parameter[string] `json:"github_event_name"`
				EventNameUpper parameter[string] `json:"GITHUB_EVENT_NAME"`
			} `json:"environment"`
		} `json:"invocation"`
		Metadata struct {
			BuildInvocationID string `json:"buildInvocationId"`
			// The spelling of slsa-github-generator, which came first.
			BuildInvocationIDUpper string `json:"buildInvocationID"`
		} `json:"metadata"`
		Materials []Descriptor `json:"materials"`
	}
	if err := json.Unmarshal(predicate, &p); err != nil {
		return Facts{}, fmt.Errorf("reading SLSA provenance v0.2: %w", err)
	}
	facts := Facts{
		BuilderID:  p.Builder.ID,
		Materials:  p.Materials,
		Trigger:    first(p.Invocation.Environment.EventName.value, p.Invocation.Environment.EventNameUpper.value),
		Invocation: first(p.Metadata.BuildInvocationID, p.Metadata.BuildInvocationIDUpper),
		Workflow:   Workflow{Path: p.Invocation.ConfigSource.EntryPoint},
	}
	if uri := p.Invocation.ConfigSource.URI; uri != "" {
		facts.Sources = append(facts.Sources, Descriptor{URI: uri, Digest: p.Invocation.ConfigSource.Digest})
	}
	return facts, nil
}

// parameter reads a value of a free-form object: other build types may put
// another type under the same key, which then states nothing here.
type parameter[T any] struct{ value T }

// UnmarshalJSON implements json.Unmarshaler.
func (p *parameter[T]) UnmarshalJSON(data []byte) error {
	var v T
	if err := json.Unmarshal(data, &v); err == nil {
		p.value = v
	}
	return nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
