package provenance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signatus-dev/signatus/internal/artifact"
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

// Parameters are a workflow's parameters, each a JSON object of strings, booleans
// and numbers, or nil for none.
type Parameters struct {
	Inputs  []byte // github.event.inputs; of workflow_dispatch alone
	Release []byte // body, draft, name, prerelease, target_commitish; of release alone
	Vars    []byte // the vars context
}

// assertedKey is where a provenance says what it only asserts, an object of JSON
// pointers (RFC 6901) into the predicate and where each value came from:
//
//	"internalParameters": {"signatus_asserted": {"/runDetails/metadata/startedOn": "the runner's clock"}}
//
// The values stay where SLSA and the build type have them, so that every reader
// finds them; to move them would make a provenance that only we can read. They
// are marked here because no consumer has to verify internalParameters, because
// SLSA asks for extension fields named <vendor>_<fieldname>, and because pointers
// mark a time or a part of an object as well as a descriptor, which annotations
// would not.
//
// Every value that is not marked is repeated by the certificate of the signer,
// who would be refused if the two disagreed. buildType is neither: it states
// nothing of the build. The mark is the builder's own word, and honest only as far
// as the builder is: whoever verifies asks the certificate.
const assertedKey = "signatus_asserted"

// Field is one value of a provenance, and what stands behind it.
type Field struct {
	Pointer string // where it stands in the predicate, as RFC 6901 writes it
	Value   string // as text; objects as JSON
	// Proof is the extension of the certificate that repeats the value, for
	// example "sourceRepositoryRef (.14)"; empty where nothing does.
	Proof string
	// Origin is where a value came from that is only asserted.
	Origin string
}

// Asserted reports whether nothing but the signer's word stands behind it.
func (f Field) Asserted() bool { return f.Proof == "" }

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

// builder collects a predicate's fields while it is made.
type builder struct {
	job    Job
	server string
	fields []Field
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

func (b *builder) proven(pointer, value, proof string) {
	if b.job.Uncertified {
		b.assert(pointer, value, "the job's token, which no certificate repeats")
		return
	}
	b.fields = append(b.fields, Field{Pointer: pointer, Value: value, Proof: proof})
}

func (b *builder) assert(pointer, value, origin string) {
	b.fields = append(b.fields, Field{Pointer: pointer, Value: value, Origin: origin})
}

func (b *builder) asserted() map[string]any {
	out := map[string]any{}
	for _, f := range b.fields {
		if f.Asserted() {
			out[f.Pointer] = f.Origin
		}
	}
	return out
}

// external gives externalParameters.
func (b *builder) external() (map[string]any, error) {
	c := &b.job.Claims
	path, err := c.workflowPath()
	if err != nil {
		return nil, err
	}
	const at = "/buildDefinition/externalParameters/"
	repository := b.server + "/" + c.Repository
	b.proven(at+"workflow/ref", c.Ref, "sourceRepositoryRef (.14)")
	b.proven(at+"workflow/repository", repository, "sourceRepositoryURI (.12)")
	b.proven(at+"workflow/path", path, "buildConfigURI (.18)")
	external := map[string]any{"workflow": map[string]any{"ref": c.Ref, "repository": repository, "path": path}}
	for _, p := range []struct {
		name, origin string
		data         []byte
		keys         []string // nil for any
		empty        bool     // empty values are kept
	}{
		{name: "inputs", data: b.job.Parameters.Inputs, origin: "the event's payload"},
		{name: "release", data: b.job.Parameters.Release, origin: "the event's payload", keys: []string{"body", "draft", "name", "prerelease", "target_commitish"}},
		{name: "vars", data: b.job.Parameters.Vars, origin: "the workflow's own word", empty: true},
	} {
		values, err := parseParameters(p.data)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p.name, err)
		}
		for name := range values {
			if p.keys != nil && !slices.Contains(p.keys, name) {
				return nil, fmt.Errorf("reading %s: unknown parameter %q, expected %s", p.name, name, strings.Join(p.keys, ", "))
			}
		}
		// "SHOULD omit empty inputs to make verification easier."
		maps.DeleteFunc(values, func(_ string, v any) bool { return v == "" && !p.empty })
		if len(values) > 0 { // "REQUIRED unless empty"
			external[p.name] = values
			stated, err := json.Marshal(values, json.Deterministic(true))
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", p.name, err)
			}
			b.assert(at+p.name, shortened(stated), p.origin)
		}
	}
	return external, nil
}

// github gives internalParameters.github.
func (b *builder) github() map[string]any {
	c := &b.job.Claims
	const at = "/buildDefinition/internalParameters/github/"
	values := map[string]any{}
	for _, v := range []struct{ name, value, proof string }{
		{"event_name", c.EventName, "buildTrigger (.20)"},
		{"repository_id", c.RepositoryID, "sourceRepositoryIdentifier (.15)"},
		{"repository_owner_id", c.OwnerID, "sourceRepositoryOwnerIdentifier (.17)"},
		{"runner_environment", c.RunnerEnvironment, "runnerEnvironment (.11)"},
	} {
		values[v.name] = v.value
		b.proven(at+v.name, v.value, v.proof)
	}
	if b.job.BuildType == CommunityWorkflow && c.ActorID != "" {
		values["actor_id"] = c.ActorID
		b.assert(at+"actor_id", c.ActorID, "the job's token, which no certificate repeats")
	}
	return values
}

// dependencies gives resolvedDependencies: the commit first.
func (b *builder) dependencies() ([]*intoto.ResourceDescriptor, error) {
	c := &b.job.Claims
	const at = "/buildDefinition/resolvedDependencies/"
	source := "git+" + b.server + "/" + c.Repository + "@" + c.Ref
	b.proven(at+"0/uri", source, "sourceRepositoryURI (.12) and sourceRepositoryRef (.14)")
	b.proven(at+"0/digest/gitCommit", c.SHA, "sourceRepositoryDigest (.13)")
	all := []*intoto.ResourceDescriptor{{Uri: source, Digest: map[string]string{string(artifact.GitCommit): c.SHA}}}
	for i, d := range b.job.Dependencies {
		descriptor, digest, err := describe(d)
		if err != nil {
			return nil, fmt.Errorf("dependency %d: %w", i+1, err)
		}
		all = append(all, descriptor)
		b.assert(at+strconv.Itoa(i+1), first(d.URI, d.Name)+" "+digest, "the job's own word")
	}
	return all, nil
}

func (b *builder) runDetails() (*slsa.RunDetails, error) {
	c := &b.job.Claims
	id, run := b.server+"/"+c.JobWorkflowRef, c.runURI(b.server)
	b.proven("/runDetails/builder/id", id, "buildSignerURI (.9)")
	b.proven("/runDetails/metadata/invocationId", run, "runInvocationURI (.21)")
	details := &slsa.RunDetails{Builder: &slsa.Builder{Id: id}, Metadata: &slsa.BuildMetadata{InvocationId: run}}
	for _, t := range []struct {
		name string
		at   time.Time
		into **timestamppb.Timestamp
	}{
		{"startedOn", b.job.Started, &details.Metadata.StartedOn},
		{"finishedOn", b.job.Finished, &details.Metadata.FinishedOn},
	} {
		if !t.at.IsZero() {
			*t.into = timestamppb.New(t.at.Truncate(time.Second))
			b.assert("/runDetails/metadata/"+t.name, stamp(t.at), "the runner's clock")
		}
	}
	for i, d := range b.job.Byproducts {
		descriptor, digest, err := describe(d)
		if err != nil {
			return nil, fmt.Errorf("byproduct %d: %w", i+1, err)
		}
		details.Byproducts = append(details.Byproducts, descriptor)
		b.assert("/runDetails/byproducts/"+strconv.Itoa(i), first(d.URI, d.Name)+" "+digest, "the job's own word")
	}
	return details, nil
}

// describe checks a descriptor as a reader of it would.
func describe(d Descriptor) (descriptor *intoto.ResourceDescriptor, digest string, err error) {
	resource, err := artifact.NewResource(d.Name, d.URI, d.Digest)
	if err != nil {
		return nil, "", err
	}
	if len(resource.Digest) == 0 {
		return nil, "", fmt.Errorf("%s has no digest", resource.Name)
	}
	descriptor = &intoto.ResourceDescriptor{Name: d.Name, Uri: d.URI, Digest: map[string]string{}}
	for alg, value := range resource.Digest {
		descriptor.Digest[string(alg)] = value
	}
	return descriptor, resource.Digest.String(), nil
}

// maxParametersBytes bounds each of a workflow's parameters. GitHub caps the
// inputs of a dispatch at 65,535 characters and a repository's variables at 256 KB.
const maxParametersBytes = 1 << 20

// parseParameters reads a flat JSON object without duplicate keys.
func parseParameters(data []byte) (map[string]any, error) {
	if data == nil {
		return nil, nil
	}
	if len(data) > maxParametersBytes {
		return nil, fmt.Errorf("%d bytes, at most %d KiB are read", len(data), maxParametersBytes>>10)
	}
	var raw map[string]jsontext.Value
	if err := unmarshalObject(data, &raw); err != nil {
		return nil, err
	}
	values := make(map[string]any, len(raw))
	for name, value := range raw {
		v, err := scalar(value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		values[name] = v
	}
	return values, nil
}

func scalar(value jsontext.Value) (any, error) {
	switch value.Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	case 't', 'f':
		return value.Kind() == 't', nil
	case '0':
		// In the predicate a number is a float64; one that this changes is refused.
		number, err := strconv.ParseFloat(string(value), 64)
		if err != nil || strconv.FormatFloat(number, 'f', -1, 64) != string(value) {
			return nil, fmt.Errorf("the number %.40s cannot be kept as it is written: write it as a string", value)
		}
		return number, nil
	default:
		return nil, errors.New("expected a string, a boolean or a number")
	}
}

// shortened is for print.
func shortened(data []byte) string {
	value := jsontext.Value(slices.Clone(data))
	if err := value.Compact(); err != nil || len(value) <= 200 {
		return string(value)
	}
	return strings.ToValidUTF8(string(value[:200]), "") + "…"
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// unmarshalObject reads one JSON object; null is none.
func unmarshalObject(data []byte, into *map[string]jsontext.Value) error {
	if kind := jsontext.Value(data).Kind(); kind != '{' {
		return errors.New("expected a JSON object")
	}
	return json.Unmarshal(data, into)
}
