package attestationtest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wantJSON fails the test unless got is the same JSON value as want.
func wantJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var gotValue, wantValue any
	if err := json.Unmarshal(got, &gotValue); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wantValue); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantValue, gotValue); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProvenance(t *testing.T) {
	t.Parallel()
	got := Statement([]Subject{File("app", []byte(artifact))}, "https://slsa.dev/provenance/v1", Provenance(WorkflowClaims{}))
	wantJSON(t, got, `{
		"_type": "https://in-toto.io/Statement/v1",
		"subject": [{"name": "app", "digest": {"sha256": "03473f89a784c14707308b73a324b887c10627dc400d8f62fd37a74d66b12438"}}],
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": {
			"buildDefinition": {
				"buildType": "https://actions.github.io/buildtypes/workflow/v1",
				"externalParameters": {"workflow": {
					"ref": "refs/heads/main",
					"repository": "https://github.com/acme/app",
					"path": ".github/workflows/release.yml"
				}},
				"internalParameters": {"github": {
					"event_name": "push",
					"repository_id": "728493015",
					"repository_owner_id": "98120477",
					"runner_environment": "github-hosted"
				}},
				"resolvedDependencies": [{
					"uri": "git+https://github.com/acme/app@refs/heads/main",
					"digest": {"gitCommit": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"}
				}]
			},
			"runDetails": {
				"builder": {"id": "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"},
				"metadata": {"invocationId": "https://github.com/acme/app/actions/runs/8373487125/attempts/1"}
			}
		}
	}`)
}

func TestProvenanceV02(t *testing.T) {
	t.Parallel()
	got := StatementV01([]Subject{}, "https://slsa.dev/provenance/v0.2", ProvenanceV02(WorkflowClaims{Ref: "refs/tags/v1"}))
	wantJSON(t, got, `{
		"_type": "https://in-toto.io/Statement/v0.1",
		"subject": [],
		"predicateType": "https://slsa.dev/provenance/v0.2",
		"predicate": {
			"builder": {"id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"},
			"buildType": "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
			"invocation": {
				"configSource": {
					"uri": "git+https://github.com/acme/app@refs/tags/v1",
					"digest": {"sha1": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"},
					"entryPoint": ".github/workflows/release.yml"
				},
				"parameters": {},
				"environment": {
					"github_actor": "octocat",
					"github_actor_id": "583231",
					"github_base_ref": "",
					"github_event_name": "push",
					"github_event_payload": {"ref": "refs/tags/v1", "after": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"},
					"github_head_ref": "",
					"github_ref": "refs/tags/v1",
					"github_ref_type": "tag",
					"github_repository_id": "728493015",
					"github_repository_owner": "acme",
					"github_repository_owner_id": "98120477",
					"github_run_attempt": "1",
					"github_run_id": "8373487125",
					"github_run_number": "91",
					"github_sha1": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
				}
			},
			"metadata": {
				"buildInvocationID": "8373487125-1",
				"completeness": {"parameters": true, "environment": false, "materials": false},
				"reproducible": false
			},
			"materials": [{
				"uri": "git+https://github.com/acme/app@refs/tags/v1",
				"digest": {"sha1": "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"}
			}]
		}
	}`)
}

// The provenance and the certificate of one run do not contradict each other.
func TestProvenanceAgreesWithCertificate(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]WorkflowClaims{
		"plain":     {},
		"reusable":  {JobWorkflowRef: "acme/builder/.github/workflows/build.yml@refs/tags/v1"},
		"generator": SLSAGenerator(WorkflowClaims{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signer := Workflow(claims).Extensions["buildSignerURI"]
			v1 := Provenance(claims)["runDetails"].(map[string]any)["builder"].(map[string]any)["id"]
			if v1 != signer {
				t.Errorf("v1 builder is %v, certificate's is %s", v1, signer)
			}
			v02 := ProvenanceV02(claims)["builder"].(map[string]any)["id"]
			if name != "plain" && v02 != signer {
				t.Errorf("v0.2 builder is %v, certificate's is %s", v02, signer)
			}
		})
	}
}

func TestCommitLink(t *testing.T) {
	t.Parallel()
	commit := Commit{Repository: "github.com/acme/app", Ref: "refs/heads/main", ID: "1111", Tree: "2222"}
	wantJSON(t, CommitLink("author", commit), `{
		"_type": "https://in-toto.io/Statement/v1",
		"subject": [{
			"name": "git+https://github.com/acme/app",
			"uri": "git+https://github.com/acme/app@refs/heads/main",
			"digest": {"gitCommit": "1111", "gitTree": "2222"}
		}],
		"predicateType": "https://in-toto.io/attestation/link/v0.3",
		"predicate": {"name": "author", "command": [], "materials": [], "byproducts": {}, "environment": {}}
	}`)
}
