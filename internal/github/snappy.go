package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/golang/snappy"
)

// fetchBundle fetches a bundle from where GitHub keeps it. Whoever has the URL may read
// it, so that it goes without the token, and no error shows it.
func (c *Client) fetchBundle(ctx context.Context, a asking, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || !secure(u) {
		return nil, errors.New("GitHub says that its bundle is at an address that is no https URL")
	}
	p := purpose{doing: "fetching a bundle of " + shortened(a.digest), permissions: readAttestations, scope: "attestations: read", instead: "fetch it with gh attestation download, and name it with --bundle"}
	got, err := c.send(ctx, call{purpose: p, limit: MaxBundle, within: carryTime, once: a.once, stranger: true, request: func() (*http.Request, error) {
		return http.NewRequest(http.MethodGet, address, http.NoBody) //nolint:noctx // each attempt has its own
	}})
	if err != nil {
		return nil, err
	}
	data, err := decompress(got.body)
	if err != nil {
		return nil, fmt.Errorf("%s from %s: %w", p.doing, u.Host, err)
	}
	return data, nil
}

// decompress reads Snappy's block format, in which GitHub keeps bundles: its own command
// line reads them with snappy.Decode, and no framing. What is JSON already is taken as it
// is. How long a block says that its content is, is looked at before that much is asked
// for.
func decompress(data []byte) ([]byte, error) {
	size, err := snappy.DecodedLen(data)
	switch {
	case err == nil && size <= MaxBundle:
		if plain, err := snappy.Decode(nil, data); err == nil {
			return plain, nil
		}
	case err == nil && !looksLikeJSON(data):
		return nil, fmt.Errorf("the bundle has %d bytes, at most %d MiB are read", size, MaxBundle>>20)
	}
	if looksLikeJSON(data) {
		return data, nil
	}
	return nil, errors.New("it is neither a block of Snappy nor JSON")
}

func looksLikeJSON(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}
