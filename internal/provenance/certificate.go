package provenance

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
)

// certified is what Fulcio makes of one claim, or of a few.
// Source: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
type certified struct {
	claim     string // the claims that it is made of
	extension identity.Extension
	arc       int    // the last number of its object identifier
	value     string // what the extension must hold
}

// certified lists .8 to .22 and .23 for these claims.
func (c *Claims) certified(server string) []certified {
	repository := server + "/" + c.Repository
	uri := func(path string) string {
		if path == "" {
			return ""
		}
		return server + "/" + path
	}
	owner, _, _ := strings.Cut(c.Repository, "/")
	return []certified{
		{"iss", identity.Issuer, 8, c.Issuer},
		{"job_workflow_ref", identity.BuildSignerURI, 9, uri(c.JobWorkflowRef)},
		{"job_workflow_sha", identity.BuildSignerDigest, 10, c.JobWorkflowSHA},
		{"runner_environment", identity.RunnerEnvironment, 11, c.RunnerEnvironment},
		{"repository", identity.SourceRepositoryURI, 12, repository},
		{"sha", identity.SourceRepositoryDigest, 13, c.SHA},
		{"ref", identity.SourceRepositoryRef, 14, c.Ref},
		{"repository_id", identity.SourceRepositoryIdentifier, 15, c.RepositoryID},
		{"repository_owner", identity.SourceRepositoryOwnerURI, 16, uri(first(c.Owner, owner))},
		{"repository_owner_id", identity.SourceRepositoryOwnerIdentifier, 17, c.OwnerID},
		{"workflow_ref", identity.BuildConfigURI, 18, uri(c.WorkflowRef)},
		{"workflow_sha", identity.BuildConfigDigest, 19, c.WorkflowSHA},
		{"event_name", identity.BuildTrigger, 20, c.EventName},
		{"run_id and run_attempt", identity.RunInvocationURI, 21, c.runURI(server)},
		{"repository_visibility", identity.SourceRepositoryVisibilityAtSigning, 22, c.Visibility},
	}
}

// older lists the extensions that Fulcio still writes for older readers, and
// .23, which not every instance writes. They are compared where they are there.
func (c *Claims) older() []certified {
	return []certified{
		{"event_name", identity.GitHubWorkflowTrigger, 2, c.EventName},
		{"sha", identity.GitHubWorkflowSHA, 3, c.SHA},
		{"workflow", identity.GitHubWorkflowName, 4, c.WorkflowName},
		{"repository", identity.GitHubWorkflowRepository, 5, c.Repository},
		{"ref", identity.GitHubWorkflowRef, 6, c.Ref},
		{"environment", identity.DeploymentEnvironment, 23, c.Environment},
	}
}

// runURI is one attempt of the run.
func (c *Claims) runURI(server string) string {
	return server + "/" + c.Repository + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt
}

// Mismatch is a claim that a certificate does not repeat.
type Mismatch struct {
	Claim     string // for example job_workflow_ref
	Extension string // for example buildSignerURI (.9); for the SAN its name
	Claimed   string // what the certificate should hold
	Certified string // what it holds; empty for nothing
}

// String names both sides.
func (m Mismatch) String() string {
	return fmt.Sprintf("claim %s asks for %s %q, the certificate has %q", m.Claim, m.Extension, m.Claimed, m.Certified)
}

// MismatchError says that a certificate was issued for another job than the
// token's. Nothing may be signed with it.
type MismatchError struct {
	Mismatches []Mismatch // at least one
}

func (e *MismatchError) Error() string {
	var all []string
	for _, m := range e.Mismatches {
		all = append(all, m.String())
	}
	return "checking the certificate against the token's claims: " + strings.Join(all, "; ")
}

// asURI writes a name as a certificate's SAN has it: where a branch has a name with
// other letters, percent-encoded. The extensions have it as it is.
func asURI(name string) string {
	parsed, err := url.Parse(name)
	if err != nil {
		return name
	}
	return parsed.String()
}

// CheckCertificate demands that a certificate says of the job what the token's
// claims say: its only name is the workflow's, and each extension .8 to .22 holds
// its claim. One that is absent does not. The error is a *[MismatchError].
//
// A claim that the token does not have must not be in the certificate either.
func (c *Claims) CheckCertificate(signer identity.Signer) error {
	server, err := c.ServerURL()
	if err != nil {
		return err
	}
	var found []Mismatch
	if name := asURI(server + "/" + c.JobWorkflowRef); signer.SAN != name || signer.SANKind != identity.URI {
		found = append(found, Mismatch{"job_workflow_ref", "the URI in its SAN", name, signer.SAN})
	}
	if signer.Issuer != c.Issuer {
		found = append(found, Mismatch{"iss", "the issuer", c.Issuer, signer.Issuer})
	}
	compare := func(want certified) {
		if has := signer.Extensions[want.extension]; has != want.value {
			found = append(found, Mismatch{want.claim, fmt.Sprintf("%s (.%d)", want.extension, want.arc), want.value, has})
		}
	}
	for _, want := range c.certified(server) {
		compare(want)
	}
	for _, want := range c.older() {
		if _, there := signer.Extensions[want.extension]; there {
			compare(want)
		}
	}
	if found != nil {
		return &MismatchError{Mismatches: found}
	}
	return nil
}
