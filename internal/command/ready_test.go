package command_test

import (
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// readyBundles is what the transcripts of the ready-made layouts need beside the
// other bundles of the world.
func readyBundles() []namedRequest {
	type request = attestationtest.SignRequest
	person := attestationtest.Person

	word := func(step, id string) []byte {
		return attestationtest.CommitLink(step, attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: id})
	}
	job := func(workflow string) attestationtest.WorkflowClaims {
		return attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit, Workflow: ".github/workflows/" + workflow}
	}
	about := func(predicateType string, predicate any, names ...string) []byte {
		var subjects []attestationtest.Subject
		for _, name := range names {
			subjects = append(subjects, attestationtest.File(name, []byte(name+"\n")))
		}
		return attestationtest.Statement(subjects, predicateType, predicate)
	}
	const provenanceV1 = "https://slsa.dev/provenance/v1"
	const vulns, spdx = "https://in-toto.io/attestation/vulns/v0.2", "https://spdx.dev/Document"
	scanned := map[string]any{
		"scanner":  map[string]any{"uri": "https://scanner.example/v4", "version": "4.2.0", "result": []any{}},
		"metadata": map[string]any{"scanStartedOn": "2026-01-15T11:58:00Z", "scanFinishedOn": "2026-01-15T11:59:00Z"},
	}
	central := job("release.yml")
	central.JobWorkflowRef = "acme/security/.github/workflows/scan.yml@refs/heads/main"
	bill := map[string]any{"spdxVersion": "SPDX-2.3", "packages": []any{}}
	reused := job("release.yml")
	reused.JobWorkflowSHA = "5194da7a5519be7a604132c9f0d8e7b6a5948372"
	reused.JobWorkflowRef = "signatus-dev/signatus/.github/workflows/build-and-attest.yml@" + reused.JobWorkflowSHA
	tagged := attestationtest.WorkflowClaims{
		Repository: "signatus-dev/signatus", RepositoryID: "1017", SHA: commit, Ref: "refs/tags/v1.2.3",
		JobWorkflowRef: "signatus-dev/signatus/.github/workflows/build-and-attest.yml@refs/tags/v1.2.3",
	}
	cyclone := map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []any{}}
	return []namedRequest{
		{"review-alice", request{As: person("alice@example.com", login), Payload: word("review", commit)}},
		{"review-bob", request{As: person("bob@example.com", login), Payload: word("review", commit)}},
		{"review-carol", request{As: person("carol@example.com", login), Payload: word("review", commit)}},
		{"review-carol-of-other-commit", request{As: person("carol@example.com", login), Payload: word("review", otherCommit)}},

		{"cli", request{As: attestationtest.Workflow(job("release-cli.yml")), Payload: about(provenanceV1, attestationtest.Provenance(job("release-cli.yml")), "cli-linux-amd64")}},
		{"server", request{As: attestationtest.Workflow(job("release-server.yml")), Payload: about(provenanceV1, attestationtest.Provenance(job("release-server.yml")), "server-linux-amd64")}},
		{"cli-by-server", request{As: attestationtest.Workflow(job("release-server.yml")), Payload: about(provenanceV1, attestationtest.Provenance(job("release-server.yml")), "cli-linux-amd64")}},

		{"tool", request{As: attestationtest.Workflow(job("release.yml")), Payload: about(provenanceV1, attestationtest.Provenance(job("release.yml")), "tool")}},
		{"scan", request{As: attestationtest.Workflow(job("scan.yml")), Payload: about(vulns, scanned, "tool")}},
		{"scan-of-other-file", request{As: attestationtest.Workflow(job("scan.yml")), Payload: about(vulns, scanned, "something-clean")}},
		{"bill", request{As: attestationtest.Workflow(job("release.yml")), Payload: about(spdx, bill, "tool")}},

		{"grace", request{As: person("grace@acme.example", "https://accounts.google.com"), Payload: word("author", commit)}},
		{"oscar", request{As: person("oscar@outside.example", login), Payload: word("author", commit)}},
		{"central-scan", request{As: attestationtest.Workflow(central), Payload: about(vulns, scanned, "tool")}},

		{"by-build-and-attest", request{As: attestationtest.Workflow(reused), Payload: about(provenanceV1, attestationtest.Provenance(reused), "tool")}},

		{"release-author", request{As: person("alice@example.com", login), Payload: ownWord()}},
		{"release-built", request{As: attestationtest.Workflow(tagged), Payload: about(provenanceV1, attestationtest.Provenance(tagged), "signatus-v1.2.3-linux-amd64", "SHA256SUMS")}},
		{"release-bill", request{As: attestationtest.Workflow(tagged), Payload: about("https://cyclonedx.org/bom", cyclone, "signatus-v1.2.3-linux-amd64", "SHA256SUMS")}},
	}
}

// ownWord is an author's on the commit of a release of Signatus.
func ownWord() []byte {
	return attestationtest.CommitLink("author", attestationtest.Commit{Repository: "github.com/signatus-dev/signatus", Ref: "refs/tags/v1.2.3", ID: commit})
}
