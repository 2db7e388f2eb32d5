package provenance

import (
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
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signatus-dev/signatus/internal/artifact"
)

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

// builder collects a predicate's fields while it is made.
type builder struct {
	job    Job
	server string
	fields []Field
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

// shortened is for print.
func shortened(data []byte) string {
	value := jsontext.Value(slices.Clone(data))
	if err := value.Compact(); err != nil || len(value) <= 200 {
		return string(value)
	}
	return strings.ToValidUTF8(string(value[:200]), "") + "…"
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }
