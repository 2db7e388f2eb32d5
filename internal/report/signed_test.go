package report_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signedDocuments are what attest reports, by name.
func signedDocuments() map[string]report.Signed {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	digest := artifact.DigestSet{artifact.SHA256: strings.Repeat("a", 64)}
	workflow := identity.Signer{
		SAN: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main", SANKind: identity.URI, Issuer: identity.GitHubActionsIssuer,
	}
	logged := []report.LogEntry{{Log: "https://rekor.sigstore.dev", Index: 4711}}
	times := []verdict.Time{{Instant: at, By: "https://timestamp.sigstore.dev/api/v1/timestamp", Kind: "timestamp authority"}, {Instant: at.Add(time.Second), By: "https://rekor.sigstore.dev", Kind: "transparency log"}}
	many := report.SignedBundle{Path: "dist/attestation.sigstore.jsonl", PredicateType: "https://cyclonedx.org/bom", Signer: workflow, Root: "sigstore", Times: times, Entries: logged, Verify: "signatus verify dist/a"}
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		many.Subjects = append(many.Subjects, report.Subject{Name: name, Digest: digest})
	}
	return map[string]report.Signed{
		"provenance": {
			Tool: "v1.0.0", At: at, Layout: "release.yml",
			Bundles: []*report.SignedBundle{{
				Path: "dist/app.sigstore.jsonl", PredicateType: "https://slsa.dev/provenance/v1",
				Subjects: []report.Subject{{Name: "app", Digest: digest}}, Signer: workflow, Root: "sigstore", Times: times, Entries: logged,
				Fields: []report.Field{
					{Pointer: "/buildDefinition/externalParameters/workflow/ref", Value: "refs/heads/main", Proof: "sourceRepositoryRef (.14)"},
					{Pointer: "/runDetails/builder/id", Value: workflow.SAN, Proof: "buildSignerURI (.9)"},
					{Pointer: "/runDetails/metadata/startedOn", Value: "2026-11-20T09:59:00Z", Origin: "the runner's clock"},
				},
				Verify: "signatus verify dist/app --certificate-identity …",
			}},
		},
		"commit": {
			Tool: "v1.0.0", At: at, Instance: report.Instance{Name: "public-good", Reason: "a person signs"}, Notes: []string{"the repository is https://github.com/acme/app, as its remote origin says; --repo names another"},
			Bundles: []*report.SignedBundle{{
				Path: "commit-3f2a.sigstore.json", PredicateType: "https://in-toto.io/attestation/link/v0.3", Step: "author",
				Subjects: []report.Subject{{
					Name: "git+https://github.com/acme/app", URI: "git+https://github.com/acme/app@refs/heads/main",
					Digest: artifact.DigestSet{artifact.GitCommit: strings.Repeat("3", 40), artifact.GitTree: strings.Repeat("4", 40)},
				}},
				Signer: identity.Signer{SAN: "alice@example.com", SANKind: identity.Email, Issuer: "https://github.com/login/oauth"}, Root: "sigstore", Times: times, Entries: logged,
			}},
		},
		"key": {
			Tool: "v1.0.0", At: at, Loosenings: []string{"--allow-other-head"}, Warnings: []string{"no trusted root was refreshed"},
			Bundles: []*report.SignedBundle{{
				Path: "x.json", PredicateType: "https://example.com/x", Subjects: []report.Subject{{Name: "x", Digest: digest}},
				Signer: identity.Signer{Key: "sha256:" + strings.Repeat("b", 64)},
			}},
		},
		"several": {Tool: "v1.0.0", At: at, Bundles: []*report.SignedBundle{&many, &many}, Stored: stored()},
	}
}

// stored is a bundle in every kind of place, and another one in more images than are
// shown, and not at GitHub.
func stored() []report.Stored {
	const image = "ghcr.io/acme/app@sha256:"
	all := []report.Stored{
		{Sink: "file", Where: "dist/attestation.sigstore.jsonl"}, {Sink: "dir", Where: "out/bom.aaaaaaaaaaaa.sigstore.json", Already: true}, {Sink: "notes", Where: "refs/notes/attestations"},
		{Sink: "oci", Where: image + strings.Repeat("a", 64), ID: "sha256:" + strings.Repeat("c", 64)},
		{Sink: "release", Where: "attestation.sigstore.json in the release v1.2.0 of github.com/acme/app", ID: "12", URL: "https://github.com/acme/app/releases/tag/v1.2.0", Already: true},
		{Sink: "github", Where: "attestation 4711 of github.com/acme/app", ID: "4711", URL: "https://github.com/acme/app/attestations/4711"},
		{Bundle: 1, Sink: "file", Where: "dist/attestation.sigstore.jsonl"},
	}
	for _, digit := range "0123456789abc" {
		all = append(all, report.Stored{Bundle: 1, Sink: "oci", Where: image + strings.Repeat(string(digit), 64), ID: "sha256:" + strings.Repeat("d", 64)})
	}
	return append(all, report.Stored{
		Bundle: 1, Sink: "github", Where: "attestations of github.com/acme/app",
		Error: `storing an attestation of acme/app: api.github.com answers 403 Forbidden: "Resource not accessible by integration"`, Next: "add this line to the job in the workflow",
	})
}

func signedText(t *testing.T, d report.Signed, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.SignedText(&b, d, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func signedJSON(t *testing.T, d report.Signed) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.SignedJSON(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSignedGolden(t *testing.T) {
	t.Parallel()
	schema := signedSchema(t)
	for name, d := range signedDocuments() {
		golden(t, "signed/"+name+".txt", signedText(t, d, report.Options{}))
		golden(t, "signed/"+name+".verbose.color.txt", signedText(t, d, report.Options{Verbose: true, Color: true}))
		text := signedJSON(t, d)
		golden(t, "signed/"+name+".json", text)
		if err := schema.Validate(parse(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := schema.Validate(parse(t, signedJSON(t, report.Signed{}))); err == nil {
		t.Error("the schema takes a report of nothing")
	}
}

func signedSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../../docs/signed.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(report.SignedSchema, parse(t, string(text))); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(report.SignedSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Names, answers of services and signers come from outside.
func TestSignedHostile(t *testing.T) {
	t.Parallel()
	const evil = "a\nsigned: b\x1b[2J\u202e"
	d := report.Signed{
		Notes: []string{evil}, Warnings: []string{evil}, Layout: evil, Loosenings: []string{evil}, Instance: report.Instance{Name: evil, Reason: evil},
		Stored: []report.Stored{{Sink: evil, Where: evil, ID: evil, URL: evil}, {Sink: evil, Where: evil, Error: evil, Next: evil}},
		Bundles: []*report.SignedBundle{{
			Path: evil, PredicateType: evil, Step: evil, Root: evil, Verify: evil, Subjects: []report.Subject{{Name: evil, URI: evil}, {Name: evil}},
			Signer: identity.Signer{SAN: evil, Issuer: evil}, Entries: []report.LogEntry{{Log: evil}}, Times: []verdict.Time{{By: evil, Instant: time.Unix(1, 0)}},
			Fields: []report.Field{{Pointer: evil, Value: evil, Origin: evil}, {Pointer: evil, Value: evil, Proof: evil}},
		}},
	}
	for _, text := range []string{signedText(t, d, report.Options{Verbose: true}), signedJSON(t, d)} {
		if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\nsigned: b") {
			t.Errorf("it gets through: %q", text)
		}
	}
}

// In a runner of GitHub Actions, no line of a report is a command.
func TestNoWorkflowCommands(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{"::error::x", "  ::add-mask::x", "x ##[error]y"} {
		evidence := []verdict.Evidence{{Source: evil, Reason: &verdict.Finding{Found: evil}}}
		d := report.Document{Warnings: []string{evil}, Verdicts: []verdict.Verdict{{Artifact: artifact.Artifact{Given: evil}, Evidence: evidence, Notes: []string{evil}}}}
		for name, got := range map[string]string{
			"text": text(t, d, report.Options{Verbose: true}), "JSON": jsonText(t, d),
			"signed": signedText(t, report.Signed{Notes: []string{evil}, Bundles: []*report.SignedBundle{{Path: evil, Fields: []report.Field{{Pointer: "/" + evil, Value: evil}}}}}, report.Options{}),
		} {
			for line := range strings.Lines(got) {
				if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
					t.Errorf("%s, %q: %q", name, evil, line)
				}
			}
		}
	}
}

// A report that nobody can read is an error.
func TestSignedUnwritable(t *testing.T) {
	t.Parallel()
	full, d := errors.New("the disk is full"), signedDocuments()["key"]
	if err := report.SignedText(failing{full}, d, report.Options{}); !errors.Is(err, full) {
		t.Errorf("as text: %v", err)
	}
	if err := report.SignedJSON(failing{full}, d); !errors.Is(err, full) {
		t.Errorf("as JSON: %v", err)
	}
}
