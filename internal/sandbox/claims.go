package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// GitHubIssuer is the issuer of GitHub Actions' tokens. An enterprise's has a
// slash and its slug behind it.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// ClaimNames returns the claims of a GitHub Actions token that can be set;
// besides these, every repo_property_*. Those of exp, iat and nbf are Unix
// times.
func ClaimNames() []string {
	return []string{
		"actor", "actor_id", "aud", "base_ref", "check_run_id", "enterprise", "enterprise_id",
		"environment", "environment_node_id", "event_name", "exp", "head_ref", "iat", "iss",
		"job_workflow_ref", "job_workflow_sha", "jti", "nbf", "ref", "ref_protected", "ref_type",
		"repository", "repository_id", "repository_owner", "repository_owner_id",
		"repository_visibility", "run_attempt", "run_id", "run_number", "runner_environment",
		"sha", "sub", "workflow", "workflow_ref", "workflow_sha",
	}
}

func checkGitHubClaims(changes claimChanges) error {
	for name := range changes.names() {
		if !slices.Contains(ClaimNames(), name) && !strings.HasPrefix(name, "repo_property_") {
			return fmt.Errorf("setting claim: GitHub's tokens have no claim %q, expected one of %s",
				name, strings.Join(ClaimNames(), ", "))
		}
	}
	return nil
}

// claimChanges are what a token has differently from the default.
type claimChanges struct {
	claims  map[string]string
	without []string
}

// then returns both changes, of which the later ones win.
func (c claimChanges) then(later claimChanges) claimChanges {
	both := claimChanges{claims: maps.Clone(c.claims)}
	if both.claims == nil {
		both.claims = make(map[string]string)
	}
	maps.Copy(both.claims, later.claims)
	for _, name := range c.without {
		if _, set := later.claims[name]; !set {
			both.without = append(both.without, name)
		}
	}
	both.without = append(both.without, later.without...)
	return both
}

// names yields each claim that is changed.
func (c claimChanges) names() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range c.claims {
			if !yield(name) {
				return
			}
		}
		for _, name := range c.without {
			if !yield(name) {
				return
			}
		}
	}
}

// apply makes the changes to a token's claims.
func (c claimChanges) apply(claims map[string]any) error {
	for name, value := range c.claims {
		typed, err := typedClaim(name, value)
		if err != nil {
			return err
		}
		claims[name] = typed
	}
	for _, name := range c.without {
		delete(claims, name)
	}
	return nil
}

// typedClaim returns the value in the type that providers give it: times are
// numbers, email_verified is a boolean, all else is a string.
func typedClaim(name, value string) (any, error) {
	switch name {
	case "exp", "iat", "nbf":
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("setting claim %s: %q is no Unix time", name, value)
		}
		return seconds, nil
	case "email_verified":
		verified, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("setting claim %s: %q is neither true nor false", name, value)
		}
		return verified, nil
	default:
		return value, nil
	}
}

// workflowClaims are the claims of one job of a workflow.
type workflowClaims struct {
	set       claimChanges
	immutable bool
}

// values returns the job's claims but those of the token itself (aud, exp,
// iat, nbf, jti). They include iss and sub.
func (w workflowClaims) values() map[string]string {
	base := attestationtest.WorkflowClaims{}.WithDefaults()
	values := map[string]string{
		"actor":                 "alice",
		"actor_id":              "1847302",
		"base_ref":              "",
		"check_run_id":          "23052417412",
		"event_name":            base.Trigger,
		"head_ref":              "",
		"iss":                   GitHubIssuer,
		"ref":                   base.Ref,
		"ref_protected":         "true",
		"repository":            base.Repository,
		"repository_id":         base.RepositoryID,
		"repository_owner_id":   base.OwnerID,
		"repository_visibility": base.Visibility,
		"run_attempt":           base.RunAttempt,
		"run_id":                base.RunID,
		"run_number":            "42",
		"runner_environment":    base.RunnerEnvironment,
		"sha":                   base.SHA,
		"workflow":              base.WorkflowName,
	}
	maps.Copy(values, w.set.claims)
	derive := func(name, value string) {
		if _, ok := values[name]; !ok {
			values[name] = value
		}
	}
	owner, _, _ := strings.Cut(values["repository"], "/")
	derive("repository_owner", owner)
	derive("workflow_ref", values["repository"]+"/"+base.Workflow+"@"+values["ref"])
	derive("workflow_sha", values["sha"])
	derive("job_workflow_ref", values["workflow_ref"])
	derive("job_workflow_sha", values["workflow_sha"])
	derive("ref_type", refType(values["ref"]))
	derive("sub", w.subject(values))
	for _, name := range w.set.without {
		delete(values, name)
	}
	return values
}

// refType is "branch" for everything but tags, pull requests' refs included.
func refType(ref string) string {
	if strings.HasPrefix(ref, "refs/tags/") {
		return "tag"
	}
	return "branch"
}

// subject is sub in one of GitHub's two forms.
func (w workflowClaims) subject(values map[string]string) string {
	repository := values["repository"]
	if w.immutable {
		owner, name, _ := strings.Cut(repository, "/")
		repository = owner + "@" + values["repository_owner_id"] + "/" + name + "@" + values["repository_id"]
	}
	switch environment, ok := values["environment"]; {
	case ok:
		return "repo:" + repository + ":environment:" + environment
	case values["event_name"] == "pull_request":
		return "repo:" + repository + ":pull_request"
	default:
		return "repo:" + repository + ":ref:" + values["ref"]
	}
}

// token returns all claims of a token that is issued now.
func (w workflowClaims) token(audience, id string, now time.Time) (map[string]any, error) {
	values := w.values()
	if audience == "" {
		audience = "https://github.com/" + values["repository_owner"]
	}
	claims := map[string]any{
		"aud": audience,
		"exp": now.Add(5 * time.Minute).Unix(),
		"iat": now.Unix(),
		"jti": id,
		"nbf": now.Add(-10 * time.Minute).Unix(),
	}
	for name, value := range values {
		claims[name] = value
	}
	return claims, w.set.apply(claims)
}

// claimsOf returns a token's claims, unverified.
func claimsOf(token string) (map[string]any, error) {
	payload, err := payloadOf(token)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, fmt.Errorf("reading token: %w", err)
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		if seconds, ok := claims[name].(float64); ok {
			claims[name] = int64(seconds)
		}
	}
	return claims, nil
}
