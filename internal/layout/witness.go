package layout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// witness puts the certificate's word above the statement's. Any step of a job
// that may ask for an identity token can sign any predicate, so what a CI signer
// says of its own source counts only where the certificate says it too.
//
// "For a CI signer the certificate is the witness. The material
// git+<sourceRepositoryURI> with gitCommit = sourceRepositoryDigest comes from
// the certificate. [...] Git entries that the certificate does not know are
// asserted: they never satisfy REQUIRE or MATCH." (docs/layout.md 2.)
// TestWitness shows each case.
func (c *claims) witness(signer identity.Signer) *verdict.Finding {
	if !signer.IsWorkload() {
		return nil
	}
	own, known := ownSource(signer)
	for name, r := range c.materials {
		switch {
		case !r.Name.Git:
		case known && name == own.Name.Text && c.hasProducts:
			if finding := sameSource("material "+name, r, own); finding != nil {
				return finding
			}
		default:
			c.judgeGit(c.materials, name, own)
		}
	}
	for name, r := range c.products {
		if r.Name.Git {
			c.judgeGit(c.products, name, own)
		}
	}
	if known && c.hasProducts {
		c.materials[own.Name.Text] = own
	}
	return nil
}

// ownSource is the material that a CI signer's certificate proves. A certificate
// may name no source, or one that is no git repository on https: then nothing is
// known, and every git entry is asserted.
func ownSource(signer identity.Signer) (artifact.Resource, bool) {
	source, ok := signer.Source()
	if !ok {
		return artifact.Resource{}, false
	}
	name, err := artifact.GitSource(source.Repository)
	if err != nil {
		return artifact.Resource{}, false
	}
	commit, err := artifact.ParseDigestSet(map[string]string{string(artifact.GitCommit): source.Commit})
	if err != nil {
		return artifact.Resource{}, false
	}
	name.Ref = source.Ref
	return artifact.Resource{Name: name, Digest: commit}, true
}

// judgeGit marks a git entry as asserted unless it is the certificate's commit.
func (c *claims) judgeGit(set artifact.Set, name string, own artifact.Resource) {
	r := set[name]
	if name == own.Name.Text && r.Digest[artifact.GitCommit] == own.Digest[artifact.GitCommit] && own.Digest != nil {
		r.Digest = own.Digest
	} else {
		r.Asserted = true
	}
	set[name] = r
}

// contradiction compares a provenance with the certificate that signed it, and
// refuses it where they disagree about the source, the builder, the ref, the
// workflow, the trigger or the run. What either does not state is not compared.
//
// "A predicate that names another commit for that repository, or another builder
// id, ref, workflow, trigger or run than the certificate (.9 .14 .18 .20 .21),
// is refused." (docs/layout.md 2.)
func contradiction(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	if !signer.IsWorkload() {
		return nil
	}
	for _, check := range []func(provenance.Facts, identity.Signer) *verdict.Finding{
		contradictsBuilder, contradictsSource, contradictsWorkflow, contradictsTrigger, contradictsRun,
	} {
		if finding := check(facts, signer); finding != nil {
			return finding
		}
	}
	return nil
}

func contradictsBuilder(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	builder := signer.BuilderURI()
	if facts.BuilderID == "" || builder == "" || facts.BuilderID == builder {
		return nil
	}
	if ok := knownBuilder(facts.BuilderID, signer); ok {
		return nil
	}
	return contradicts("builder id", facts.BuilderID, builder)
}

// knownBuilder names the builders that write something else than their workflow
// into builder.id, and what the certificate then has to say:
//   - npm's CLI names the runner, or itself;
//   - GitLab names the runner inside the project;
//   - slsa-github-generator's delegator signs for a workflow that it has checked
//     and names that one. Who trusts the delegator names it in the layout.
func knownBuilder(id string, signer identity.Signer) bool {
	if environment, ok := strings.CutPrefix(id, "https://github.com/actions/runner/"); ok {
		proven := signer.Extensions[identity.RunnerEnvironment]
		return proven == "" || proven == environment
	}
	if id == "https://github.com/actions/runner" || strings.HasPrefix(id, "https://github.com/npm/cli@") {
		return true
	}
	if source, ok := signer.Source(); ok && strings.HasPrefix(id, source.Repository+"/-/runners/") {
		return true
	}
	const generator = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_"
	return strings.HasPrefix(signer.BuilderURI(), generator)
}

// contradictsSource compares every entry that names the job's own repository.
func contradictsSource(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	own, known := ownSource(signer)
	if !known {
		return nil
	}
	for _, d := range slices.Concat(facts.Sources, facts.Materials) {
		r, err := artifact.NewResource(d.Name, d.URI, d.Digest)
		if err != nil {
			return refuse(verdict.PredicateMalformed, fmt.Errorf("reading the build's source: %w", err))
		}
		if r.Name.Text != own.Name.Text {
			continue
		}
		if finding := sameSource("source "+r.Name.Text, r, own); finding != nil {
			return finding
		}
	}
	return nil
}

// sameSource compares an entry for the job's own repository with the certificate.
func sameSource(what string, r, own artifact.Resource) *verdict.Finding {
	if commit, proven := r.Digest[artifact.GitCommit], own.Digest[artifact.GitCommit]; commit != "" && commit != proven {
		return contradicts("commit of "+what, commit, proven)
	}
	if strings.HasPrefix(r.Name.Ref, "refs/") && own.Name.Ref != "" && r.Name.Ref != own.Name.Ref {
		return contradicts("ref of "+what, r.Name.Ref, own.Name.Ref)
	}
	return nil
}

// contradictsWorkflow compares the top-level workflow with .18, which is
// https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main.
func contradictsWorkflow(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	source, _ := signer.Source()
	if ref := facts.Workflow.Ref; ref != "" && source.Ref != "" && ref != source.Ref {
		return contradicts("workflow ref", ref, source.Ref)
	}
	if repo := facts.Workflow.Repository; repo != "" && source.Repository != "" && repo != source.Repository {
		return contradicts("workflow repository", repo, source.Repository)
	}
	config := signer.Extensions[identity.BuildConfigURI]
	location, _, _ := strings.Cut(config, "@")
	// Old npm provenance has the workflow's name here; its certificate has no .18.
	if path := facts.Workflow.Path; path != "" && config != "" && !strings.HasSuffix(location, "/"+path) {
		return contradicts("workflow", path, config)
	}
	return nil
}

func contradictsTrigger(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	if proven := signer.Trigger(); facts.Trigger != "" && proven != "" && facts.Trigger != proven {
		return contradicts("trigger", facts.Trigger, proven)
	}
	return nil
}

// contradictsRun compares the run with .21,
// https://github.com/acme/app/actions/runs/RUN/attempts/ATTEMPT; v0.2 writes RUN-ATTEMPT.
func contradictsRun(facts provenance.Facts, signer identity.Signer) *verdict.Finding {
	proven := signer.Extensions[identity.RunInvocationURI]
	_, numbers, ok := strings.Cut(proven, "/actions/runs/")
	if !ok || facts.Invocation == "" || facts.Invocation == proven {
		return nil
	}
	if run, attempt, found := strings.Cut(numbers, "/attempts/"); found && facts.Invocation == run+"-"+attempt {
		return nil
	}
	return contradicts("run", facts.Invocation, proven)
}

func contradicts(what, stated, proven string) *verdict.Finding {
	return &verdict.Finding{
		ID:       verdict.ContradictsCert,
		Expected: fmt.Sprintf("%s %s, as the certificate proves", what, proven),
		Found:    fmt.Sprintf("its predicate states the %s %s", what, stated),
		Next:     "do not trust this provenance: another step of that job may have written it",
	}
}
