package command

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/provenance"
)

// sharedFile holds the bundles of several subjects; bundleSuffix stands behind the
// name of one file. verify looks for both (docs/verify.md).
const (
	sharedFile   = "attestation.sigstore.jsonl"
	bundleSuffix = ".sigstore.jsonl"
)

// maxBundles is how many bundles are made for one file, of which at most 64 MiB are
// read.
const maxBundles = 4096

// outputFlags say where bundles go.
type outputFlags struct {
	bundle string
	force  bool
	single bool
	stores storeFlags
}

func (f *outputFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.bundle, "bundle", "", "write exactly one bundle to `FILE`, which must not exist (default: PATH.sigstore.jsonl, "+sharedFile+" or commit-ID.sigstore.json)")
	flags.BoolVar(&f.force, "force", false, "replace what is at --bundle and --suggest-layout")
	f.stores.register(flags)
	flags.BoolVar(&f.single, "one-per-subject", false, "make a bundle for each subject, in place of one for up to 1,024")
}

func (f *outputFlags) check() error {
	if f.single && f.bundle != "" {
		return usage("leave one of them out", "--bundle takes exactly one bundle, and --one-per-subject makes many")
	}
	if err := f.stores.check(); err != nil {
		return err
	}
	if f.bundle != "" && !f.stores.asks(storeFile) {
		return usage("add --store file, or leave --bundle out", "--bundle names a file, and --store keeps the bundle elsewhere")
	}
	return nil
}

// place is where a bundle goes, and how.
type place struct {
	path string
	// exactly one bundle is in the file: an old file is in the way, or with force
	// replaced. Otherwise the bundle is appended.
	exactly, force bool
	// next is where a further bundle goes if there is one at path already.
	next string
}

// planned is a statement that is to be made: of which subjects, by their order, and
// where its bundle goes.
type planned struct {
	from, to int
	file     string // the first subject's; empty where it is known by its digest
	image    string // the first subject's, NAME@DIGEST; empty where it is none
	place    place
}

// plan divides the subjects into statements, and settles the file of each, which is where
// it goes unless other stores are asked for. What is in the way of the files is said before
// anything is read or signed.
func (f *outputFlags) plan(env Env, found foundSubjects) ([]planned, error) {
	size, all := artifact.MaxStatementSubjects, len(found.files)+len(found.known)
	if f.single {
		size = 1
	}
	var plan []planned
	for from := 0; from < all; from += size {
		p := planned{from: from, to: min(from+size, all), place: place{path: f.bundle, exactly: true, force: f.force}}
		if from < len(found.files) {
			p.file = found.files[from].Path
		} else {
			p.image = found.imageOf(found.known[from-len(found.files)])
		}
		if f.bundle == "" {
			p.place = placeOf(found, p)
		}
		plan = append(plan, p)
	}
	if f.bundle != "" && len(plan) > 1 {
		return nil, usage("leave --bundle out, or attest them in parts", "--bundle takes exactly one bundle, and %d subjects need %d", all, len(plan))
	}
	if !f.stores.asks(storeFile) {
		return plan, nil // a file is the last resort then
	}
	if _, err := fs.Stat(env.FS, f.bundle); f.bundle != "" && !f.force && err == nil {
		return nil, &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already, and it may hold another signer's bundle", f.bundle), next: "name another file, replace it with --force, or leave --bundle out to append"}
	}
	if last := len(plan) - 1; len(plan) > maxBundles && !plan[last].place.exactly && plan[last].place == plan[last-1].place {
		return nil, usage("leave --one-per-subject out, or attest them in parts", "%d bundles for one file, at most %d fit", len(plan), maxBundles)
	}
	var paths []string
	for _, p := range plan {
		paths = append(paths, p.place.path)
	}
	if err := evidence.Writable(paths...); err != nil {
		return nil, undecided("name another file with --bundle", err)
	}
	return plan, nil
}

// placeOf is where verify looks for a bundle about these subjects.
func placeOf(found foundSubjects, p planned) place {
	switch {
	case found.commit != nil:
		name := "commit-" + found.commit.ID + ".sigstore.json"
		return place{path: name, exactly: true, next: name + "l"}
	case p.to-p.from == 1 && p.file != "":
		return place{path: p.file + bundleSuffix}
	}
	return place{path: filepath.Join(found.folder(), sharedFile)}
}

// folder is the one that all files and lists are in, or else the working directory.
func (found foundSubjects) folder() string {
	var folders []string
	for _, f := range found.files {
		folders = append(folders, filepath.Dir(f.Path))
	}
	folders = append(folders, found.lists...)
	slices.Sort(folders)
	if folders = slices.Compact(folders); len(folders) == 1 {
		return folders[0]
	}
	return "."
}

// verifyCommand is how anybody verifies the first of the bundle's subjects.
func (s *signing) verifyCommand(m made) string {
	args := inHand(m)
	if signer := m.verified.Signer(); s.who.key == nil {
		args = append(args, "--certificate-identity", signer.SAN, "--certificate-oidc-issuer", signer.Issuer)
	} else {
		args = append(args, "--key", "PUBLIC_KEY.pem")
	}
	if !provenance.Is(s.said.predicateType) {
		args = append(args, "--predicate-type", s.said.predicateType)
	}
	return s.at.shell(args)
}

// verifyWith is how anybody does with the suggested layout.
func (s *signing) verifyWith(m made, layout string) string {
	return s.at.shell(append(inHand(m), "--layout", layout))
}

// inHand names the first subject, and where the bundle is if verify would not find it.
func inHand(m made) []string {
	target := m.file
	switch {
	case m.image != "":
		target = "oci://" + m.image
	case target == "":
		target = digestInHand(m.subjects[0].Digest)
	case !strings.Contains(target, "/") && (strings.HasPrefix(target, "-") || strings.Contains(target, ":")):
		target = "./" + target // neither a flag nor a digest
	}
	return append([]string{"signatus", "verify", target}, m.find...)
}

// digestInHand is a digest as verify takes it.
func digestInHand(digest artifact.DigestSet) string {
	for _, alg := range artifact.Accepted() {
		if value := digest[alg]; value != "" {
			return string(alg) + ":" + value
		}
	}
	return digest.String()
}

// shell writes a command as a POSIX shell takes it, with the trusted roots that verify what
// the instance signed.
func (at instance) shell(args []string) string {
	for _, r := range at.files {
		args = append(args, "--trusted-root", r)
	}
	for i := range args {
		args[i] = shell(args[i])
	}
	return strings.Join(args, " ")
}

// shell quotes an argument for a POSIX shell where it needs that.
func shell(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./-_", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
