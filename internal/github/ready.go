package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/signatus-dev/signatus/internal/answer"
)

// maxReleaseAssets is how many assets GitHub takes: "file_count limited to 1000 assets
// per release", as it answers who uploads more.
const maxReleaseAssets = 1000

// ReadyForAttestations tells before anything is signed what would be in the way of
// [Client.PutAttestation], as far as can be asked without storing something: there is a
// token, and the repository is one that it may see, and one that takes attestations.
// Whether a job's token may store, GitHub tells those who try.
func (c *Client) ReadyForAttestations(ctx context.Context, at Repository) error {
	p := purpose{doing: "storing an attestation of " + at.String(), permissions: storeAttestations, scope: "attestations: write", instead: "store elsewhere: --store file, release or oci"}
	if c.token.IsZero() {
		return fmt.Errorf("%s: there is no token%s%s", p.doing, answer.NextMarker, c.give(p))
	}
	got, err := c.send(ctx, call{purpose: p, limit: maxAnswer, within: attemptTime, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodGet, at.path(), nil)
	}})
	if err != nil {
		return err
	}
	var described description
	if err := json.Unmarshal(got.body, &described); err != nil || described.ID <= 0 {
		return c.garbage(p, errors.Join(err, errors.New("it is no repository")))
	}
	if found, next := described.inTheWay(got.scopes, p); found != "" {
		return fmt.Errorf("%s: %s%s%s", p.doing, c.secrets.Clean(found), answer.NextMarker, next)
	}
	return nil
}

// description is a repository as GitHub describes it, as far as it tells whether it takes
// attestations.
type description struct {
	ID          int64 `json:"id"`
	Private     bool  `json:"private"`
	Archived    bool  `json:"archived"`
	Disabled    bool  `json:"disabled"`
	Permissions struct {
		Push bool `json:"push"`
	} `json:"permissions"`
	Owner struct {
		Type string `json:"type"`
	} `json:"owner"`
}

// inTheWay is what would keep GitHub from storing, and what to do; empty for nothing that
// is known. Scopes are told of a person's classic token alone, which has that person's
// rights; what is said of the rights of a job's token is not what it may do.
//
// "The authenticated user must have write permission to the repository and, if using a
// fine-grained access token, the attestations:write permission is required."
// (TestReadyForAttestations)
func (d description) inTheWay(scopes []string, p purpose) (found, next string) {
	classic := scopes != nil
	has := func(scope string) bool {
		return slices.ContainsFunc(strings.Split(strings.Join(scopes, ","), ","), func(s string) bool { return strings.TrimSpace(s) == scope })
	}
	switch {
	case d.Archived || d.Disabled:
		return "the repository is archived or disabled, and takes nothing", p.instead
	case d.Private && d.Owner.Type == "User":
		return "the repository is private and a user's own, and GitHub keeps attestations of private ones for organisations alone", p.instead
	case classic && !d.Permissions.Push:
		return "the token's owner may not write the repository", "give the token of somebody who may, or " + p.instead
	case classic && !has("repo") && (d.Private || !has("public_repo")):
		return fmt.Sprintf("the token lacks the scope repo; it has %q", strings.Join(scopes, ", ")), "give the token the scope repo, or use one with the repository permission " + p.scope
	}
	return "", ""
}

// ReadyForAssets does so for [Client.PutAsset], as often as there are bundles: there is a
// token, and a release, which still takes as many assets.
func (c *Client) ReadyForAssets(ctx context.Context, of Tagged, bundles int) error {
	p := purpose{doing: "storing in " + of.String(), permissions: storeAssets, scope: "contents: write", instead: "store elsewhere: --store file, github or oci"}
	if c.token.IsZero() {
		return fmt.Errorf("%s: there is no token%s%s", p.doing, answer.NextMarker, c.give(p))
	}
	release, err := c.release(ctx, of, p)
	switch {
	case err != nil:
		return err
	case release.Immutable && !release.Draft:
		return fmt.Errorf("%s: it is published and immutable%s%s", p.doing, answer.NextMarker, whileDraft+p.instead)
	case len(release.Assets)+bundles > maxReleaseAssets:
		return fmt.Errorf("%s: it has %d assets, and with %d more it would have more than the %d that GitHub takes%s%s", p.doing, len(release.Assets), bundles, maxReleaseAssets, answer.NextMarker, p.instead)
	}
	return nil
}
