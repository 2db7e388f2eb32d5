package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files of a sandbox's folder. The two of the environment and sandbox.json
// are removed at the end; the others stay, so that what was signed can still be
// verified.
const (
	trustedRootFile   = "trusted_root.json"
	signingConfigFile = "signing_config.json"
	endpointsFile     = "sandbox.json"
	jobEnvFile        = "env"
	personEnvFile     = "env.person"
)

// Folder is where a sandbox writes what others need of it.
type Folder struct {
	sandbox *Sandbox
	dir     string // absolute
	work    string // GITHUB_WORKSPACE
}

// Folder prepares the folder, which is made if need be, and writes everything;
// env comes last. Jobs run in the folder work.
func (s *Sandbox) Folder(dir, work string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", dir, err)
	}
	f := &Folder{sandbox: s, dir: dir, work: work}
	if err := f.write(); err != nil {
		return nil, fmt.Errorf("preparing %s: %w", dir, err)
	}
	return f, nil
}

// Dir returns the folder's absolute path.
func (f *Folder) Dir() string { return f.dir }

func (f *Folder) write() error {
	if err := os.MkdirAll(filepath.Join(f.dir, "runner", "temp"), 0o700); err != nil {
		return err
	}
	if err := f.Retire(); err != nil {
		return err
	}
	event, err := f.sandbox.event()
	if err != nil {
		return err
	}
	endpoints, err := json.MarshalIndent(f.sandbox.endpoints, "", "  ")
	if err != nil {
		return err
	}
	files := []struct {
		name    string
		content []byte
	}{
		{trustedRootFile, append(f.sandbox.TrustedRoot(), '\n')},
		{signingConfigFile, f.sandbox.SigningConfig()},
		{eventFile, event},
	}
	for _, command := range runnerFiles() {
		files = append(files, struct {
			name    string
			content []byte
		}{command[1], nil})
	}
	files = append(files, []struct {
		name    string
		content []byte
	}{
		{endpointsFile, append(endpoints, '\n')},
		{personEnvFile, f.PersonScript()},
		{jobEnvFile, f.JobScript()},
	}...)
	for _, file := range files {
		if err := f.replace(file.name, file.content); err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file so that nobody sees half of it.
func (f *Folder) replace(name string, content []byte) error {
	path := filepath.Join(f.dir, name)
	temporary := path + ".new"
	// The environment holds the job's bearer token.
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Retire removes what points to a sandbox that answers.
func (f *Folder) Retire() error {
	var errs []error
	for _, name := range []string{jobEnvFile, personEnvFile, endpointsFile} {
		if err := os.Remove(filepath.Join(f.dir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Variable is one of the environment.
type Variable struct{ Name, Value string }

// Variables are the addresses of the sandbox:
//
//	SIGNATUS_SANDBOX_DIR             the folder
//	SIGNATUS_SANDBOX_TRUSTED_ROOT    trusted_root.json
//	SIGNATUS_SANDBOX_SIGNING_CONFIG  signing_config.json
//	SIGNATUS_SANDBOX_FULCIO_URL      base URL
//	SIGNATUS_SANDBOX_REKOR_V1_URL    base URL
//	SIGNATUS_SANDBOX_REKOR_V2_URL    base URL
//	SIGNATUS_SANDBOX_TSA_URL         where a query is posted
//	SIGNATUS_SANDBOX_OIDC_ISSUER     where people log in
//	SIGNATUS_SANDBOX_CONTROL_URL     where it is told about faults
func (f *Folder) Variables() []Variable {
	const prefix = "SIGNATUS_SANDBOX_"
	e := f.sandbox.endpoints
	return []Variable{
		{prefix + "DIR", f.dir},
		{prefix + "TRUSTED_ROOT", filepath.Join(f.dir, trustedRootFile)},
		{prefix + "SIGNING_CONFIG", filepath.Join(f.dir, signingConfigFile)},
		{prefix + "FULCIO_URL", e.Fulcio},
		{prefix + "REKOR_V1_URL", e.RekorV1},
		{prefix + "REKOR_V2_URL", e.RekorV2},
		{prefix + "TSA_URL", e.TSA},
		{prefix + "OIDC_ISSUER", e.Issuer},
		{prefix + "CONTROL_URL", e.Control},
	}
}

// JobScript returns shell commands that make a shell the job of the workflow.
func (f *Folder) JobScript() []byte {
	return exports(append(f.Variables(), f.JobVariables()...))
}

// PersonScript returns shell commands that make a shell somebody's at a desk.
func (f *Folder) PersonScript() []byte {
	var script strings.Builder
	script.WriteString("unset")
	for _, variable := range f.JobVariables() {
		script.WriteString(" " + variable.Name)
	}
	script.WriteString("\n")
	return append([]byte(script.String()), exports(f.Variables())...)
}

func exports(variables []Variable) []byte {
	var script strings.Builder
	for _, variable := range variables {
		script.WriteString("export " + variable.Name + "='" + strings.ReplaceAll(variable.Value, "'", `'\''`) + "'\n")
	}
	return []byte(script.String())
}
