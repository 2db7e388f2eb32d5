package provenance

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/identity"
)

// maxClaimBytes bounds a claim.
const maxClaimBytes = 4 << 10

// Claims are what GitHub Actions says of a job in its OIDC token. They are read
// here and not verified: Fulcio verifies the token's signature and certifies the
// claims, and [Claims.CheckCertificate] holds the two together. Until then they
// are whatever the bearer of the token says.
//
// sub is not among them. It has two forms, that an organisation can rewrite
// further; the numeric ids below say the same and do not change.
//
// Source: https://docs.github.com/en/actions/reference/security/oidc
type Claims struct {
	Issuer            string `json:"iss"`
	Ref               string `json:"ref"`                 // refs/heads/main
	SHA               string `json:"sha"`                 // 40 or 64 hex digits
	Repository        string `json:"repository"`          // acme/app
	EventName         string `json:"event_name"`          // push
	JobWorkflowRef    string `json:"job_workflow_ref"`    // acme/builder/.github/workflows/build.yml@refs/tags/v1
	WorkflowRef       string `json:"workflow_ref"`        // acme/app/.github/workflows/release.yml@refs/heads/main
	RepositoryID      string `json:"repository_id"`       // decimal digits, as the other ids
	OwnerID           string `json:"repository_owner_id"` //
	RunnerEnvironment string `json:"runner_environment"`  // github-hosted, self-hosted
	RunID             string `json:"run_id"`
	RunAttempt        string `json:"run_attempt"`

	// The rest may be empty: GitHub added them with time, and not every server
	// has them.
	Owner          string `json:"repository_owner"`
	Visibility     string `json:"repository_visibility"` // public, private, internal
	JobWorkflowSHA string `json:"job_workflow_sha"`
	WorkflowSHA    string `json:"workflow_sha"`
	WorkflowName   string `json:"workflow"`
	Environment    string `json:"environment"`
	ActorID        string `json:"actor_id"`

	Audience identity.Audience    `json:"aud"`
	Expires  identity.NumericDate `json:"exp"`
}

// claim is one claim of a token that is text.
type claim struct {
	name, value string
	required    bool
	digits      bool
}

func (c *Claims) all() []claim {
	return []claim{
		{name: "iss", value: c.Issuer, required: true},
		{name: "ref", value: c.Ref, required: true},
		{name: "sha", value: c.SHA, required: true},
		{name: "repository", value: c.Repository, required: true},
		{name: "event_name", value: c.EventName, required: true},
		{name: "job_workflow_ref", value: c.JobWorkflowRef, required: true},
		{name: "workflow_ref", value: c.WorkflowRef, required: true},
		{name: "repository_id", value: c.RepositoryID, required: true, digits: true},
		{name: "repository_owner_id", value: c.OwnerID, required: true, digits: true},
		{name: "runner_environment", value: c.RunnerEnvironment, required: true},
		{name: "run_id", value: c.RunID, required: true, digits: true},
		{name: "run_attempt", value: c.RunAttempt, required: true, digits: true},
		{name: "repository_owner", value: c.Owner},
		{name: "repository_visibility", value: c.Visibility},
		{name: "job_workflow_sha", value: c.JobWorkflowSHA},
		{name: "workflow_sha", value: c.WorkflowSHA},
		{name: "workflow", value: c.WorkflowName},
		{name: "environment", value: c.Environment},
		{name: "actor_id", value: c.ActorID, digits: true},
	}
}

// ReadClaims reads the claims of a token, a JWT of at most 64 KiB. It looks at
// neither its header nor its signature. No error holds a part of the token.
func ReadClaims(token identity.Token) (Claims, error) {
	payload, err := token.Payload()
	if err != nil {
		return Claims{}, fmt.Errorf("reading identity token: %w", err)
	}
	return ParseClaims(payload)
}

// ParseClaims reads a token's payload: one JSON object without duplicate keys.
// Claims that it does not know are passed over, as those are that GitHub adds.
func ParseClaims(payload []byte) (Claims, error) {
	if len(payload) > identity.MaxTokenBytes {
		return Claims{}, fmt.Errorf("reading the token's claims: %d bytes, at most %d are read", len(payload), identity.MaxTokenBytes)
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return Claims{}, fmt.Errorf("reading the token's claims: %w", err)
	}
	if err := c.check(); err != nil {
		return Claims{}, fmt.Errorf("reading the token's claims: %w", err)
	}
	return c, nil
}

// check refuses claims that are missing, or of another form than GitHub's: what
// is put together from them must not say something else.
func (c *Claims) check() error {
	for _, claim := range c.all() {
		switch {
		case claim.required && claim.value == "":
			return fmt.Errorf("claim %s is missing: expected a token of GitHub Actions", claim.name)
		case len(claim.value) > maxClaimBytes:
			return fmt.Errorf("claim %s has %d bytes, at most %d are read", claim.name, len(claim.value), maxClaimBytes)
		case strings.ContainsFunc(claim.value, unicode.IsControl):
			return fmt.Errorf("claim %s holds a control character", claim.name)
		case claim.digits && strings.Trim(claim.value, "0123456789") != "":
			return fmt.Errorf("claim %s is %q, expected decimal digits", claim.name, claim.value)
		}
	}
	for _, id := range []claim{{name: "sha", value: c.SHA}, {name: "job_workflow_sha", value: c.JobWorkflowSHA}, {name: "workflow_sha", value: c.WorkflowSHA}} {
		if id.value != "" && !gitobject.ValidID(id.value) {
			return fmt.Errorf("claim %s is %.80q, expected 40 or 64 lower-case hex digits", id.name, id.value)
		}
	}
	if _, err := c.ServerURL(); err != nil {
		return err
	}
	if owner, name, _ := strings.Cut(c.Repository, "/"); !isName(owner) || !isName(name) {
		return fmt.Errorf("claim repository is %q, expected owner/name", c.Repository)
	}
	if !strings.HasPrefix(c.Ref, "refs/") {
		return fmt.Errorf("claim ref is %q, expected refs/…", c.Ref)
	}
	for _, workflow := range []claim{{name: "workflow_ref", value: c.WorkflowRef}, {name: "job_workflow_ref", value: c.JobWorkflowRef}} {
		path, ref, _ := strings.Cut(workflow.value, "@")
		if strings.Count(path, "/") < 2 || ref == "" {
			return fmt.Errorf("claim %s is %q, expected owner/name/path@ref", workflow.name, workflow.value)
		}
	}
	return nil
}

// isName tells whether s can be an owner or a repository: letters, digits, "-",
// "_" and ".", and neither "." nor "..".
func isName(s string) bool {
	return strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	})
}

// Public reports whether the token says that the repository is public. A token
// that does not say so is not for a public one.
func (c *Claims) Public() bool { return c.Visibility == "public" }

// ServerURL is the server of the token's issuer:
//
//	https://token.actions.githubusercontent.com[/ENTERPRISE]  https://github.com
//	https://token.actions.SUB.ghe.com[/ENTERPRISE]            https://SUB.ghe.com
//	https://HOST/_services/token                              https://HOST
//
// The issuer is compared as a whole, and not by its beginning:
// https://token.actions.githubusercontent.com.evil.example is another server.
func (c *Claims) ServerURL() (string, error) {
	refuse := fmt.Errorf("claim iss is %q, expected the issuer of GitHub Actions on github.com, ghe.com or an enterprise server", c.Issuer)
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Scheme != "https" || !isName(issuer.Hostname()) || issuer.String() != c.Issuer ||
		issuer.User != nil || issuer.RawQuery != "" || issuer.ForceQuery || issuer.Fragment != "" {
		return "", refuse
	}
	if issuer.Path == "/_services/token" {
		return "https://" + issuer.Host, nil
	}
	if enterprise, given := strings.CutPrefix(issuer.EscapedPath(), "/"); given && !isName(enterprise) {
		return "", refuse
	}
	if issuer.Host == "token.actions.githubusercontent.com" {
		return "https://github.com", nil
	}
	tenant, ok := strings.CutPrefix(issuer.Host, "token.actions.")
	if sub, ghe := strings.CutSuffix(tenant, ".ghe.com"); ok && ghe && isName(sub) && !strings.Contains(sub, ".") {
		return "https://" + tenant, nil
	}
	return "", refuse
}

// workflowPath is the path of the top-level workflow in its repository.
//
// "github.workflow_ref, removing the prefix github.repository + "/" and the
// suffix "@" + github.ref. Take care to consider that the path and/or ref MAY
// contain @ symbols." (community buildType, workflow.path)
func (c *Claims) workflowPath() (string, error) {
	path, ok := strings.CutPrefix(c.WorkflowRef, c.Repository+"/")
	if !ok {
		return "", fmt.Errorf("the workflow %s is not of the repository %s, and provenance describes workflows of the repository that is built: have the repository call it as a reusable workflow", c.WorkflowRef, c.Repository)
	}
	if before, ok := strings.CutSuffix(path, "@"+c.Ref); ok {
		return before, nil
	}
	path, _, _ = strings.Cut(path, "@")
	return path, nil
}
