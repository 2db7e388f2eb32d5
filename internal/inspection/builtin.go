package inspection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// The built-in inspections, as the first word of an inspection's "run". A verifier
// that does not know them looks for programs of these names, finds none, and
// denies: there is no slash in them, so that none can lie in the folder that is
// inspected.
const (
	builtInPrefix = "signatus:"
	// VerifyArtifact has the artifact in hand as its material and its product:
	//	["signatus:verify-artifact"]        under the file's own name
	//	["signatus:verify-artifact", NAME]  under that name
	VerifyArtifact = builtInPrefix + "verify-artifact"
	// List has an archive of the folder as its material, and what is in it as its
	// products:
	//	["signatus:list", FILE]             tar, tar compressed with gzip, zip
	List = builtInPrefix + "list"
)

// builtIn carries out an inspection that executes nothing.
func (i *Inspector) builtIn(ctx context.Context, run []string) (Record, error) {
	switch arguments := run[1:]; {
	case run[0] == VerifyArtifact && len(arguments) <= 1:
		return i.verifyArtifact(arguments)
	case run[0] == List && len(arguments) == 1:
		return i.list(ctx, arguments[0])
	}
	return Record{}, fail(fmt.Sprintf("write %s [NAME] or %s FILE", VerifyArtifact, List),
		"%s is no built-in inspection of this version", strings.Join(run, " "))
}

// verifyArtifact records the artifact in hand, so that the layout's rules can
// MATCH it. It has SHA-256 alone where there is one, as in-toto records files.
func (i *Inspector) verifyArtifact(arguments []string) (Record, error) {
	const next = "name the artifact on the command line: signatus verify ARTIFACT --layout …"
	held := i.config.InHand
	if len(held.Digest) == 0 {
		return Record{}, fail(next, "%s: no artifact is in hand", VerifyArtifact)
	}
	name := held.Name
	if len(arguments) == 1 {
		name = arguments[0]
	}
	if name == "" {
		return Record{}, fail(fmt.Sprintf("name a file, or write %s NAME in the layout", VerifyArtifact),
			"%s: the artifact in hand is a digest and has no name", VerifyArtifact)
	}
	digest := held.Digest
	if sha256, ok := digest[artifact.SHA256]; ok {
		digest = artifact.DigestSet{artifact.SHA256: sha256}
	}
	return Record{Materials: Artifacts{name: digest}, Products: Artifacts{name: digest}}, nil
}

// list reads an archive of the folder, or of its copy once a command has run.
func (i *Inspector) list(ctx context.Context, name string) (Record, error) {
	folder := i.config.Folder
	if i.scratch != nil {
		folder = i.scratch.work()
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Record{}, fmt.Errorf("opening the folder of inspections: %w", err)
	}
	defer root.Close() //nolint:errcheck // it was only read
	file, err := openRegular(root, name)
	if err != nil {
		return Record{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read

	digest, size, err := hashAtMost(&patientReader{ctx, file}, i.config.Limits.Bytes)
	if err != nil {
		return Record{}, archiveProblem(ctx, name, i.config.Limits, err)
	}
	record := Record{Materials: Artifacts{path.Clean(name): digest}}
	if record.Products, err = listArchive(ctx, io.NewSectionReader(file, 0, size), name, i.config.Limits); err != nil {
		return record, archiveProblem(ctx, name, i.config.Limits, err)
	}
	return record, nil
}

func openRegular(root *os.Root, name string) (*os.File, error) {
	const next = "run signatus where the file is, or name its folder with --inspection-dir"
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(next, "%s: there is no file %s in the folder", List, name)
	case err != nil:
		return nil, fail(next, "%s: %s cannot be found in the folder: %v", List, name, artifact.Cause(err))
	case !info.Mode().IsRegular():
		return nil, fail(next, "%s: %s is no file", List, name)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return file, nil
}
