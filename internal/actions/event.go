// Package actions is the contract with the runner of GitHub Actions: the event that
// started a run, its parameters, the job's identity token, and a step's inputs,
// outputs, summary, log and workspace. It decides nothing, and what it cannot read it never
// takes for an absence: a run for a change that nobody has merged yet is an [Event]
// or an error.
package actions

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// maxEventBytes bounds an event. GitHub caps the payloads of webhooks at 25 MB.
const maxEventBytes = 32 << 20

// Event is a run for a change that is not merged, and what it is to be merged
// into.
type Event struct {
	Name      string // pull_request, pull_request_target, …, merge_group
	Base      string // the commit that the change is to be merged onto, in full
	Workspace string // the absolute path of the folder that is checked out into
}

// payload is what is read of an event.
type payload struct {
	Action      string `json:"action"` // closed, opened, …
	PullRequest struct {
		Merged bool `json:"merged"`
		Base   struct {
			SHA  string     `json:"sha"`
			Repo repository `json:"repo"`
		} `json:"base"`
		Head struct {
			Repo repository `json:"repo"`
		} `json:"head"`
	} `json:"pull_request"`
	WorkflowRun struct {
		HeadRepository repository `json:"head_repository"`
	} `json:"workflow_run"`
	MergeGroup struct {
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`
	Repository repository     `json:"repository"`
	Inputs     jsontext.Value `json:"inputs"`
	Release    struct {
		Body            string `json:"body"`
		Draft           bool   `json:"draft"`
		Name            string `json:"name"`
		Prerelease      bool   `json:"prerelease"`
		TargetCommitish string `json:"target_commitish"`
	} `json:"release"`
}

type repository struct {
	FullName      string `json:"full_name"`
	DefaultBranch string `json:"default_branch"`
	Visibility    string `json:"visibility"`
	Private       *bool  `json:"private"`
}

// ReadEvent tells whether this is a run for a change that is not merged: it is
// not for any other event, nor outside of GitHub Actions. A run for such an event
// whose base or workspace cannot be told is an error.
//
// The file is read here and not by go-githubactions, whose Context takes a
// missing file for an empty event, reads one of any size, takes the last of two
// equal keys, and fails on variables that this has no use for.
func ReadEvent(getenv func(string) string) (Event, bool, error) {
	event := Event{Name: getenv("GITHUB_EVENT_NAME"), Workspace: getenv("GITHUB_WORKSPACE")}
	base := baseOf(event.Name)
	if base == nil {
		return Event{}, false, nil
	}
	p, err := readPayload(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return Event{}, false, fmt.Errorf("reading the %s event that started this run: %w", event.Name, err)
	}
	if event.Base = base(p); !gitobject.ValidID(event.Base) {
		return Event{}, false, fmt.Errorf("reading the %s event that started this run: its base is %.80q, expected a commit's name", event.Name, event.Base)
	}
	if !filepath.IsAbs(event.Workspace) {
		return Event{}, false, fmt.Errorf("reading the %s event that started this run: GITHUB_WORKSPACE is %q, expected an absolute path", event.Name, event.Workspace)
	}
	return event, true, nil
}

// Visibility is what the event says of the job's repository, public, private or internal;
// empty where it says nothing, or cannot be read. It is public only where nothing in the
// event says otherwise.
func Visibility(getenv func(string) string) string {
	p, err := readPayload(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return ""
	}
	switch said, private := p.Repository.Visibility, p.Repository.Private; {
	case private == nil:
		return said
	case *private && (said == "" || said == "public"):
		return "private"
	case said == "":
		return "public" // older servers say no more
	default:
		return said
	}
}

// baseOf tells where an event names its base; nil for an event that is not about
// a change to be merged. The two about reviews check out the change just as
// pull_request does.
func baseOf(event string) func(payload) string {
	switch event {
	case "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment":
		return func(p payload) string { return p.PullRequest.Base.SHA }
	case "merge_group":
		return func(p payload) string { return p.MergeGroup.BaseSHA }
	default:
		return nil
	}
}

// readPayload reads what the runner wrote to GITHUB_EVENT_PATH.
func readPayload(path string) (payload, error) {
	if path == "" {
		return payload{}, errors.New("GITHUB_EVENT_PATH is not set")
	}
	file, err := os.Open(path)
	if err != nil {
		return payload{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxEventBytes+1))
	if err != nil {
		return payload{}, err
	}
	if len(data) > maxEventBytes {
		return payload{}, fmt.Errorf("%s has more than %d MiB, which is the most that is read", path, maxEventBytes>>20)
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return payload{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
