package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
)

// Image is an image, or an index of images, as its registry has it: the bytes hash to
// the digest that names it.
type Image struct {
	Reference Reference
	// Platform is the one of an index's child, for example linux/arm64/v8; empty where
	// the index does not say or is not asked.
	Platform string
	// Children are the manifests of an index, and those of the indexes in it.
	Children []Image
	// Attestations and Others are what an index lists beside images, and which is left
	// out: BuildKit's attestation manifests, and entries that are no manifest at all.
	Attestations, Others int
}

// descriptor points at content.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitzero"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platform     *platform         `json:"platform,omitzero"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	OSVersion    string `json:"os.version,omitzero"`
	Variant      string `json:"variant,omitzero"`
}

// document is a manifest or an index. Which of the two is settled when it is read.
type document struct {
	descriptor descriptor // of itself
	etag       string
	raw        []byte

	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Manifests    []descriptor      `json:"manifests"`
	Config       *descriptor       `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Annotations  map[string]string `json:"annotations"`
}

func (d *document) isIndex() bool { return isIndex(d.descriptor.MediaType) }

func isIndex(kind string) bool {
	return kind == string(types.OCIImageIndex) || kind == string(types.DockerManifestList)
}

// manifestKinds are the media types of manifests that are read. Docker's schema 1 has no
// digest of its own, and is not among them.
func manifestKinds() []string {
	return []string{string(types.OCIImageIndex), string(types.DockerManifestList), string(types.OCIManifestSchema1), string(types.DockerManifestSchema2)}
}

// manifest reads a manifest or index by a digest or a tag. One that is named by its
// digest is believed only if it hashes to it.
func (s *session) manifest(ctx context.Context, identifier string) (*document, error) {
	got, err := s.do(ctx, request{method: http.MethodGet, path: "manifests/" + identifier, accept: manifestKinds(), limit: MaxManifestBytes, take: []int{http.StatusOK}})
	if err != nil {
		return nil, err
	}
	digest := digestOf(got.body)
	if isSHA256(identifier) && digest != identifier {
		return nil, wrongContent("the bytes that were sent for %s hash to %s", identifier, digest)
	}
	d, err := parseDocument(got.body, got.kind())
	if err != nil {
		return nil, wrongContent("%s: %w", digest, err)
	}
	d.etag = got.header.Get("ETag")
	return d, nil
}

// parseDocument reads what stands in a manifest or index, and refuses what could be read
// as both: the one who signs and the one who runs would see two different things.
//
// "Implementers SHOULD reject manifests with ambiguous media types [...] verify that the
// document does not contain fields of the other" (distribution-spec 1.0.1,
// CVE-2021-41190; TestParseDocument)
func parseDocument(data []byte, served string) (*document, error) {
	d := &document{raw: data}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, errors.New("it is no manifest: not one JSON object of that form, with each key once")
	}
	kind := d.MediaType
	switch {
	case kind == "":
		kind = served
	case slices.Contains(manifestKinds(), served) && served != kind:
		return nil, fmt.Errorf("it is served as %q and says that it is %q", served, kind)
	}
	if !slices.Contains(manifestKinds(), kind) {
		return nil, fmt.Errorf("it is %.100q, and neither the manifest of an image nor an index of them", kind)
	}
	if images := d.Config != nil || d.Layers != nil; isIndex(kind) == images || isIndex(kind) != (d.Manifests != nil) {
		return nil, fmt.Errorf("it says that it is %q, and its fields are those of something else or of both", kind)
	}
	d.descriptor = descriptor{MediaType: kind, Digest: digestOf(data), Size: int64(len(data))}
	return d, nil
}

// Resolve finds out which image a tag, or a name without one, means right now.
func (c *Client) Resolve(ctx context.Context, s string) (Reference, error) {
	r, err := Parse(s)
	if _, ok := errors.AsType[*TagError](err); !ok {
		return r, err
	}
	tag, err := parseTag(s)
	if err != nil {
		return Reference{}, err
	}
	at := Reference{tag.Digest(noDigest)}
	var found *document
	err = c.trying(ctx, asking{image: at, doing: "reading " + tag.Name()}, func(ctx context.Context) error {
		s, err := c.open(ctx, at, false)
		if err == nil {
			found, err = s.manifest(ctx, tag.TagStr())
		}
		return err
	})
	if err != nil {
		return Reference{}, err
	}
	return at.with(found.descriptor.Digest), nil
}

// noDigest stands for a digest that is not known yet.
const noDigest = "sha256:unknown"

// Image reads an image by its digest; with children, an index's manifests too.
func (c *Client) Image(ctx context.Context, image Reference, children bool) (Image, error) {
	w := &walk{client: c, children: children, seen: map[string]bool{image.Digest(): true}}
	read, err := w.read(ctx, image, 0)
	if err != nil {
		return Image{}, err
	}
	return *read, nil
}

// document reads a manifest or index of a repository, again where that may help.
func (c *Client) document(ctx context.Context, image Reference) (found *document, err error) {
	err = c.trying(ctx, asking{image: image, doing: "reading " + image.String()}, func(ctx context.Context) error {
		s, err := c.open(ctx, image, false)
		if err == nil {
			found, err = s.manifest(ctx, image.Digest())
		}
		return err
	})
	return found, err
}

// maxDepth bounds how deep indexes lie in indexes, and atOnce how many manifests are
// read at once.
const (
	maxDepth = 3
	atOnce   = 4
)

// walk reads an index with all below it.
type walk struct {
	client   *Client
	children bool

	mu   sync.Mutex
	seen map[string]bool
}

// isNew notes a digest. It is an error where there are too many.
func (w *walk) isNew(digest string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[digest] {
		return false, nil
	}
	w.seen[digest] = true
	if len(w.seen) > MaxChildren+1 {
		return false, fmt.Errorf("more than %d manifests in the index, which is the most that are attested", MaxChildren)
	}
	return true, nil
}

func (w *walk) read(ctx context.Context, at Reference, depth int) (*Image, error) {
	d, err := w.client.document(ctx, at)
	if err != nil {
		return nil, err
	}
	image := &Image{Reference: at}
	if !w.children || !d.isIndex() {
		return image, nil
	}
	tooMuch := func(err error) error {
		return &Error{Registry: at.Host(), Doing: "reading " + at.String(), Content: true, Err: err, Next: "attest its images one by one, and the index with --image-children=false"}
	}
	if depth == maxDepth {
		return nil, tooMuch(fmt.Errorf("indexes lie more than %d deep in it", maxDepth))
	}
	var wanted []descriptor
	for _, child := range d.Manifests {
		switch fresh, err := w.isNew(child.Digest); {
		case err != nil:
			return nil, tooMuch(err)
		case !fresh:
		case child.isAttestation():
			image.Attestations++
		case !slices.Contains(manifestKinds(), child.MediaType):
			image.Others++
		case !isSHA256(child.Digest):
			return nil, tooMuch(fmt.Errorf("it lists a manifest by the digest %.80q, expected sha256: and 64 hex digits", child.Digest))
		default:
			wanted = append(wanted, child)
		}
	}
	found := make([]*Image, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, child := range wanted {
		group.Go(func() (err error) {
			found[i], err = w.read(ctx, at.with(child.Digest), depth+1)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, below := range found {
		below.Platform = wanted[i].Platform.String()
		image.Attestations, image.Others = image.Attestations+below.Attestations, image.Others+below.Others
		flat := below.Children
		below.Children = nil
		image.Children = append(append(image.Children, *below), flat...)
	}
	return image, nil
}

// isAttestation tells what BuildKit puts into an index beside its images: "the
// attestation manifest's platform is set to unknown/unknown".
// Source: https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
func (d descriptor) isAttestation() bool {
	return d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// String is the platform as people write it, such as linux/arm64/v8; empty for none and
// for one that could not be a name's part.
func (p *platform) String() string {
	if p == nil || p.OS == "" || p.Architecture == "" {
		return ""
	}
	text := p.OS
	if p.OSVersion != "" {
		text += "(" + p.OSVersion + ")"
	}
	text += "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+()/", r)
	}
	if len(text) > 100 || strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) || strings.Contains(text, "..") {
		return ""
	}
	return text
}
