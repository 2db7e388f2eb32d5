package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/registry"
	"github.com/signatus-dev/signatus/internal/report"
)

// imagesSink keeps bundles in the registries of images, as what refers to them: a
// statement's with each image that it is about.
type imagesSink struct {
	client *registry.Client
	images map[int][]registry.Reference // of each statement, by its first subject
	// asked are those about which the registry is asked before anybody signs: one of each
	// repository, and those that were not read.
	asked []registry.Reference
}

// openImages prepares them. Images are those that were read, and subjects that are named
// as an image in a registry is.
func openImages(env Env, s storing) (sink, error) {
	i := &imagesSink{images: map[int][]registry.Reference{}}
	var hosts []string
	why := "no subject is one"
	for _, p := range s.plan {
		for n := max(p.from, len(s.found.files)); n < p.to; n++ {
			image, read, err := s.found.inRegistry(s.found.known[n-len(s.found.files)])
			if err != nil {
				why = err.Error()
				continue
			}
			i.images[p.from], hosts = append(i.images[p.from], image), append(hosts, image.Host())
			known := slices.ContainsFunc(i.asked, func(a registry.Reference) bool { return a.Name() == image.Name() })
			if !read || !known {
				i.asked = append(i.asked, image)
			}
		}
	}
	if len(hosts) == 0 {
		return nil, usage("name an image: --image NAME@sha256:HEX", "--store oci keeps bundles with images in their registries: %s", why)
	}
	var err error
	i.client, err = s.registry.open(env, hosts...)
	return i, err
}

// inRegistry is the image that a subject is, and whether it was read. One that was not
// must have its registry's host in its name: any other name may be that of a file.
func (found *foundSubjects) inRegistry(subject artifact.Subject) (image registry.Reference, read bool, err error) {
	if at := slices.IndexFunc(found.images, func(i imageSubject) bool { return i.name == subject.Name }); at >= 0 {
		return found.images[at].reference, true, nil
	}
	host, _, ok := strings.Cut(subject.Name, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return registry.Reference{}, false, fmt.Errorf("%q names no registry, as ghcr.io/acme/app does", subject.Name)
	}
	image, err = registry.Parse(subject.Name + "@sha256:" + subject.Digest[artifact.SHA256])
	return image, false, err
}

func (i *imagesSink) takes(p planned) bool { return len(i.images[p.from]) > 0 }

// check asks whether the repositories take what is written, and that for images which are
// there.
func (i *imagesSink) check(ctx context.Context) error {
	var gaps []error
	for _, image := range i.asked {
		if err := i.client.CheckAttach(ctx, image); err != nil {
			gaps = append(gaps, registryError(err))
		}
	}
	return together(gaps...)
}

// put keeps the bundles one after the other. A registry that is not reached, or does not
// let in, is not asked for the next one.
func (i *imagesSink) put(ctx context.Context, bundles []made) (all []kept) {
	down := map[string]error{} // by repository
	for _, m := range bundles {
		for _, image := range i.images[m.from] {
			k := kept{Stored: report.Stored{Bundle: m.number, Sink: storeOCI, Where: image.String()}, err: down[image.Name()], find: []string{"--from", fromOCI}}
			if k.err == nil {
				var attached registry.Attached
				attached, k.err = i.client.Attach(ctx, image, m.bundle, m.shown.PredicateType)
				if k.err == nil {
					k.ID, k.Already = attached.Reference.Digest(), attached.Existed
				} else if !aboutImage(k.err) {
					down[image.Name()] = k.err
				}
			}
			all = append(all, k)
		}
	}
	return all
}

// aboutImage tells whether an error is about one image, so that the next one of the
// repository may fare better.
func aboutImage(err error) bool {
	refused, ok := errors.AsType[*registry.Error](err)
	return !ok || refused.Content || refused.Status == http.StatusNotFound || refused.Status == http.StatusBadRequest || refused.Status == http.StatusRequestEntityTooLarge
}
