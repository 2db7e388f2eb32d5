package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/layout"
)

// Where bundles are fetched from.
const (
	fromGitHub  = "github"
	fromRelease = "release"
	fromOCI     = "oci" // an image's registry
)

// fromFlags say where bundles are fetched from, and of which repository. Nothing is
// fetched unless it is asked for.
type fromFlags struct {
	from     []string
	repo     string
	registry registryFlags
}

func (f *fromFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "fetch bundles too, from GitHub's attestations of the repository, from the release of a tag, or from an image's registry: `github|release[=TAG]|oci` (repeatable)")
	flags.StringVar(&f.repo, "repo", "", "`OWNER/NAME` of the repository at GitHub that --from looks in (default: the origin of the git repository here, or the job's)")
	f.registry.register(flags)
	choices(cmd, "from", fromGitHub, fromRelease, fromOCI)
}

// source is one of --from.
type source struct{ kind, tag string }

func (f *fromFlags) sources() (all []source) {
	for _, given := range f.from {
		kind, tag, _ := strings.Cut(given, "=")
		all = append(all, source{kind: kind, tag: tag})
	}
	return all
}

// check refuses what cannot be looked in.
func (f *fromFlags) check(offline bool) error {
	sources := f.sources()
	switch {
	case f.repo != "" && len(sources) == 0:
		return usage("add --from github or --from release=TAG", "--repo goes with --from")
	case f.registry.given() && !f.asks(fromOCI):
		return usage("add --from oci", "--registry-username logs in where images are, and goes with --from oci")
	case offline && len(sources) > 0:
		return usage("leave one of them out; or fetch the bundles beforehand, and name them with --bundle", "--from fetches bundles over the network, and --offline forbids that")
	}
	for i, s := range sources {
		switch {
		case s.kind != fromGitHub && s.kind != fromRelease && s.kind != fromOCI:
			return usage("write --from github, --from release=TAG or --from oci", "--from %s: there is nothing of that name to fetch from", f.from[i])
		case s.kind == fromGitHub && strings.Contains(f.from[i], "="):
			return usage("write --from github, and the repository as --repo OWNER/NAME", "--from %s: github takes nothing behind it", f.from[i])
		case s.kind == fromOCI && strings.Contains(f.from[i], "="):
			return usage("write --from oci, and the image as oci://NAME@sha256:HEX", "--from %s: oci takes nothing behind it", f.from[i])
		case s.kind == fromRelease && s.tag == "" && strings.Contains(f.from[i], "="):
			return usage("write --from release=TAG; is a variable unset?", "--from %s: the tag is empty", f.from[i])
		case slices.Contains(sources[:i], s):
			return usage("name it once", "--from %s is given twice", f.from[i])
		}
	}
	return f.registry.check()
}

// asks tells whether bundles are fetched from a kind of store.
func (f *fromFlags) asks(kind string) bool {
	return slices.ContainsFunc(f.sources(), func(s source) bool { return s.kind == kind })
}

// open prepares the stores; nobody is asked yet. predicateType is the only one that
// counts; empty for all.
func (f *fromFlags) open(env Env, folder, predicateType string) (stores []evidence.Elsewhere, err error) {
	if !f.asks(fromGitHub) && !f.asks(fromRelease) {
		return nil, nil
	}
	client, err := openGitHub(env)
	if err != nil {
		return nil, err
	}
	repository, err := githubRepository(env, f.repo, folder)
	if err != nil {
		return nil, err
	}
	for _, s := range f.sources() {
		if s.kind == fromOCI {
			continue
		}
		if s.kind == fromGitHub {
			stores = append(stores, &evidence.Attestations{Client: client, Repository: repository.Repository, Chosen: repository.sayWhere(), PredicateType: predicateType})
			continue
		}
		tag, err := releaseTag(env, s.tag)
		if err != nil {
			return nil, usage("write --from release=TAG", "--from release: %w", err)
		}
		stores = append(stores, evidence.OpenRelease(client, github.Tagged{Repository: repository.Repository, Tag: tag}, repository.sayWhere()))
	}
	return stores, nil
}

// elsewhere judges an artifact with what is fetched about it. It is hashed first, in
// every algorithm: what it is looked for by must be what is judged, and a second reading
// might find another file.
func (j *judge) elsewhere(ctx context.Context, t target, named evidence.Found) error {
	a, unread := t.hash(ctx, j.env, []artifact.Algorithm{artifact.SHA256, artifact.SHA384, artifact.SHA512})
	if err := hashFailure(ctx, t, unread); err != nil {
		return err
	}
	var found evidence.Found
	found.Add(named)
	if len(j.in.bundles) == 0 {
		found = evidence.Beside(j.env.FS, t.beside)
	}
	at := j.clones.of(t, &found)
	for _, store := range j.stores {
		if unread == nil {
			found.Add(evidence.From(ctx, store, evidence.Sought{Name: a.Name, Image: t.image, Digest: a.Digest}))
		}
	}
	g, err := j.gather(ctx, found, at, objectsInHand(t))
	if err != nil {
		return err
	}
	j.conclude(j.one(a, unread, g), g)
	return nil
}

// maxWords bounds the commits that are asked about over the network, for one artifact.
const maxWords = 16

// words fetches what was said of the commits that statements name, where a layout may
// ask for it, and warns where that is not all. Several artifacts are often of one commit,
// which is asked about once.
func (j *judge) words(ctx context.Context, verified []*attestation.Verified, inHand []string) (found evidence.Found, warnings []string) {
	if len(j.stores) == 0 || j.in.layout == "" {
		return found, nil
	}
	commits, warnings := askedAbout(layout.Commits(verified))
	for _, id := range commits {
		if slices.Contains(inHand, id) {
			continue // it was looked for as the artifact
		}
		said, known := j.said[id]
		if !known {
			for _, store := range j.stores {
				said.Add(evidence.From(ctx, store, evidence.Sought{Digest: artifact.DigestSet{artifact.GitCommit: id}}))
			}
			j.said[id] = said
		}
		found.Add(said)
	}
	return found, warnings
}

// askedAbout are the first of the commits, and a warning of those left out.
func askedAbout(commits []string) (asked, warnings []string) {
	left := len(commits) - maxWords
	if left <= 0 {
		return commits, nil
	}
	return commits[:maxWords], []string{fmt.Sprintf("statements name %d commits, and --from asked about the first %d: if the author's word is on another, such as %s, hand it over with --bundle", len(commits), maxWords, commits[maxWords])}
}
