package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Keep writes a new file for later steps of the job, whole or not at all, and gives its
// path. It lies where [Paths.Join] puts its file, or where nothing else is shared, in the
// workspace, under the given name with something at random before its extension.
func (p Paths) Keep(getenv func(string) string, name string, write func(io.Writer) error) (string, error) {
	folder, err := p.temporary(getenv)
	if err != nil {
		folder = p.workspace
	}
	if !filepath.IsAbs(folder) {
		return "", errors.New("no folder is shared with later steps; next: let this see RUNNER_TEMP, or the workspace")
	}
	kind := filepath.Ext(name)
	base := strings.TrimSuffix(name, kind) + "-" + rand.Text() + kind
	file, err := os.OpenFile(filepath.Join(folder, base), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("writing %s for later steps: %w", name, err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return "", fmt.Errorf("writing %s for later steps: %w", name, errors.Join(err, os.Remove(file.Name())))
	}
	return file.Name(), giveTo(folder, base)
}
