package evidence

import (
	"context"

	"github.com/signatus-dev/signatus/internal/registry"
)

// Registries are those of images: what each says refers to an image.
type Registries struct {
	// Images are those that are asked about, by NAME@DIGEST as the caller wrote it.
	Images map[string]registry.Reference
	// Referrers asks a registry.
	Referrers func(context.Context, registry.Reference) ([]registry.Referrer, error)
}

// Name stands for all of them.
func (Registries) Name() string { return "the image's registry" }

// Find fetches the bundles that refer to an image. About all else there are none.
func (r Registries) Find(ctx context.Context, sought Sought) (Kept, error) {
	image, ok := r.Images[sought.Image]
	if !ok {
		return Kept{}, nil
	}
	list, err := r.Referrers(ctx, image)
	if err != nil {
		return Kept{}, err
	}
	kept := Kept{Place: "referrers of " + image.String()}
	for _, referrer := range list {
		kept.Pieces = append(kept.Pieces, Piece{Source: referrer.Reference.String(), Data: referrer.Bundle, Err: referrer.Err})
	}
	return kept, nil
}
