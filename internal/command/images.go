package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/registry"
)

func (f *subjectFlags) registerImages(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.images, "image", nil, "attest the image `NAME@sha256:HEX`, as its registry has it (repeatable)")
	flags.BoolVar(&f.children, "image-children", true, "attest of an index each of its images too; =false leaves them out")
}

// imageSubject is a subject that is an image in a registry.
type imageSubject struct {
	reference registry.Reference
	name      string // the subject's
}

// imageSearch is what images are looked for with, and what they become a part of.
type imageSearch struct {
	login registryFlags
	found *foundSubjects
}

// findImages reads the images that were named, each by its digest, and an index's own
// ones. An image that is named by a tag is looked up, so that the digest can be told, and
// refused: nobody has seen which one it is.
func (f *subjectFlags) findImages(ctx context.Context, env Env, search imageSearch) error {
	if len(f.images) == 0 {
		return nil
	}
	references := make([]registry.Reference, len(f.images))
	var hosts []string
	var tags []string
	for i, given := range f.images {
		var err error
		if references[i], err = registry.Parse(given); err == nil {
			hosts = append(hosts, references[i].Host())
			continue
		}
		tag, ok := errors.AsType[*registry.TagError](err)
		if !ok {
			return usage("write NAME@sha256:HEX", "%w", err)
		}
		tags, hosts = append(tags, given), append(hosts, tag.Host)
	}
	client, err := search.login.open(env, hosts...)
	if err != nil {
		return err
	}
	if len(tags) > 0 {
		return namedByTag(ctx, client, tags)
	}
	images := make([]registry.Image, len(references))
	for i, reference := range references {
		if images[i], err = client.Image(ctx, reference, f.children); err != nil {
			return registryError(err)
		}
	}
	// An index names its images better than they would be named alone.
	slices.SortStableFunc(images, func(a, b registry.Image) int { return min(len(b.Children), 1) - min(len(a.Children), 1) })
	for _, image := range images {
		if err := search.found.image(image); err != nil {
			return err
		}
	}
	return nil
}

// namedByTag refuses images that tags name, and says which ones they are right now.
func namedByTag(ctx context.Context, client *registry.Client, tags []string) error {
	refused := fmt.Errorf("image %s is not named by digest: a tag can move", strings.Join(tags, ", "))
	write := "if you mean what is there right now, write "
	for _, tag := range tags {
		now, err := client.Resolve(ctx, tag)
		if err != nil {
			why, _, _ := strings.Cut(err.Error(), "; next: ")
			return usage("name the image by digest: --image NAME@sha256:HEX; which one is there right now could not be found out: "+why, "%w", refused)
		}
		write += " --image " + now.String()
	}
	return usage(write, "%w", refused)
}

// image adds an image to the subjects, and those of an index. Nothing is there twice: an
// index may share an image with another one, or be named beside it.
func (found *foundSubjects) image(image registry.Image) error {
	for _, i := range append([]registry.Image{image}, image.Children...) {
		if slices.ContainsFunc(found.images, func(have imageSubject) bool { return have.reference == i.Reference }) {
			continue
		}
		name := found.freeName(i)
		subject, err := artifact.ParseSubject(name + "@" + i.Reference.Digest())
		if err != nil {
			return usage("write NAME@sha256:HEX", "%w", err)
		}
		subject.Source = "--image " + i.Reference.String()
		found.known = append(found.known, subject)
		found.images = append(found.images, imageSubject{reference: i.Reference, name: subject.Name})
	}
	found.leftOut(image)
	return nil
}

// freeName is what a subject is called: an image as its repository is, one of an index
// with its platform, and a further one of the same name with its digest. A layout can
// name all but the last, whatever is built next.
func (found *foundSubjects) freeName(image registry.Image) string {
	name := image.Reference.Name()
	if image.Platform != "" {
		name += "#" + image.Platform
	}
	taken := slices.ContainsFunc(found.known, func(s artifact.Subject) bool { return s.Name == name })
	if taken {
		return image.Reference.String()
	}
	return name
}

// leftOut tells what an index lists and is not attested.
func (found *foundSubjects) leftOut(image registry.Image) {
	name := image.Reference.String()
	if n := image.Attestations; n > 0 {
		found.notes = append(found.notes, fmt.Sprintf("left out of the index %s: what BuildKit attests beside its images (platform unknown/unknown), %d", name, n))
	}
	if n := image.Others; n > 0 {
		found.notes = append(found.notes, fmt.Sprintf("left out of the index %s: what is no image, %d", name, n))
	}
}

// imageOf is the image that a subject is, NAME@DIGEST; empty where it is none.
func (found *foundSubjects) imageOf(subject artifact.Subject) string {
	at := slices.IndexFunc(found.images, func(i imageSubject) bool { return i.name == subject.Name })
	if at < 0 {
		return ""
	}
	return found.images[at].reference.String()
}
