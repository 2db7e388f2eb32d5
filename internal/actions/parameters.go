package actions

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Parameters are what an event passes to a workflow, as raw JSON objects; nil for
// none. They are the runner's word: the token says nothing of them.
type Parameters struct {
	Inputs  []byte // of workflow_dispatch
	Release []byte // of release: what differs from the default
}

// ReadParameters reads the parameters of the event that started this run.
func ReadParameters(getenv func(string) string) (Parameters, error) {
	event := getenv("GITHUB_EVENT_NAME")
	if event != "workflow_dispatch" && event != "release" {
		return Parameters{}, nil
	}
	p, err := readPayload(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return Parameters{}, fmt.Errorf("reading the parameters of the %s event: %w", event, err)
	}
	if event == "workflow_dispatch" {
		if p.Inputs.Kind() != '{' {
			return Parameters{}, nil // null: the workflow has none
		}
		return Parameters{Inputs: p.Inputs}, nil
	}
	return p.release()
}

// release keeps what is not the default.
//
// "Only includes the parameters are passed to the workflow. As of API version
// 2022-11-28, this is: body, draft, name, prerelease, target_commitish. [...]
// filtering out default values" (community buildType, release). target_commitish
// is by default the repository's default branch.
func (p payload) release() (Parameters, error) {
	r, values := p.Release, map[string]any{}
	for name, value := range map[string]string{"body": r.Body, "name": r.Name, "target_commitish": r.TargetCommitish} {
		if value != "" && (name != "target_commitish" || value != p.Repository.DefaultBranch) {
			values[name] = value
		}
	}
	for name, value := range map[string]bool{"draft": r.Draft, "prerelease": r.Prerelease} {
		if value {
			values[name] = value
		}
	}
	if len(values) == 0 {
		return Parameters{}, nil
	}
	data, err := json.Marshal(values, json.Deterministic(true), jsontext.AllowInvalidUTF8(false))
	if err != nil {
		return Parameters{}, fmt.Errorf("reading the parameters of the release event: %w", err)
	}
	return Parameters{Release: data}, nil
}
