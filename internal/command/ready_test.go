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
	}
}
