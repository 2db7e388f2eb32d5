package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/github"
)

// maxAssets bounds the assets that are fetched about one artifact.
const maxAssets = 64

// Release is the assets of a release. It is read once, and each of its assets at most
// once.
type Release struct {
	client *github.Client
	of     github.Tagged
	chosen string
	read   bool
	assets []github.Asset
	err    error
	data   map[int64]Piece
}

// OpenRelease prepares to look into a release. Nobody is asked yet. chosen says how the
// repository was, as that of [Attestations].
func OpenRelease(client *github.Client, of github.Tagged, chosen string) *Release {
	return &Release{client: client, of: of, chosen: chosen, data: map[int64]Piece{}}
}

// Name is the release, with the repository and its host.
func (r *Release) Name() string {
	return r.client.Host() + "/" + r.of.Repository.String() + " release " + r.of.Tag
}

// Find fetches the assets that hold bundles by their names: those of the artifact, by
// its name or by that of the asset that has its digest, and those for several artifacts.
// An author's word on a commit is found by the commit's id.
func (r *Release) Find(ctx context.Context, sought Sought) (Kept, error) {
	if !r.read {
		var found github.Release
		found, r.err = r.client.Release(ctx, r.of)
		r.read, r.assets = true, found.Assets
	}
	if r.err != nil {
		return Kept{}, r.err
	}
	kept := Kept{Place: r.Name() + r.chosen + ", assets about " + sought.about()}
	wanted := about(r.assets, sought)
	if len(wanted) > maxAssets {
		return Kept{}, fmt.Errorf("%d assets hold bundles about it by their names, at most %d are read; next: download those you mean, and name them with --bundle", len(wanted), maxAssets)
	}
	for _, asset := range wanted {
		piece, known := r.data[asset.ID]
		if !known {
			data, err := r.client.Download(ctx, r.of.Repository, asset)
			piece = Piece{Source: r.Name() + ", " + asset.Name, Data: data, Err: err}
			r.data[asset.ID] = piece
		}
		kept.Pieces = append(kept.Pieces, piece)
	}
	return kept, nil
}

// about chooses the assets that may hold bundles about an artifact.
func about(assets []github.Asset, sought Sought) (wanted []github.Asset) {
	names := namesOf(assets, sought)
	add := func(fits func(string) bool) (found bool) {
		for _, a := range assets {
			if fits(a.Name) && !slices.Contains(wanted, a) {
				wanted, found = append(wanted, a), true
			}
		}
		return found
	}
	own := add(func(asset string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return holds(asset, name) })
	})
	if sought.Digest[artifact.GitCommit] != "" {
		return wanted
	}
	add(func(asset string) bool { return holds(asset, "attestation") })
	if !own { // slsa-github-generator's has any name, and is for several artifacts
		add(func(asset string) bool { return strings.HasSuffix(asset, ".intoto.jsonl") })
	}
	return wanted
}

// namesOf are the names that an artifact has in a release.
func namesOf(assets []github.Asset, sought Sought) (names []string) {
	if id := sought.Digest[artifact.GitCommit]; id != "" {
		return []string{"commit-" + id}
	}
	if sought.Name != "" {
		names = append(names, sought.Name)
	}
	if value := sought.Digest[artifact.SHA256]; value != "" {
		for _, a := range assets {
			if a.Digest == "sha256:"+value {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// holds tells whether an asset holds bundles about what is called name: under one of the
// usual names, or under that which attest gives a second signer's. GitHub may have renamed
// the asset, and not the file in hand.
func holds(asset, name string) bool {
	if slices.ContainsFunc(suffixes(), func(suffix string) bool { return github.SameName(asset, name+suffix) }) {
		return true
	}
	const digits = 12
	stem, ok := strings.CutSuffix(asset, ".sigstore.json")
	at := len(stem) - digits
	if !ok || at < 1 || stem[at-1] != '.' || strings.Trim(stem[at:], "0123456789abcdef") != "" {
		return false
	}
	return github.SameName(stem[:at-1], name)
}
