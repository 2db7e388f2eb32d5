package registry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// BundleType is the media type and the artifact type of a Sigstore bundle, as
// actions/attest and cosign push it.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// bundleTypes is what those of all versions begin with.
const bundleTypes = "application/vnd.dev.sigstore.bundle"

// emptyType is that of a config that holds nothing. Some registries give it as the
// artifact type of a referrer that has one of its own.
const emptyType = "application/vnd.oci.empty.v1+json"

// Referrer is what a registry says refers to an image, as far as it may be a Sigstore
// bundle.
type Referrer struct {
	Reference Reference // its manifest
	Bundle    []byte
	// Err says why it could not be read; then there is no bundle.
	Err error
}

// Referrers reads the Sigstore bundles that refer to an image, and the attestations that
// cosign's older form keeps in a tag. One that cannot be read
// is listed as such; the others still count. None is no error.
func (c *Client) Referrers(ctx context.Context, image Reference) ([]Referrer, error) {
	what := asking{image: image, doing: "listing what refers to " + image.String()}
	var list listing
	err := c.trying(ctx, what, func(ctx context.Context) error {
		s, err := c.open(ctx, image, false)
		if err == nil {
			list, err = s.list(ctx, image)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var found []Referrer
	total := 0
	take := func(bundles []Referrer) error {
		for _, b := range bundles {
			total += len(b.Bundle)
		}
		if total > MaxReferrerBytes {
			return &Error{Registry: image.Host(), Doing: what.doing, Content: true, Err: fmt.Errorf("its bundles have more than %d MiB together, which is the most that is read", MaxReferrerBytes>>20), Next: "download the bundles that you mean, and name them with --bundle"}
		}
		found = append(found, bundles...)
		return nil
	}
	for some := range slices.Chunk(list.bundles(), atOnce) {
		if err := take(c.pullAll(ctx, image, some)); err != nil {
			return nil, err
		}
	}
	if err := take(c.ofCosign(ctx, image)); err != nil {
		return nil, err
	}
	return found, nil
}

// listing is what refers to an image.
type listing struct {
	all []descriptor
	// tag tells that the registry keeps no list by itself, and that this one was read
	// in the image's fallback tag.
	tag bool
}

// bundles are those that may be Sigstore bundles.
func (l listing) bundles() (found []descriptor) {
	for _, d := range l.all {
		if strings.HasPrefix(d.ArtifactType, bundleTypes) || d.ArtifactType == "" || d.ArtifactType == emptyType {
			found = append(found, d)
		}
	}
	return found
}

// fallbackTag is where clients keep the list for a registry that does not.
//
// "the tag is constructed from [...] <alg>-<ref>" (distribution-spec, Referrers Tag
// Schema; TestFallback)
func fallbackTag(image Reference) string { return strings.Replace(image.Digest(), ":", "-", 1) }

// maxPages bounds the pages of a list.
const maxPages = 50

// list asks for what refers to an image: the registry, and where it has no such list,
// the image's fallback tag.
//
// "If the referrers API returns a 404, the client MUST fallback to pulling the referrers
// tag schema." (distribution-spec, Listing Referrers; TestReferrersFallback)
func (s *session) list(ctx context.Context, image Reference) (listing, error) {
	var all listing
	next := request{method: http.MethodGet, path: "referrers/" + image.Digest(), accept: []string{string(types.OCIImageIndex)}, limit: MaxManifestBytes, take: []int{http.StatusOK}}
	for page := 1; ; page++ {
		got, err := s.do(ctx, next)
		if page == 1 && (isStatus(err, hasNoList()...) || err == nil && got.kind() != string(types.OCIImageIndex)) {
			return s.listOfTag(ctx, image)
		}
		if err != nil {
			return listing{}, err
		}
		d, err := parseDocument(got.body, got.kind())
		if err != nil {
			return listing{}, wrongContent("the list of referrers: %w", err)
		}
		if all.all = append(all.all, d.Manifests...); len(all.all) > MaxReferrers {
			return listing{}, tooMany()
		}
		link := nextPage(got.header)
		if link == "" {
			return all, nil
		}
		to, err := got.from.Parse(link)
		if err != nil || to.Host != got.from.Host || page == maxPages {
			return listing{}, wrongContent("the list of referrers goes on at %.200q after %d pages", link, page)
		}
		next.url = to
	}
}

func tooMany() error {
	return wrongContent("more than %d referrers, which is the most that are read", MaxReferrers)
}

// hasNoList are the answers of registries that keep no list of referrers. The
// specification has 404; the others are what older ones say about a path that they do
// not know, or a media type that they do not have.
func hasNoList() []int {
	return []int{http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented}
}

// nextPage is where a list goes on: <URL>; rel="next" (RFC 8288).
func nextPage(header http.Header) string {
	for _, links := range header.Values("Link") {
		for link := range strings.SplitSeq(links, ",") {
			address, parameters, _ := strings.Cut(link, ">")
			address, ok := strings.CutPrefix(strings.TrimSpace(address), "<")
			if ok && strings.Contains(strings.ReplaceAll(parameters, " ", ""), `rel="next"`) {
				return address
			}
		}
	}
	return ""
}

// listOfTag reads the list in the fallback tag; no tag is an empty list.
func (s *session) listOfTag(ctx context.Context, image Reference) (listing, error) {
	d, err := s.manifest(ctx, fallbackTag(image))
	if isStatus(err, http.StatusNotFound) {
		return listing{tag: true}, nil
	}
	if err != nil {
		return listing{}, err
	}
	if !d.isIndex() {
		return listing{}, wrongContent("the tag %s is %q, expected an index of referrers", fallbackTag(image), d.descriptor.MediaType)
	}
	if len(d.Manifests) > MaxReferrers {
		return listing{}, tooMany()
	}
	return listing{all: d.Manifests, tag: true}, nil
}

// pullAll reads several referrers at once, and gives their bundles in their order.
func (c *Client) pullAll(ctx context.Context, image Reference, all []descriptor) (found []Referrer) {
	pulled := make([][]Referrer, len(all))
	var group sync.WaitGroup
	for i, d := range all {
		group.Go(func() { pulled[i] = c.pull(ctx, image, d) })
	}
	group.Wait()
	return slices.Concat(pulled...)
}

// pull reads the bundles of one referrer; none where it is something else.
func (c *Client) pull(ctx context.Context, image Reference, d descriptor) (found []Referrer) {
	if !isSHA256(d.Digest) {
		return []Referrer{{Reference: image, Err: fmt.Errorf("the list of referrers names one by the digest %.80q", d.Digest)}}
	}
	at := image.with(d.Digest)
	err := c.trying(ctx, asking{image: at, doing: "reading the referrer " + at.String()}, func(ctx context.Context) error {
		found = nil
		s, err := c.open(ctx, at, false)
		if err != nil {
			return err
		}
		manifest, err := s.manifest(ctx, d.Digest)
		if err != nil {
			return err
		}
		for _, layer := range manifest.bundleLayers() {
			bundle, err := s.layer(ctx, layer)
			if err != nil {
				return err
			}
			found = append(found, Referrer{Reference: at, Bundle: bundle})
		}
		return nil
	})
	if err != nil {
		return []Referrer{{Reference: at, Err: err}}
	}
	return found
}

// maxLayers bounds the bundles in one referrer. Those that are pushed have one.
const maxLayers = 32

// bundleLayers are the layers that are Sigstore bundles.
func (d *document) bundleLayers() (layers []descriptor) {
	for _, layer := range d.Layers {
		if strings.HasPrefix(layer.MediaType, bundleTypes) && len(layers) < maxLayers {
			layers = append(layers, layer)
		}
	}
	return layers
}

func (s *session) layer(ctx context.Context, layer descriptor) ([]byte, error) {
	switch {
	case !isSHA256(layer.Digest):
		return nil, wrongContent("it names its bundle by the digest %.80q", layer.Digest)
	case layer.Size > MaxBundleBytes:
		return nil, wrongContent("its bundle has %d bytes, at most %d are read", layer.Size, MaxBundleBytes)
	}
	return s.blob(ctx, layer.Digest, MaxBundleBytes)
}

// isBundle tells whether bytes are one JSON object with the media type of a bundle.
func isBundle(data []byte) bool {
	var bundle struct {
		MediaType string `json:"mediaType"`
	}
	return json.Unmarshal(data, &bundle) == nil && strings.HasPrefix(bundle.MediaType, bundleTypes)
}
