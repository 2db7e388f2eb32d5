package command

import (
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/registry"
)

// openRegistry prepares to ask the registries of images, so that what is wrong with a
// name is said before anything is asked.
func (f *fromFlags) openRegistry(env Env, targets []target) ([]evidence.Elsewhere, error) {
	if !f.asks(fromOCI) {
		return nil, nil
	}
	images := map[string]registry.Reference{}
	var hosts []string
	for _, t := range targets {
		if t.image == "" {
			continue
		}
		reference, err := registry.Parse(t.image)
		if err != nil {
			return nil, usage("name the image by digest: oci://NAME@sha256:HEX", "%w", err)
		}
		images[t.image] = reference
		hosts = append(hosts, reference.Host())
	}
	if len(images) == 0 {
		return nil, usage("name an image: oci://NAME@sha256:HEX", "--from oci asks the registries of images, and no artifact is one")
	}
	client, err := f.registry.open(env, hosts...)
	if err != nil {
		return nil, err
	}
	return []evidence.Elsewhere{evidence.Registries{Images: images, Referrers: client.Referrers}}, nil
}

// unasked tells where evidence about an artifact may be, and was not looked for.
func (f *fromFlags) unasked(t target) []string {
	if t.image == "" || f.asks(fromOCI) {
		return nil
	}
	return []string{"no registry was asked for what it keeps with an image: --from oci asks it"}
}
