package command

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Where bundles are kept.
const (
	storeFile    = "file"    // beside the artifact
	storeNotes   = "notes"   // a commit's, in its repository
	storeDir     = "dir"     // a folder, one file a bundle
	storeGitHub  = "github"  // the repository's attestations
	storeOCI     = "oci"     // an image's registry
	storeRelease = "release" // the assets of a release
)

// stores are all kinds, those on this machine first.
func stores() []string {
	return []string{storeFile, storeDir, storeNotes, storeOCI, storeRelease, storeGitHub}
}

// storeFlags say where bundles are kept, and where notes are sent from there.
type storeFlags struct {
	stores []string
	push   string
	token  string
}

func (f *storeFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.stores, "store", nil, "keep the bundle as `file|dir=FOLDER|notes|github|oci|release[=TAG]`: beside the artifact (the default), in a folder, in a commit's git note, in GitHub's attestations of the repository, with the image in its registry, in the release of a tag (repeatable)")
	flags.StringVar(&f.push, "push", "", "push the notes to `REMOTE`, a name or a URL, written --push=REMOTE; goes with --store notes")
	flags.Lookup("push").NoOptDefVal = "origin"
	flags.StringVar(&f.token, "push-token", "", "push over https with the token in `FILE` (default: GITHUB_TOKEN, at GitHub alone)")
}

// store is one of --store.
type store struct {
	kind     string
	argument string // a folder, or a tag
}

// all are the stores that were asked for; without one, the file.
func (f *storeFlags) all() (all []store) {
	for _, given := range f.stores {
		kind, argument, _ := strings.Cut(given, "=")
		all = append(all, store{kind, argument})
	}
	if len(all) == 0 {
		return []store{{kind: storeFile}}
	}
	return all
}

// asks tells whether bundles are kept in one of these kinds of stores.
func (f *storeFlags) asks(kinds ...string) bool {
	return slices.ContainsFunc(f.all(), func(s store) bool { return slices.Contains(kinds, s.kind) })
}

func (f *storeFlags) check() error {
	all := f.all()
	for i, given := range f.stores {
		s, behind := all[i], strings.Contains(given, "=")
		switch {
		case !slices.Contains(stores(), s.kind):
			return usage("write --store file, dir=FOLDER, notes, github, oci or release=TAG", "--store %s: there is nothing of that name to keep a bundle in", given)
		case s.kind == storeDir && s.argument == "":
			return usage("write --store dir=FOLDER; is a variable unset?", "--store %s: the folder is not named", given)
		case s.kind == storeRelease && s.argument == "" && behind:
			return usage("write --store release=TAG; is a variable unset?", "--store %s: the tag is empty", given)
		case s.kind != storeDir && s.kind != storeRelease && behind:
			return usage("write --store "+s.kind+storeHint(s.kind), "--store %s: %s takes nothing behind it", given, s.kind)
		case slices.Contains(all[:i], s):
			return usage("name it once", "--store %s is given twice", given)
		}
	}
	switch {
	case f.push != "" && !f.asks(storeNotes):
		return usage("add --store notes", "--push sends the notes of a repository, and goes with --store notes")
	case f.token != "" && f.push == "":
		return usage("add --push", "--push-token goes with --push")
	}
	return nil
}

// storeHint says how what was meant may be said.
func storeHint(kind string) string {
	switch kind {
	case storeFile:
		return ", and its name as --bundle FILE"
	case storeGitHub:
		return ", and the repository as --repo OWNER/NAME"
	case storeOCI:
		return ", and the image as --image NAME@sha256:HEX"
	default:
		return ""
	}
}

// checkStores refuses stores that what is attested does not go with.
func (in attestInput) checkStores() error {
	stores := in.out.stores
	switch {
	case stores.asks(storeNotes) && in.subjects.commit == "":
		return usage("attest a commit: --commit HEAD", "--store notes keeps what was said about a commit with it, and goes with --commit")
	case stores.asks(storeOCI) && len(in.subjects.images)+len(in.subjects.subjects) == 0:
		return usage("name an image: --image NAME@sha256:HEX", "--store oci keeps bundles with images in their registries, and no subject is one")
	case in.registry.given() && len(in.subjects.images) == 0 && !stores.asks(storeOCI):
		return usage("name an image with --image NAME@sha256:HEX, or leave it out", "--registry-username logs in where images are, and goes with --image")
	case in.subjects.repo != "" && in.subjects.commit == "" && !stores.asks(storeGitHub, storeRelease):
		return usage("name the commit with --commit REV, or add --store github", "--repo goes with --commit, and with --store github or release")
	}
	return nil
}

// checkRemote tells a remote that stands behind --push, where the flag does not take it,
// from a file that is to be attested.
func (in attestInput) checkRemote() error {
	if in.out.stores.push == "" || in.subjects.commit == "" || len(in.subjects.patterns) != 1 {
		return nil
	}
	remote := in.subjects.patterns[0]
	return usage("write --push="+remote, "--push %s: its remote stands behind =", remote)
}
