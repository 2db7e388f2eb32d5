package github

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/answer"
)

// Error says that GitHub did not do what it was asked to.
type Error struct {
	Doing    string // as "storing an attestation of acme/app"
	Host     string // that was asked, with its port
	Status   int    // of the last answer; 0 without one
	Attempts int
	// Temporary tells that the same request may well succeed later.
	Temporary bool
	// Code is GitHub's word for what is wrong with a field, as already_exists.
	Code string
	Text string // GitHub's words: one bounded line without the token
	// Accepted is what permissions would do, as the answer says itself.
	Accepted string
	Err      error  // what went wrong where no answer says so; may be nil
	Next     string // what to do

	wait  time.Duration // that GitHub asks for
	fault answer.Fault  // where there is no answer
}

// Error is the error in one line, with the next step at its end.
func (e *Error) Error() string {
	line := e.Doing + ": " + e.What()
	if e.Next != "" {
		line += answer.NextMarker + e.Next
	}
	return line
}

// What is what happened, for whoever says elsewhere what was being done, and what to do.
func (e *Error) What() string {
	var b strings.Builder
	switch {
	case e.Status == 0 && e.Err != nil:
		fmt.Fprintf(&b, "asking %s: %v", e.Host, e.Err)
	case e.Err != nil:
		fmt.Fprintf(&b, "the answer of %s cannot be used: %v", e.Host, e.Err)
	default:
		fmt.Fprintf(&b, "%s answers %s", e.Host, strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	if e.Text != "" && e.Text != http.StatusText(e.Status) {
		fmt.Fprintf(&b, ": %q", e.Text)
	}
	if e.Accepted != "" {
		fmt.Fprintf(&b, " (it takes the permissions %s)", e.Accepted)
	}
	return b.String()
}

// Unwrap gives what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// purpose is what a request is for, as far as its refusal is explained by it.
type purpose struct {
	doing string
	// permissions is what the job's token needs, as a workflow has it.
	permissions string
	// scope is the one of them that matters here, as a fine-grained token has it.
	scope string
	// instead is what does without this place; empty where there is nothing.
	instead string
}

// whileDraft is how bundles come into an immutable release.
const whileDraft = "a published release takes nothing any more: store in the release while it is a draft, and publish it afterwards; or "

// next is what to do about a refusal. It says no more than the answer does.
func (c *Client) next(p purpose, e *Error) string {
	text := strings.ToLower(e.Text)
	switch {
	case e.fault.Untrusted:
		return answer.TrustNext + "; or " + p.instead
	case e.fault.Unreached:
		return "check the network, the name server and HTTPS_PROXY; or " + p.instead
	case e.Temporary && e.wait > budget:
		return fmt.Sprintf("run it again in %v, which is what GitHub asks for", e.wait.Round(time.Second))
	case e.Temporary && (e.Status == http.StatusForbidden || e.Status == http.StatusTooManyRequests) && c.token.IsZero():
		return "give a token in GITHUB_TOKEN, whose rate limit is higher, or run it again later"
	case e.Temporary:
		return "run it again later, and see https://www.githubstatus.com"
	case strings.Contains(text, "feature not available"):
		return "attestations of private repositories need GitHub Enterprise Cloud; " + p.instead
	case strings.Contains(text, "immutable release"):
		return whileDraft + p.instead
	case strings.Contains(text, "file_count"):
		return "a release takes 1,000 assets: attest more subjects at a time, or " + p.instead
	case e.Status == http.StatusUnauthorized && c.token.IsZero():
		return c.give(p)
	case e.Status == http.StatusUnauthorized:
		return "give another token: GitHub does not take this one"
	case e.Status == http.StatusForbidden && c.token.IsZero():
		return c.give(p)
	case e.Status == http.StatusForbidden && strings.Contains(text, "saml"):
		return "authorise the token for the organisation's single sign-on, in the settings of whoever made it"
	case e.Status == http.StatusForbidden && strings.Contains(text, "personal access token"):
		return "give the token the repository permission " + p.scope + ", or use that of a job with  permissions: " + p.permissions
	case e.Status == http.StatusForbidden:
		return yaml(p.permissions)
	case e.Status == http.StatusNotFound && p.permissions == storeAttestations && !c.cloud():
		return "check the name; and " + c.server.Host + " may keep no attestations, as GitHub Enterprise Server did not when this was written: " + p.instead
	case e.Status == http.StatusNotFound && c.token.IsZero():
		return "check the name, and for what is not public " + c.give(p)
	case e.Status == http.StatusNotFound:
		return "check the name, and that the token may see it: what it may not see is not found. " + yaml(p.permissions)
	case e.Status == http.StatusRequestEntityTooLarge:
		return "attest fewer subjects at a time, or " + p.instead
	default:
		return p.instead
	}
}

// give asks for a token.
func (c *Client) give(p purpose) string {
	return "give a token in GITHUB_TOKEN, in a workflow with  permissions: " + p.permissions
}

// yaml is the line to paste.
func yaml(permissions string) string {
	return "add this line to the job in the workflow, and to the one that calls it:  permissions: " + permissions
}
