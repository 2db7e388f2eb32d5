package command

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/statement"
)

// authorStep is the step of an author's word on a commit, as the ready-made
// layouts call it; buildStep is that of what is built.
const (
	authorStep = "author"
	buildStep  = "build"
)

// maxVars bounds the variables of a workflow, in bytes.
const maxVars = 1 << 20

// predicateFlags say what is true of the subjects.
type predicateFlags struct {
	predicate     string // the object itself, or a file
	sbom          string
	predicateType string
	step          string
	buildType     string
	vars          string
	started       string
	byproducts    []string
}

func (f *predicateFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.predicate, "predicate", "", "say what a file holds, a `JSON` object of at most 16 MiB, or the object itself")
	flags.StringVar(&f.predicateType, "predicate-type", "", "the `URI` of what --predicate is, for example https://cyclonedx.org/bom")
	flags.StringVar(&f.sbom, "sbom", "", "say that `FILE` is the bill of materials: SPDX 2 or CycloneDX in JSON, which it tells itself")
	flags.StringVar(&f.step, "step", "", "say that step `NAME` of a layout was done: an in-toto link (default for a commit: author)")
	flags.StringVar(&f.buildType, "build-type", "github", "form of the provenance: `github|community`; the community's also records the workflow's inputs and --vars")
	flags.StringVar(&f.vars, "vars", "", "the workflow's variables, the `JSON` object ${{ toJSON(vars) }} or a file with it; with --build-type community")
	flags.StringVar(&f.started, "started-on", "", "when the build started, an RFC 3339 `TIME` (default: when the runner wrote the event)")
	flags.StringArrayVar(&f.byproducts, "byproduct", nil, "record `PATH` or a glob as a byproduct of the build, such as a log (repeatable)")
}

func (f *predicateFlags) buildTypes() map[string]provenance.BuildType {
	return map[string]provenance.BuildType{"github": provenance.GitHubWorkflow, "community": provenance.CommunityWorkflow}
}

func (f *predicateFlags) check(commit bool) error {
	provenanceOnly := f.vars != "" || f.started != "" || len(f.byproducts) > 0 || f.buildType != "github"
	switch {
	case f.sbom != "" && (f.predicate != "" || f.predicateType != ""):
		return usage("leave --predicate and --predicate-type out", "--sbom says what the predicate is, and of which type")
	case f.sbom != "" && f.step != "":
		return usage("choose one of them", "--sbom and --step say two things")
	case (f.predicate == "") != (f.predicateType == ""):
		return usage("give both", "--predicate FILE and --predicate-type URI go together")
	case f.predicate != "" && f.step != "":
		return usage("choose one of them", "--predicate and --step say two things")
	case f.buildTypes()[f.buildType] == "":
		return usage("use --build-type github or community", "unknown --build-type %q", f.buildType)
	case provenanceOnly && (commit || f.custom() || f.step != ""):
		return usage("leave them out", "--build-type, --vars, --started-on and --byproduct go with SLSA provenance")
	case f.vars != "" && f.buildType != "community":
		return usage("add --build-type community", "--vars: GitHub's build type has no place for them")
	}
	return nil
}

// said is what is true of the subjects.
type said struct {
	predicateType string
	predicate     []byte
	step          string // of a layout: a link names it, and else a suggested layout
	// fields are what a provenance states, and what stands behind each.
	fields []provenance.Field
}

// predicateInputs are what a predicate is made of, read before anybody is asked.
type predicateInputs struct {
	said       said // already, but for provenance
	provenance bool
	buildType  provenance.BuildType
	started    time.Time
	byproducts []artifact.File
	parameters provenance.Parameters
}

// read reads everything that the flags name.
func (f *predicateFlags) read(env Env, commit *gitrepo.Commit) (predicateInputs, error) {
	switch {
	case f.sbom != "":
		s, err := f.readSBOM(env, commit)
		return predicateInputs{said: s}, err
	case f.predicate != "":
		s, err := f.readPredicate(env, commit)
		return predicateInputs{said: s}, err
	case f.step != "" || commit != nil:
		s, err := f.link()
		return predicateInputs{said: s}, err
	}
	in := predicateInputs{provenance: true, buildType: f.buildTypes()[f.buildType]}
	var err error
	if in.started, err = f.startedOn(env); err != nil {
		return predicateInputs{}, err
	}
	if in.byproducts, _, err = artifact.FindFiles(env.FS, f.byproducts); err != nil {
		return predicateInputs{}, notFound(fmt.Errorf("recording byproducts: %w", err))
	}
	if in.buildType != provenance.CommunityWorkflow {
		return in, nil
	}
	parameters, err := actions.ReadParameters(env.Getenv)
	if err != nil {
		return predicateInputs{}, undecided("let this see the runner's event file, or use --build-type github", err)
	}
	in.parameters = provenance.Parameters{Inputs: parameters.Inputs, Release: parameters.Release}
	in.parameters.Vars, err = f.readVars(env.FS)
	return in, err
}

// custom tells whether the caller gives the predicate.
func (f *predicateFlags) custom() bool { return f.predicate != "" || f.sbom != "" }

// predicateFile is the file with the predicate; empty where it is given itself.
func (f *predicateFlags) predicateFile() string {
	if isObject(f.predicate) {
		return ""
	}
	return f.predicate
}

// isObject tells a JSON object from the name of a file; ./{ is one.
func isObject(given string) bool { return strings.HasPrefix(strings.TrimSpace(given), "{") }

// readPredicate is what a file says, or the caller.
func (f *predicateFlags) readPredicate(env Env, commit *gitrepo.Commit) (said, error) {
	data, name := []byte(f.predicate), "of --predicate"
	if file := f.predicateFile(); file != "" {
		var err error
		if data, err = readStated(env, "--predicate", file); err != nil {
			return said{}, err
		}
		name = file
	}
	if err := statement.CheckType(f.predicateType); err != nil {
		return said{}, usage("give the URI of what --predicate is, for example https://cyclonedx.org/bom", "--predicate-type: %w", err)
	}
	if f.predicateType == layout.LayoutPredicate {
		var err error
		if data, err = sublayout(env, name, data); err != nil {
			return said{}, err
		}
	}
	if err := statement.CheckPredicate(data); err != nil {
		return said{}, &exitError{code: ExitDenied, err: fmt.Errorf("reading predicate %s: %w", name, err), next: "give a file with one JSON object, such as a test result"}
	}
	return said{predicateType: f.predicateType, predicate: data, step: stepFor(commit)}, nil
}

func readStated(env Env, flag, file string) ([]byte, error) {
	data, err := evidence.Read(env.FS, file, statement.MaxPredicateBytes)
	if err != nil {
		return nil, undecided("check "+flag, fmt.Errorf("reading predicate %s: %w", file, err))
	}
	return data, nil
}

// readSBOM is what a bill of materials says, under the type that it has.
func (f *predicateFlags) readSBOM(env Env, commit *gitrepo.Commit) (said, error) {
	data, err := readStated(env, "--sbom", f.sbom)
	if err != nil {
		return said{}, err
	}
	predicateType, err := statement.SBOMType(data)
	if err != nil {
		return said{}, &exitError{code: ExitDenied, err: fmt.Errorf("reading bill of materials %s: %w", f.sbom, err), next: "give SPDX 2 or CycloneDX in JSON, or say what it is: --predicate FILE --predicate-type URI"}
	}
	return said{predicateType: predicateType, predicate: data, step: stepFor(commit)}, nil
}

// sublayout gives a layout as the JSON that is signed, YAML or JSON. One that does
// not lint is not signed: no verifier would take it.
func sublayout(env Env, name string, data []byte) ([]byte, error) {
	payload, problems := layout.Payload(name, data, env.Now)
	if len(problems) > 0 {
		p := problems[0]
		return nil, &exitError{code: ExitDenied, err: fmt.Errorf("reading layout %s: %s: %s; expected %s", p.Where, p.ID, p.Found, p.Expected), next: p.Next}
	}
	return payload, nil
}

// link says that a step was done.
func (f *predicateFlags) link() (said, error) {
	name := f.step
	if name == "" {
		name = authorStep
	}
	data, err := statement.Link{Name: name}.Predicate()
	if err != nil {
		return said{}, usage("name a step of the layout", "%w", err)
	}
	return said{predicateType: statement.LinkV03, predicate: data, step: name}, nil
}

func stepFor(commit *gitrepo.Commit) string {
	if commit != nil {
		return authorStep
	}
	return buildStep
}

// saying is what provenance depends on beside what was read.
type saying struct {
	who       *credential
	otherHead *provenance.Descriptor
	sha512    bool
}

// predicate makes the predicate.
func (in predicateInputs) predicate(env Env, s saying) (said, error) {
	if !in.provenance {
		return in.said, nil
	}
	job := provenance.Job{
		Claims: *s.who.job, BuildType: in.buildType, Started: in.started, Finished: env.Now, Parameters: in.parameters, Uncertified: s.who.key != nil,
	}
	if s.otherHead != nil {
		job.Dependencies = append(job.Dependencies, *s.otherHead)
	}
	var err error
	if job.Byproducts, err = in.hashByproducts(env, s.sha512); err != nil {
		return said{}, err
	}
	data, err := provenance.Build(job)
	if err != nil {
		return said{}, &exitError{code: ExitDenied, err: err, next: "see docs/attest.md, what provenance says"}
	}
	fields, err := provenance.Fields(job)
	if err != nil {
		return said{}, &exitError{code: ExitDenied, err: err}
	}
	return said{predicateType: provenance.V1, predicate: data, step: buildStep, fields: fields}, nil
}

// longestRun is how long a run of GitHub Actions can take before it is cancelled, 35 days.
// An event file that is older says nothing of when this one started: some runners write
// it without a time.
//
// Source: https://docs.github.com/en/actions/reference/limits
const longestRun = 35 * 24 * time.Hour

// startedOn is when the caller says that the build started, or when the runner
// wrote the event that started the job; zero where neither is known.
func (f *predicateFlags) startedOn(env Env) (time.Time, error) {
	if f.started == "" {
		if info, err := fs.Stat(env.FS, env.Getenv("GITHUB_EVENT_PATH")); err == nil && !info.ModTime().After(env.Now) && env.Now.Sub(info.ModTime()) <= longestRun {
			return info.ModTime(), nil
		}
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, f.started)
	if err != nil || at.IsZero() {
		return time.Time{}, usage("write it as date -u +%Y-%m-%dT%H:%M:%SZ does", "--started-on %q is no RFC 3339 time", f.started)
	}
	return at, nil
}

func (in predicateInputs) hashByproducts(env Env, sha512 bool) ([]provenance.Descriptor, error) {
	var more []artifact.Algorithm
	if sha512 {
		more = append(more, artifact.SHA512)
	}
	var list []provenance.Descriptor
	for _, file := range in.byproducts {
		hashed, err := file.Hash(env.FS, nil, more...)
		if err != nil {
			return nil, undecided("check --byproduct", err)
		}
		digest := map[string]string{}
		for alg, value := range hashed.Digest {
			digest[string(alg)] = value
		}
		list = append(list, provenance.Descriptor{Name: hashed.Name, Digest: digest})
	}
	return list, nil
}

// readVars takes a JSON object as it is, and anything else for a file's name.
func (f *predicateFlags) readVars(fsys fs.FS) ([]byte, error) {
	if f.vars == "" {
		return nil, nil
	}
	if given := bytes.TrimSpace([]byte(f.vars)); bytes.HasPrefix(given, []byte("{")) {
		return given, nil
	}
	data, err := evidence.Read(fsys, f.vars, maxVars)
	if err != nil {
		return nil, undecided("check --vars", fmt.Errorf("reading vars %s: %w", f.vars, err))
	}
	return data, nil
}
