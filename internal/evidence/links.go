package evidence

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Bounds of a folder of links. A folder beyond them is refused, never read in
// part.
const (
	MaxLinks       = 10_000 // link files, those of sublayouts included
	MaxLinkFolders = 1_000
	MaxSublayouts  = 8 // how deep sublayouts nest
	linkSuffix     = ".link"
)

// Links reads the link metadata of a folder: its files *.link, and for each the
// folder of the same name, if there is one, that holds the links of a sublayout.
//
// "The name of the directory will have the same format as the link metadata
// filename without the .link metadata suffix." (in-toto 1.0, 4.5.2) No other
// folder is looked at, so that a folder of links may be any folder.
func Links(fsys fs.FS, dir string) (*attestation.LinkFolder, error) {
	r := &linkReader{fsys: fsys}
	folder, err := r.folder(dir, 0)
	if err != nil {
		return nil, fmt.Errorf("reading links %s: %w", dir, err)
	}
	return folder, nil
}

type linkReader struct {
	fsys           fs.FS
	files, folders int
	bytes          int64
}

func (r *linkReader) folder(dir string, depth int) (*attestation.LinkFolder, error) {
	if r.folders++; r.folders > MaxLinkFolders {
		return nil, fmt.Errorf("more than %d folders of sublayouts", MaxLinkFolders)
	}
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		return nil, artifact.Cause(err)
	}
	folder := &attestation.LinkFolder{Path: dir, Folders: map[string]*attestation.LinkFolder{}}
	folders := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() {
			folders[e.Name()] = true
		}
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), linkSuffix)
		if !ok || e.IsDir() {
			continue
		}
		file, err := r.file(filepath.Join(dir, e.Name()), name)
		if err != nil {
			return nil, err
		}
		folder.Files = append(folder.Files, file)
		// Deeper ones are refused by whoever finds a sublayout there.
		if folders[name] && depth <= MaxSublayouts {
			if folder.Folders[name], err = r.folder(filepath.Join(dir, name), depth+1); err != nil {
				return nil, err
			}
		}
	}
	return folder, nil
}

// file reads one link file. What it holds may be anything; that alone is no
// error of the folder.
func (r *linkReader) file(path, name string) (attestation.LinkFile, error) {
	if r.files++; r.files > MaxLinks {
		return attestation.LinkFile{}, fmt.Errorf("more than %d links", MaxLinks)
	}
	file := attestation.LinkFile{Name: name}
	unreadable := func(err error) attestation.LinkFile {
		file.Refused = &attestation.Refusal{Source: path, ID: verdict.SourceUnreadable, Err: err}
		return file
	}
	// What is no file is not read: a pipe would wait for ever.
	if info, err := fs.Stat(r.fsys, path); err != nil {
		return unreadable(artifact.Cause(err)), nil
	} else if !info.Mode().IsRegular() {
		return unreadable(fmt.Errorf("it is no regular file")), nil
	}
	data, err := Read(r.fsys, path, attestation.MaxBundleSize)
	if err != nil {
		return unreadable(err), nil
	}
	if r.bytes += int64(len(data)); r.bytes > MaxFolderBytes {
		return file, fmt.Errorf("more than %d MiB of links", int64(MaxFolderBytes)>>20)
	}
	file.Envelope, file.Refused = attestation.ReadEnvelope(path, data)
	return file, nil
}
