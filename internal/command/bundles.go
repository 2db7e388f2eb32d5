package command

import (
	"context"
	"errors"
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

// outputFlags say where bundles go.
type outputFlags struct {
	bundle string
	force  bool
	single bool
}

func (f *outputFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.bundle, "bundle", "", "write exactly one bundle to `FILE`, which must not exist (default: PATH.sigstore.jsonl, "+sharedFile+" or commit-ID.sigstore.json)")
	flags.BoolVar(&f.force, "force", false, "replace what is at --bundle")
	flags.BoolVar(&f.single, "one-per-subject", false, "make a bundle for each subject, in place of one for up to 1,024")
}

func (f *outputFlags) check() error {
	switch {
	case f.force && f.bundle == "":
		return usage("leave it out: elsewhere bundles are appended", "--force goes with --bundle")
	case f.single && f.bundle != "":
		return usage("leave one of them out", "--bundle takes exactly one bundle, and --one-per-subject makes many")
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

// toSign is what one statement is about, and where its bundle goes.
type toSign struct {
	subjects []artifact.Subject
	file     string // the first subject's; empty where it is known by its digest
	place    place
}

// plan divides the subjects into statements, and settles where each goes. What is
// in the way is said before anything is signed.
func (f *outputFlags) plan(env Env, found foundSubjects, subjects []artifact.Subject) ([]toSign, error) {
	parts := artifact.Chunks(subjects)
	if f.single {
		parts = slices.Collect(slices.Chunk(subjects, 1))
	}
	if f.bundle != "" && len(parts) > 1 {
		return nil, usage("leave --bundle out, or attest them in parts", "--bundle takes exactly one bundle, and %d subjects need %d", len(subjects), len(parts))
	}
	var plan []toSign
	first := 0
	for _, part := range parts {
		planned := toSign{subjects: part, place: place{path: f.bundle, exactly: true, force: f.force}}
		if first < len(found.files) {
			planned.file = found.files[first].Path
		}
		if f.bundle == "" {
			planned.place = placeOf(found, planned)
		}
		plan = append(plan, planned)
		first += len(part)
	}
	if f.bundle == "" || f.force {
		return plan, nil
	}
	if _, err := fs.Stat(env.FS, f.bundle); err == nil {
		return nil, &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already, and it may hold another signer's bundle", f.bundle), next: "name another file, replace it with --force, or leave --bundle out to append"}
	}
	return plan, nil
}

// placeOf is where verify looks for a bundle about these subjects.
func placeOf(found foundSubjects, planned toSign) place {
	switch {
	case found.commit != nil:
		name := "commit-" + found.commit.ID + ".sigstore.json"
		return place{path: name, exactly: true, next: name + "l"}
	case len(planned.subjects) == 1 && planned.file != "":
		return place{path: planned.file + bundleSuffix}
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

// write puts each bundle in its place, and then reads it there.
func (s *signing) write(ctx context.Context, bundles []made) error {
	for i, m := range bundles {
		path, err := m.place.write(ctx, m.bundle)
		if err == nil {
			err = confirm(s.env.FS, path, m.verified.Digest())
		}
		if err != nil {
			return undecided("", fmt.Errorf("%s%w", written(i, len(bundles)), err))
		}
		m.shown.Path = path
		m.shown.Verify = s.verifyCommand(m)
	}
	return nil
}

// written says how far it came.
func written(n, of int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d bundles are written; ", n, of)
}

// write returns where the bundle is now.
func (p place) write(ctx context.Context, bundle []byte) (string, error) {
	switch {
	case !p.exactly:
		return p.path, evidence.Append(ctx, p.path, bundle)
	case p.force:
		return p.path, evidence.Replace(p.path, bundle)
	}
	err := evidence.Create(p.path, bundle)
	if errors.Is(err, fs.ErrExist) && p.next != "" {
		return p.next, evidence.Append(ctx, p.next, bundle)
	}
	return p.path, err
}

// confirm demands that the file holds the bundle that was verified.
func confirm(fsys fs.FS, path, digest string) error {
	if info, err := fs.Stat(fsys, path); err == nil && !info.Mode().IsRegular() {
		return nil // a pipe gives back nothing
	}
	found, err := evidence.Named(fsys, []string{path})
	if err != nil {
		return fmt.Errorf("reading back what was written: %w", err)
	}
	for _, c := range found.Candidates {
		if c.Digest() == digest {
			return nil
		}
	}
	return fmt.Errorf("reading back %s: it does not hold the bundle that was written; next: look at what else writes there, and run it again", path)
}

// verifyCommand is how anybody verifies the first of the bundle's subjects.
func (s *signing) verifyCommand(m made) string {
	subject := m.subjects[0]
	target := m.file
	if commit := subject.Digest[artifact.GitCommit]; commit != "" {
		target = "gitCommit:" + commit
	} else if target == "" {
		target = "sha256:" + subject.Digest[artifact.SHA256]
	}
	args := []string{"signatus", "verify", target}
	if m.file == "" || m.place.exactly || filepath.Dir(m.file) != filepath.Dir(m.shown.Path) {
		args = append(args, "--bundle", m.shown.Path)
	}
	if signer := m.verified.Signer(); s.who.key == nil {
		args = append(args, "--certificate-identity", signer.SAN, "--certificate-oidc-issuer", signer.Issuer)
	} else {
		args = append(args, "--key", "PUBLIC_KEY")
	}
	if !provenance.Is(s.said.predicateType) {
		args = append(args, "--predicate-type", s.said.predicateType)
	}
	for _, r := range s.at.files {
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
