package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/signatus-dev/signatus/internal/answer"
)

// ReadyForAttestations tells before anything is signed what would be in the way of
// [Client.PutAttestation], as far as can be asked without storing something: there is a
// token, and the repository is one that it may see. Whether it may store, GitHub tells
// those who try.
func (c *Client) ReadyForAttestations(ctx context.Context, at Repository) error {
	p := purpose{doing: "storing an attestation of " + at.String(), permissions: storeAttestations, scope: "attestations: write", instead: "store elsewhere: --store file, release or oci"}
	if c.token.IsZero() {
		return fmt.Errorf("%s: there is no token%s%s", p.doing, answer.NextMarker, c.give(p))
	}
	_, err := c.send(ctx, call{purpose: p, limit: maxAnswer, within: attemptTime, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodGet, at.path(), nil)
	}})
	return err
}

// ReadyForAssets does so for [Client.PutAsset]: there is a token, and a release, which
// still takes assets.
func (c *Client) ReadyForAssets(ctx context.Context, of Tagged) error {
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
	}
	return nil
}
