package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// maxDraftPages bounds the releases among which a draft is looked for: 1,000.
const maxDraftPages = 10

const (
	storeAssets = "{contents: write}"
	readAssets  = "{contents: read}"
)

// Tagged names a release by its tag. The zero value is none.
type Tagged struct {
	Repository
	Tag string
}

func (t Tagged) String() string { return "the release " + t.Tag + " of " + t.Repository.String() }

// Release is a release as GitHub describes it.
type Release struct {
	ID        int64   `json:"id"`
	Tag       string  `json:"tag_name"`
	Page      string  `json:"html_url"`
	UploadURL string  `json:"upload_url"`
	Draft     bool    `json:"draft"`
	Immutable bool    `json:"immutable"`
	Assets    []Asset `json:"assets"`
}

// Asset is a file of a release.
type Asset struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // uploaded, or still open
	Size  int64  `json:"size"`
	// Digest is sha256:HEX as GitHub says; empty where it does not.
	Digest string `json:"digest"`
}

// uploaded tells whether it is whole.
func (a Asset) uploaded() bool { return a.State == "uploaded" }

// Release finds the release of a tag, also where it is a draft still.
//
// "GET /repos/{owner}/{repo}/releases/tags/{tag}: Get a published release with the
// specified tag." A draft is found in the list of releases, by those who may write.
//
// Source: https://docs.github.com/en/rest/releases/releases
func (c *Client) Release(ctx context.Context, of Tagged) (Release, error) {
	return c.release(ctx, of, purpose{doing: "reading " + of.String(), permissions: readAssets, scope: "contents: read", instead: "name the bundles you have with --bundle"})
}

func (c *Client) release(ctx context.Context, of Tagged, p purpose) (Release, error) {
	got, err := c.send(ctx, call{purpose: p, limit: maxAnswer, within: attemptTime, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodGet, of.path("releases", "tags", of.Tag), nil)
	}})
	if failed, ok := errors.AsType[*Error](err); ok && failed.Status == http.StatusNotFound {
		return c.draft(ctx, of, failed)
	}
	if err != nil {
		return Release{}, err
	}
	var found Release
	if err := json.Unmarshal(got.body, &found); err != nil || found.ID <= 0 {
		return Release{}, c.garbage(p, errors.Join(err, errors.New("it is no release")))
	}
	return found, nil
}

// draft looks for a draft of the tag. Where there is none, what was found out before
// stands.
func (c *Client) draft(ctx context.Context, of Tagged, before *Error) (Release, error) {
	if c.token.IsZero() {
		return Release{}, before // strangers see none
	}
	for page := 1; page > 0 && page <= maxDraftPages; {
		query := url.Values{"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)}}
		got, err := c.send(ctx, call{purpose: purpose{doing: before.Doing, permissions: readAssets, scope: "contents: read"}, limit: maxAnswer, within: attemptTime, request: func() (*http.Request, error) {
			return c.api.NewRequest(http.MethodGet, of.path("releases")+"?"+query.Encode(), nil)
		}})
		if err != nil {
			return Release{}, err
		}
		var all []Release
		if err := json.Unmarshal(got.body, &all); err != nil {
			return Release{}, c.garbage(purpose{doing: before.Doing}, err)
		}
		if i := slices.IndexFunc(all, func(r Release) bool { return r.Draft && r.Tag == of.Tag && r.ID > 0 }); i >= 0 {
			return all[i], nil
		}
		page = got.page
	}
	return Release{}, before
}

// Download fetches an asset.
//
// "To download the asset's binary content […] set the Accept header of the request to
// application/octet-stream. The API will either redirect the client to the location, or
// stream it directly if possible."
//
// Source: https://docs.github.com/en/rest/releases/assets#get-a-release-asset
func (c *Client) Download(ctx context.Context, at Repository, asset Asset) ([]byte, error) {
	p := purpose{doing: "downloading " + c.secrets.Clean(asset.Name) + " from a release of " + at.String(), permissions: readAssets, scope: "contents: read", instead: "download it by hand, and name it with --bundle"}
	if asset.Size > maxAnswer {
		return nil, fmt.Errorf("%s: it has %d MiB, at most %d are read", p.doing, asset.Size>>20, maxAnswer>>20)
	}
	got, err := c.send(ctx, call{purpose: p, limit: maxAnswer, within: carryTime, request: func() (*http.Request, error) {
		request, err := c.api.NewRequest(http.MethodGet, at.path("releases", "assets", strconv.FormatInt(asset.ID, 10)), nil)
		if err == nil {
			request.Header.Set("Accept", "application/octet-stream")
		}
		return request, err
	}})
	return got.body, err
}
