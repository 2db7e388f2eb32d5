package attestationtest

import "strings"

// Provenance returns the SLSA v1 predicate that actions/attest writes for a
// run. It agrees with the certificate of [Workflow] for the same claims.
//
// Source: actions/toolkit, packages/attest/src/provenance.ts.
func Provenance(claims WorkflowClaims) map[string]any {
	c := claims.WithDefaults()
	return map[string]any{
		"buildDefinition": map[string]any{
			"buildType": "https://actions.github.io/buildtypes/workflow/v1",
			"externalParameters": map[string]any{
				"workflow": map[string]any{
					"ref":        c.Ref,
					"repository": c.repositoryURI(),
					"path":       c.Workflow,
				},
			},
			"internalParameters": map[string]any{
				"github": map[string]any{
					"event_name":          c.Trigger,
					"repository_id":       c.RepositoryID,
					"repository_owner_id": c.OwnerID,
					"runner_environment":  c.RunnerEnvironment,
				},
			},
			"resolvedDependencies": []any{map[string]any{
				"uri":    "git+" + c.repositoryURI() + "@" + c.Ref,
				"digest": map[string]string{"gitCommit": c.SHA},
			}},
		},
		"runDetails": map[string]any{
			"builder":  map[string]any{"id": githubServer + "/" + c.JobWorkflowRef},
			"metadata": map[string]any{"invocationId": c.runURI()},
		},
	}
}

// ProvenanceV02 returns the SLSA v0.2 predicate that the generic generator of
// slsa-framework/slsa-github-generator writes for a run. It agrees with the
// certificate of [Workflow] for the same claims, and comes in a
// [StatementV01]. Without a JobWorkflowRef the builder is the generator's own
// reusable workflow at v2.1.0; [SLSAGenerator] gives claims to match.
func ProvenanceV02(claims WorkflowClaims) map[string]any {
	c := SLSAGenerator(claims).WithDefaults()
	source := "git+" + c.repositoryURI() + "@" + c.Ref
	digest := map[string]string{"sha1": c.SHA}
	return map[string]any{
		"builder":   map[string]any{"id": githubServer + "/" + c.JobWorkflowRef},
		"buildType": "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
		"invocation": map[string]any{
			"configSource": map[string]any{
				"uri":        source,
				"digest":     digest,
				"entryPoint": c.Workflow,
			},
			"parameters": map[string]any{},
			"environment": map[string]any{
				"github_actor":               "octocat",
				"github_actor_id":            "583231",
				"github_base_ref":            "",
				"github_event_name":          c.Trigger,
				"github_event_payload":       map[string]any{"ref": c.Ref, "after": c.SHA},
				"github_head_ref":            "",
				"github_ref":                 c.Ref,
				"github_ref_type":            refType(c.Ref),
				"github_repository_id":       c.RepositoryID,
				"github_repository_owner":    c.owner(),
				"github_repository_owner_id": c.OwnerID,
				"github_run_attempt":         c.RunAttempt,
				"github_run_id":              c.RunID,
				"github_run_number":          "91",
				"github_sha1":                c.SHA,
			},
		},
		"metadata": map[string]any{
			"buildInvocationID": c.RunID + "-" + c.RunAttempt,
			"completeness":      map[string]any{"parameters": true, "environment": false, "materials": false},
			"reproducible":      false,
		},
		"materials": []any{map[string]any{"uri": source, "digest": digest}},
	}
}

// SLSAGenerator returns the claims of a job that the generic SLSA generator
// v2.1.0 runs, unless they name another reusable workflow.
func SLSAGenerator(claims WorkflowClaims) WorkflowClaims {
	if claims.JobWorkflowRef == "" {
		claims.JobWorkflowRef = "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"
		claims.JobWorkflowSHA = "f7dd8c54c2067bafc12ca7a55595d5ee9b75204a"
	}
	return claims
}

// refType is the claim ref_type, "branch" or "tag".
func refType(ref string) string {
	if strings.HasPrefix(ref, "refs/tags/") {
		return "tag"
	}
	return "branch"
}
