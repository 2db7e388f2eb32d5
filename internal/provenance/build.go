package provenance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// BuildType tells how to read a provenance's parameters.
type BuildType string

// The build types that Build writes. GitHub's own is what actions/attest writes,
// for every event. The community's also records the workflow's parameters, and
// "MUST NOT be used for any other event type" than [CommunityEvents].
const (
	GitHubWorkflow    BuildType = "https://actions.github.io/buildtypes/workflow/v1"
	CommunityWorkflow BuildType = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
)

// CommunityEvents are the events that the community's build type describes.
func CommunityEvents() []string { return []string{"create", "push", "release", "workflow_dispatch"} }

// MaxDescriptors bounds a job's dependencies and its byproducts, each.
const MaxDescriptors = 1024

// Job is a run of a job, and what it knows of itself beyond its token.
type Job struct {
	Claims    Claims
	BuildType BuildType // required
	// Started and Finished are by the runner's clock, in whole seconds; zero for
	// not known.
	Started, Finished time.Time
	// Parameters may be set with CommunityWorkflow alone.
	Parameters Parameters
	// Dependencies are sources and tools beside the token's commit, such as a
	// checked-out commit that is not the token's. Such a provenance contradicts
	// its certificate, and a layout that joins on the commit refuses it.
	Dependencies []Descriptor
	// Byproducts are "additional artifacts generated during the build that are
	// not considered the output of the build but may be needed during debugging
	// or incident response".
	Byproducts []Descriptor
	// Uncertified tells that a key signs: no certificate repeats a claim, and all of it
	// is only asserted.
	Uncertified bool
}

// Build makes the SLSA provenance v1 predicate of a job, as canonical JSON (RFC
// 8785): the same job gives the same bytes. Before anything is signed with it,
// [Claims.CheckCertificate] has to pass.
//
// The Validate of in-toto's types is not asked: it refuses git ids of 64 digits.
//
// Sources: https://slsa.dev/spec/v1.0/provenance and the two build types.
func Build(job Job) ([]byte, error) {
	predicate, _, err := build(job)
	if err != nil {
		return nil, fmt.Errorf("building provenance: %w", err)
	}
	data, err := protojson.Marshal(predicate)
	if err != nil {
		return nil, fmt.Errorf("building provenance: %w", err)
	}
	// protojson adds white space at random, so that nobody relies on its form.
	value := jsontext.Value(data)
	if err := value.Canonicalize(); err != nil {
		return nil, fmt.Errorf("building provenance: %w", err)
	}
	return value, nil
}

// Fields lists what Build states for the job, in the order of the predicate: what
// the certificate proves and what is only asserted.
func Fields(job Job) ([]Field, error) {
	_, fields, err := build(job)
	if err != nil {
		return nil, fmt.Errorf("building provenance: %w", err)
	}
	return fields, nil
}

func build(job Job) (*slsa.Provenance, []Field, error) {
	if err := job.check(); err != nil {
		return nil, nil, err
	}
	server, err := job.Claims.ServerURL()
	if err != nil {
		return nil, nil, err
	}
	b := &builder{job: job, server: server}
	external, err := b.external()
	if err != nil {
		return nil, nil, err
	}
	github := b.github()
	dependencies, err := b.dependencies()
	if err != nil {
		return nil, nil, err
	}
	details, err := b.runDetails()
	if err != nil {
		return nil, nil, err
	}
	internal := map[string]any{"github": github}
	if asserted := b.asserted(); len(asserted) > 0 {
		internal[assertedKey] = asserted
	}
	definition := &slsa.BuildDefinition{BuildType: string(job.BuildType), ResolvedDependencies: dependencies}
	if definition.ExternalParameters, err = structpb.NewStruct(external); err != nil {
		return nil, nil, fmt.Errorf("external parameters: %w", err)
	}
	if definition.InternalParameters, err = structpb.NewStruct(internal); err != nil {
		return nil, nil, fmt.Errorf("internal parameters: %w", err)
	}
	return &slsa.Provenance{BuildDefinition: definition, RunDetails: details}, b.fields, nil
}

// check refuses a job whose parts do not go together.
func (j *Job) check() error {
	if err := j.Claims.check(); err != nil {
		return err
	}
	event, p := j.Claims.EventName, j.Parameters
	switch {
	case j.BuildType != GitHubWorkflow && j.BuildType != CommunityWorkflow:
		return fmt.Errorf("unknown build type %q, expected %s or %s", j.BuildType, GitHubWorkflow, CommunityWorkflow)
	case j.BuildType == GitHubWorkflow && (p.Inputs != nil || p.Release != nil || p.Vars != nil):
		return fmt.Errorf("the build type %s has no inputs, release or vars: use %s, or leave them out", GitHubWorkflow, CommunityWorkflow)
	case j.BuildType == CommunityWorkflow && !slices.Contains(CommunityEvents(), event):
		return fmt.Errorf("the build type %s does not describe the event %s, only %s: use %s", CommunityWorkflow, event, strings.Join(CommunityEvents(), ", "), GitHubWorkflow)
	case p.Inputs != nil && event != "workflow_dispatch":
		return fmt.Errorf("inputs belong to the event workflow_dispatch, and this run's is %s", event)
	case p.Release != nil && event != "release":
		return fmt.Errorf("release parameters belong to the event release, and this run's is %s", event)
	case !j.Started.IsZero() && !j.Finished.IsZero() && j.Finished.Before(j.Started):
		return fmt.Errorf("the build finished at %s, before it started at %s: check the runner's clock", stamp(j.Finished), stamp(j.Started))
	case len(j.Dependencies) > MaxDescriptors || len(j.Byproducts) > MaxDescriptors:
		return fmt.Errorf("%d dependencies and %d byproducts, at most %d of each are stated", len(j.Dependencies), len(j.Byproducts), MaxDescriptors)
	}
	return nil
}
