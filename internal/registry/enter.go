package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Bounds of how often a list is read again.
const (
	maxMoves  = 12
	firstLook = time.Second
)

// enter sees to it that the referrer is listed: by the registry itself, or else in the
// fallback tag. Who read the tag before our entry, and writes it behind it, takes it away
// again: so it must still be there after a while.
func (k *keeping) enter(ctx context.Context) (Attached, error) {
	done := Attached{Reference: k.image.with(k.own.Digest)}
	if k.acknowledged && !k.listed.tag {
		return done, nil
	}
	for n := range maxMoves {
		listed, err := k.look(ctx)
		switch {
		case err != nil:
		case listed && !k.listed.tag:
			return done, nil
		case listed && n > 0:
			done.Tag = fallbackTag(k.image)
			return done, nil
		case !listed && k.listed.tag:
			err = k.enterTag(ctx)
		}
		if err != nil {
			return Attached{}, err
		}
		if err := k.client.options.Sleep(ctx, firstLook+jitter(firstLook*time.Duration(n+1))); err != nil {
			return Attached{}, &Error{Registry: k.image.Host(), Doing: k.what.doing, Temporary: true, Err: fmt.Errorf("interrupted: %w", err), Next: "run it again"}
		}
	}
	return Attached{}, &Error{
		Registry: k.image.Host(), Doing: k.what.doing, Temporary: true, Attempts: maxMoves,
		Err:  fmt.Errorf("the bundle is there as %s, and %s does not list it as a referrer", done.Reference, k.image.Host()),
		Next: "run it again when nobody else attests this image",
	}
}

// look tells whether the referrer is listed.
func (k *keeping) look(ctx context.Context) (listed bool, err error) {
	err = k.trying(ctx, func(ctx context.Context, s *session) error {
		list, err := s.list(ctx, k.image)
		if err != nil {
			return err
		}
		k.listed, listed = list, false
		for _, d := range list.all {
			listed = listed || d.Digest == k.own.Digest
		}
		return nil
	})
	return listed, err
}

// tagged is an index whose entries are kept as they are, whoever wrote them.
type tagged struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	Manifests     []jsontext.Value `json:"manifests"`
	Rest          jsontext.Value   `json:",embed"`
}

// enterTag adds the referrer to the list in the fallback tag. Where the registry tells
// one version of it from another, it is written only in place of what was read.
//
// "Pull the current referrers list using the referrers tag schema. [...] Append a
// descriptor for the pushed manifest [...] Push the updated referrers list using the same
// tag. [...] The client MAY use conditional HTTP requests to prevent overwriting a
// referrers list that has changed since it was first pulled." (distribution-spec,
// Pushing Manifests with Subject; TestManyWriters)
func (k *keeping) enterTag(ctx context.Context) error {
	return k.trying(ctx, func(ctx context.Context, s *session) error {
		index := tagged{SchemaVersion: 2, MediaType: string(types.OCIImageIndex), Manifests: []jsontext.Value{}}
		var match string
		d, err := s.manifest(ctx, fallbackTag(k.image))
		switch {
		case isStatus(err, http.StatusNotFound):
		case err != nil:
			return err
		case !d.isIndex():
			return wrongContent("the tag %s is %q, expected an index of referrers", fallbackTag(k.image), d.descriptor.MediaType)
		default:
			match = d.etag
			if err := json.Unmarshal(d.raw, &index); err != nil {
				return wrongContent("the list of referrers in the tag %s: %w", fallbackTag(k.image), err)
			}
			index.MediaType = string(types.OCIImageIndex)
		}
		for _, have := range d.entries() {
			if have.Digest == k.own.Digest {
				return nil
			}
		}
		entry, err := json.Marshal(k.own, json.Deterministic(true))
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, entry)
		data, err := json.Marshal(index)
		if err != nil {
			return err
		}
		if len(data) > MaxManifestBytes || len(index.Manifests) > MaxReferrers {
			return wrongContent("the list of referrers in the tag %s is full", fallbackTag(k.image))
		}
		_, err = s.put(ctx, fallbackTag(k.image), written{kind: string(types.OCIImageIndex), data: data, match: match})
		if isStatus(err, http.StatusPreconditionFailed) {
			return nil // somebody else was faster: it is looked at again
		}
		return err
	})
}

// entries are those of an index; none of no index.
func (d *document) entries() []descriptor {
	if d == nil {
		return nil
	}
	return d.Manifests
}
