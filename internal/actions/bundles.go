package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// createdPaths is the file of the runner's temporary folder that names what was attested
// in the job, a path a line, as actions/attest keeps it.
//
// Source: https://github.com/actions/attest/blob/main/src/main.ts
const createdPaths = "created_attestation_paths.txt"

// Join puts the bundles of several files into a new one that later steps see, one bundle
// a line, and gives its path. It lies in the runner's temporary folder; where that is not
// mounted, in the home of the job's containers, which is a part of it; and else beside
// the file of outputs. Each line is written as it is, and the files stay.
func (p Paths) Join(getenv func(string) string, files []string) (string, error) {
	folder, err := p.temporary(getenv)
	if err != nil {
		return "", err
	}
	joined := filepath.Join(folder, "attestation-"+rand.Text()+".sigstore.jsonl")
	to, err := os.OpenFile(joined, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // as the files are
	if err != nil {
		return "", fmt.Errorf("joining bundles: %w", err)
	}
	for _, name := range files {
		if err = copyLines(to, name); err != nil {
			break
		}
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return "", fmt.Errorf("joining bundles: %w", errors.Join(err, os.Remove(joined)))
	}
	return joined, giveTo(folder, filepath.Base(joined))
}

// temporary is a folder for what is no file of the workspace.
func (p Paths) temporary(getenv func(string) string) (string, error) {
	for _, folder := range []string{getenv("RUNNER_TEMP"), getenv("HOME"), folderOf(getenv("GITHUB_OUTPUT"))} {
		if _, shared := p.There(folder); !shared {
			continue
		}
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder, nil
		}
	}
	return "", errors.New("joining bundles: no folder is shared with later steps; next: let this see RUNNER_TEMP")
}

// copyLines appends a file, whose last line may lack its end.
func copyLines(to io.Writer, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(data, '\n')
	}
	_, err = to.Write(data)
	return err
}

// NoteBundle appends the path of a file of bundles to what the job has attested, as its
// later steps call it. Where the runner's temporary folder is not seen, nothing is noted.
func (p Paths) NoteBundle(getenv func(string) string, path string) error {
	folder := getenv("RUNNER_TEMP")
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil
	}
	if _, shared := p.There(folder); !shared {
		return nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("noting the bundle in RUNNER_TEMP: %w", err)
	}
	defer root.Close() //nolint:errcheck // its files are closed by themselves
	_, err = root.Lstat(createdPaths)
	isNew := errors.Is(err, fs.ErrNotExist)
	list, err := root.OpenFile(createdPaths, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("noting the bundle in RUNNER_TEMP: %w", err)
	}
	_, err = io.WriteString(list, path+"\n")
	if err := errors.Join(err, list.Close()); err != nil {
		return fmt.Errorf("noting the bundle in RUNNER_TEMP: %w", err)
	}
	if isNew {
		return giveTo(folder, createdPaths)
	}
	return nil
}
