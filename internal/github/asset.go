package github

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// alreadyExists is GitHub's word for a name that is taken.
const alreadyExists = "already_exists"

// PutAsset stores a bundle as an asset of a release, under name, as app.sigstore.json. An
// asset of that name that holds the very bundle is success; another one is left as it is,
// and the bundle gets a name of its own beside it, from its digest:
// app.0123456789ab.sigstore.json. Nothing is ever replaced or deleted, and no asset can
// be appended to.
//
// Source: https://docs.github.com/en/rest/releases/assets#upload-a-release-asset
func (c *Client) PutAsset(ctx context.Context, of Tagged, name string, bundle []byte) (Stored, error) {
	p := purpose{doing: "storing " + name + " in " + of.String(), permissions: storeAssets, scope: "contents: write", instead: "store elsewhere: --store file, github or oci"}
	want, err := canonical(bundle)
	if err != nil || len(want) > MaxBundle {
		return Stored{}, fmt.Errorf("%s: the bundle is no JSON object of at most %d MiB", p.doing, MaxBundle>>20)
	}
	put := assetPut{client: c, purpose: p, of: of, want: want, bundle: bundle, names: []string{name, ownName(name, want)}, taken: map[string]bool{}}
	for {
		stored, again, err := put.once(ctx)
		if !again {
			return stored, err
		}
	}
}

// ownName is the name under which a bundle finds place beside one of another signer.
func ownName(name string, bundle []byte) string {
	const suffix = ".sigstore.json"
	sum := sha256.Sum256(bundle)
	return strings.TrimSuffix(name, suffix) + "." + hex.EncodeToString(sum[:])[:12] + suffix
}

// assetPut is a bundle on its way into a release.
type assetPut struct {
	purpose
	client *Client
	of     Tagged
	want   []byte // its one spelling
	bundle []byte
	names  []string        // that it may have, the first one by preference
	taken  map[string]bool // names that are, though no list showed it
}

// once reads the release and uploads the bundle where it is not there yet. again tells
// that a name was taken meanwhile, which happens once a name.
func (p *assetPut) once(ctx context.Context) (stored Stored, again bool, err error) {
	release, err := p.client.release(ctx, p.of, p.purpose)
	if err != nil {
		return Stored{}, false, err
	}
	if stored, ok, err := p.among(ctx, release.Assets); ok || err != nil {
		stored.URL = release.Page
		return stored, false, err
	}
	free := p.firstFree(release.Assets)
	if free == "" {
		return Stored{}, false, fmt.Errorf("%s: both %s and %s are taken, by something else or by an upload that broke off; next: delete %[3]s from the release by hand, and run it again", p.doing, p.names[0], p.names[1])
	}
	stored, err = p.upload(ctx, release, free)
	failed, refused := errors.AsType[*Error](err)
	if errors.Is(err, errDone) || refused && failed.Code == alreadyExists {
		p.taken[free] = true // somebody else was faster, or an answer got lost
		return Stored{}, true, nil
	}
	stored.URL = release.Page
	return stored, false, err
}

// among looks for the very bundle in the assets that have its names.
func (p *assetPut) among(ctx context.Context, assets []Asset) (Stored, bool, error) {
	for _, a := range assets {
		if !slices.ContainsFunc(p.names, a.called) || !a.uploaded() || a.Size > MaxBundle {
			continue
		}
		data, err := p.client.Download(ctx, p.of.Repository, a)
		if err != nil {
			return Stored{}, false, err
		}
		for _, piece := range append(bytes.Split(data, []byte("\n")), data) {
			if have, err := canonical(bytes.TrimSpace(piece)); err == nil && bytes.Equal(have, p.want) {
				return Stored{ID: a.ID, Name: a.Name, Already: true}, true, nil
			}
		}
	}
	return Stored{}, false, nil
}

// firstFree is the first name that no asset has; empty for none.
func (p *assetPut) firstFree(assets []Asset) string {
	for _, name := range p.names {
		if !p.taken[name] && !slices.ContainsFunc(assets, func(a Asset) bool { return a.called(name) }) {
			return name
		}
	}
	return ""
}

func (p *assetPut) upload(ctx context.Context, release Release, name string) (Stored, error) {
	address, err := uploadURL(release.UploadURL, name)
	if err != nil {
		return Stored{}, p.client.garbage(p.purpose, err)
	}
	content := append(bytes.TrimSpace(bytes.Clone(p.bundle)), '\n')
	got, err := p.client.send(ctx, call{
		purpose: p.purpose, limit: maxReceipt, within: carryTime,
		// An attempt that went wrong may have taken the name, with the bundle or without it.
		done: func(ctx context.Context) bool {
			now, err := p.client.release(ctx, p.of, p.purpose)
			return err == nil && slices.ContainsFunc(now.Assets, func(a Asset) bool { return a.called(name) })
		},
		request: func() (*http.Request, error) {
			return p.client.api.NewUploadRequest(address, bytes.NewReader(content), int64(len(content)), "application/json")
		},
	})
	if err != nil {
		return Stored{}, err
	}
	var made Asset
	if err := json.Unmarshal(got.body, &made); err != nil || made.ID <= 0 || made.Name == "" {
		return Stored{}, p.client.garbage(p.purpose, errors.New("it is no asset"))
	}
	return Stored{ID: made.ID, Name: made.Name}, nil
}

// called tells whether an asset has a name, or what GitHub makes of it.
func (a Asset) called(name string) bool { return SameName(a.Name, name) }

// SameName tells whether two names may be that of one asset, as it was uploaded and as it
// is listed.
//
// "GitHub renames asset filenames that have special characters, non-alphanumeric
// characters, and leading or trailing periods." (TestPutAsset) Which become what it does
// not say, so that none of them counts.
//
// Source: https://docs.github.com/en/rest/releases/assets#upload-a-release-asset
func SameName(a, b string) bool {
	plain := func(name string) string {
		return strings.Trim(strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
				return r
			}
			return '.'
		}, strings.ToLower(name)), ".")
	}
	return plain(a) == plain(b)
}

// uploadURL fills in the template of a release's upload_url,
// https://uploads.github.com/repos/acme/app/releases/1/assets{?name,label}.
func uploadURL(template, name string) (string, error) {
	address, _, _ := strings.Cut(template, "{")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !secure(u) {
		return "", errors.New("it has no address to upload to")
	}
	u.RawQuery = url.Values{"name": {name}}.Encode()
	return u.String(), nil
}
