package intotopeer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/command"
)

// answer is ours.
type answer struct {
	code     int
	findings []string // their ids
	reasons  []string // the ids of why links do not count
	text     string   // the report, or what was said in its place
}

func (a answer) allowed() bool { return a.code == command.ExitAllowed }

// signatus verifies a case through the command line.
func signatus(t *testing.T, c Case) answer {
	t.Helper()
	args := []string{"verify", "--format", "json", "--layout", c.Layout, "--link-dir", c.Links}
	for _, key := range c.Keys {
		args = append(args, "--layout-key", key)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		args = append(args, "--param", name+"="+c.Params[name])
	}
	args = append(args, "--allow-inspections")
	if c.Work != "" {
		args = append(args, "--inspection-dir", c.Work)
	}
	var stdout, stderr bytes.Buffer
	err := command.Run(t.Context(), command.Env{
		Args: args, Getenv: os.Getenv, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		FS: disk{}, Now: time.Now(), HTTP: &http.Client{Transport: noNetwork{}}, Version: "v0.0.0-test",
	})
	found := answer{code: command.ExitCode(err), text: stderr.String()}
	var report struct {
		Verdicts []struct {
			Findings []struct {
				ID    string `json:"id"`
				Found string `json:"found"`
			} `json:"findings"`
			Evidence []struct {
				Reason struct {
					ID    string `json:"id"`
					Found string `json:"found"`
				} `json:"reason"`
			} `json:"evidence"`
		} `json:"verdicts"`
	}
	if stdout.Len() == 0 {
		return found
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("%s: reading the report: %v", c.Name, err)
	}
	for _, v := range report.Verdicts {
		for _, f := range v.Findings {
			found.findings = append(found.findings, f.ID)
			found.text += f.ID + ": " + f.Found + "\n"
		}
		for _, e := range v.Evidence {
			if e.Reason.ID != "" {
				found.reasons = append(found.reasons, e.Reason.ID)
				found.text += e.Reason.ID + ": " + e.Reason.Found + "\n"
			}
		}
	}
	return found
}

// disk opens paths as they are.
type disk struct{}

func (disk) Open(name string) (fs.File, error)          { return os.Open(name) }
func (disk) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (disk) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// noNetwork has every request fail: nothing here needs one.
type noNetwork struct{}

func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network in this test")
}
