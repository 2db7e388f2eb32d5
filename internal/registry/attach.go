package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Attached is where a bundle is kept.
type Attached struct {
	Reference Reference // the referrer's manifest
	// Existed tells that the very same bundle was there already, and nothing was
	// written.
	Existed bool
	// Tag is the image's fallback tag, where the registry keeps no list of referrers and
	// the bundle was entered there; empty otherwise.
	Tag string
}

// The annotations of a referrer, as actions/attest and cosign write them.
const (
	contentAnnotation   = "dev.sigstore.bundle.content"
	predicateAnnotation = "dev.sigstore.bundle.predicateType"
	createdAnnotation   = "org.opencontainers.image.created"

	contentEnvelope = "dsse-envelope"
)

// referrer is a manifest that refers to an image.
//
// "subject: This OPTIONAL property specifies a descriptor of another manifest. This value
// defines a weak association to a separate Merkle Directed Acyclic Graph (DAG) structure,
// and is used by the referrers API" (image-spec, manifest; TestAttach)
type referrer struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Subject       descriptor        `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// emptyConfig is the config of what is no image.
const emptyConfig = "{}"

// Attach keeps a bundle, a DSSE envelope of a statement of this predicate type, beside an
// image that is there. The same bundle is not kept twice, and nothing that is there is
// taken away.
func (c *Client) Attach(ctx context.Context, image Reference, bundle []byte, predicateType string) (Attached, error) {
	what := asking{image: image, doing: "keeping the bundle with " + image.String(), write: true}
	switch {
	case len(bundle) > MaxBundleBytes:
		return Attached{}, &Error{Registry: image.Host(), Doing: what.doing, Err: fmt.Errorf("it has %d bytes, at most %d are kept", len(bundle), MaxBundleBytes)}
	case !isBundle(bundle):
		return Attached{}, &Error{Registry: image.Host(), Doing: what.doing, Err: errors.New("it is no Sigstore bundle")}
	}
	k := &keeping{client: c, what: what, image: image, bundle: compact(bundle)}
	if there, err := k.find(ctx, predicateType); err != nil || !there.Reference.IsZero() {
		return there, err
	}
	if err := k.push(ctx, predicateType); err != nil {
		return Attached{}, err
	}
	return k.enter(ctx)
}

// CheckAttach tells whether bundles can be kept with an image: it is there, and its
// repository takes what this client writes. It leaves nothing behind but an empty blob.
func (c *Client) CheckAttach(ctx context.Context, image Reference) error {
	what := asking{image: image, doing: "preparing to keep a bundle with " + image.String(), write: true}
	return c.trying(ctx, what, func(ctx context.Context) error {
		s, err := c.open(ctx, image, true)
		if err != nil {
			return err
		}
		if _, err := s.manifest(ctx, image.Digest()); err != nil {
			return err
		}
		return s.upload(ctx, []byte(emptyConfig))
	})
}

// keeping is one bundle on its way to an image.
type keeping struct {
	client *Client
	what   asking
	image  Reference
	bundle []byte

	subject descriptor // of the image
	raw     []byte     // the referrer's manifest
	own     descriptor // of it
	listed  listing    // as it was before
	// acknowledged tells that the registry said that it lists the referrer.
	acknowledged bool
}

func (k *keeping) trying(ctx context.Context, try func(context.Context, *session) error) error {
	return k.client.trying(ctx, k.what, func(ctx context.Context) error {
		s, err := k.client.open(ctx, k.image, true)
		if err != nil {
			return err
		}
		return try(ctx, s)
	})
}

// find looks whether the bundle is there already.
func (k *keeping) find(ctx context.Context, predicateType string) (there Attached, err error) {
	digest := digestOf(k.bundle)
	err = k.trying(ctx, func(ctx context.Context, s *session) error {
		image, err := s.manifest(ctx, k.image.Digest())
		if err != nil {
			return err
		}
		k.subject = image.descriptor
		k.listed, err = s.list(ctx, k.image)
		return err
	})
	if err != nil {
		return Attached{}, err
	}
	for _, d := range k.listed.bundles() {
		if said, ok := d.Annotations[predicateAnnotation]; !isSHA256(d.Digest) || ok && said != predicateType {
			continue
		}
		same := false
		err := k.trying(ctx, func(ctx context.Context, s *session) error {
			manifest, err := s.manifest(ctx, d.Digest)
			if isStatus(err, http.StatusNotFound) {
				return nil // the list is older than the repository
			}
			if err != nil {
				return err
			}
			for _, layer := range manifest.bundleLayers() {
				same = same || layer.Digest == digest
			}
			return nil
		})
		if err, ok := errors.AsType[*Error](err); ok && !err.Content { // another's broken referrer is no reason to keep nothing
			return Attached{}, err
		}
		if same {
			there := Attached{Reference: k.image.with(d.Digest), Existed: true}
			if k.listed.tag {
				there.Tag = fallbackTag(k.image)
			}
			return there, nil
		}
	}
	return Attached{}, nil
}

// push puts the bundle and its manifest there.
func (k *keeping) push(ctx context.Context, predicateType string) error {
	layer := descriptor{MediaType: BundleType, Digest: digestOf(k.bundle), Size: int64(len(k.bundle))}
	raw, err := json.Marshal(referrer{
		SchemaVersion: 2, MediaType: string(types.OCIManifestSchema1), ArtifactType: BundleType,
		Config: descriptor{MediaType: emptyType, Digest: digestOf([]byte(emptyConfig)), Size: int64(len(emptyConfig))},
		Layers: []descriptor{layer}, Subject: k.subject,
		Annotations: map[string]string{
			contentAnnotation: contentEnvelope, predicateAnnotation: predicateType,
			createdAnnotation: k.client.options.Now.UTC().Format(time.RFC3339),
		},
	}, json.Deterministic(true))
	if err != nil {
		return &Error{Registry: k.image.Host(), Doing: k.what.doing, Err: err}
	}
	k.raw = raw
	k.own = descriptor{MediaType: string(types.OCIManifestSchema1), Digest: digestOf(raw), Size: int64(len(raw)), ArtifactType: BundleType, Annotations: map[string]string{
		contentAnnotation: contentEnvelope, predicateAnnotation: predicateType,
	}}
	return k.trying(ctx, func(ctx context.Context, s *session) error {
		for _, blob := range [][]byte{[]byte(emptyConfig), k.bundle} {
			if err := s.upload(ctx, blob); err != nil {
				return err
			}
		}
		header, err := s.put(ctx, k.own.Digest, written{kind: k.own.MediaType, data: k.raw})
		// "The registry [...] MUST set the response header OCI-Subject to <subject
		// digest> to indicate that it has processed the request's subject."
		k.acknowledged = header.Get("OCI-Subject") == k.image.Digest()
		return err
	})
}

// written is a manifest to be written.
type written struct {
	kind  string
	data  []byte
	match string // the ETag of what it takes the place of; empty for none
}

// put writes a manifest.
func (s *session) put(ctx context.Context, identifier string, w written) (http.Header, error) {
	got, err := s.do(ctx, request{method: http.MethodPut, path: "manifests/" + identifier, kind: w.kind, body: w.data, match: w.match, take: []int{http.StatusCreated, http.StatusOK, http.StatusAccepted}})
	if err != nil {
		return http.Header{}, err
	}
	if said := got.header.Get("Docker-Content-Digest"); said != "" && said != digestOf(w.data) {
		return http.Header{}, wrongContent("%s wrote %.80q in place of %s", got.from.Host, said, digestOf(w.data))
	}
	return got.header, nil
}

// compact takes the white space out of a bundle, so that the same one is the same bytes.
func compact(bundle []byte) []byte {
	value := jsontext.Value(bytes.Clone(bundle))
	if err := value.Compact(); err != nil {
		return bundle
	}
	return value
}
