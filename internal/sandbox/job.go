package sandbox

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const eventFile = "runner/event.json"

// runnerFiles are the files through which a step speaks to the runner.
func runnerFiles() [][2]string {
	return [][2]string{
		{"GITHUB_ENV", "runner/env"},
		{"GITHUB_OUTPUT", "runner/output"},
		{"GITHUB_PATH", "runner/path"},
		{"GITHUB_STATE", "runner/state"},
		{"GITHUB_STEP_SUMMARY", "runner/summary"},
	}
}

// JobVariables are what a runner sets for a job with these claims.
func (f *Folder) JobVariables() []Variable {
	claims := f.sandbox.config.workflowClaims(claimChanges{}).values()
	variables := []Variable{
		{"CI", "true"},
		{"GITHUB_ACTIONS", "true"},
		{"GITHUB_ACTION", "__run"},
		{"GITHUB_ACTOR", claims["actor"]},
		{"GITHUB_ACTOR_ID", claims["actor_id"]},
		{"GITHUB_API_URL", "https://api.github.com"},
		{"GITHUB_BASE_REF", claims["base_ref"]},
		{"GITHUB_EVENT_NAME", claims["event_name"]},
		{"GITHUB_EVENT_PATH", filepath.Join(f.dir, eventFile)},
		{"GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"},
		{"GITHUB_HEAD_REF", claims["head_ref"]},
		{"GITHUB_JOB", "build"},
		{"GITHUB_REF", claims["ref"]},
		{"GITHUB_REF_NAME", refName(claims["ref"])},
		{"GITHUB_REF_PROTECTED", claims["ref_protected"]},
		{"GITHUB_REF_TYPE", claims["ref_type"]},
		{"GITHUB_REPOSITORY", claims["repository"]},
		{"GITHUB_REPOSITORY_ID", claims["repository_id"]},
		{"GITHUB_REPOSITORY_OWNER", claims["repository_owner"]},
		{"GITHUB_REPOSITORY_OWNER_ID", claims["repository_owner_id"]},
		{"GITHUB_RETENTION_DAYS", "90"},
		{"GITHUB_RUN_ATTEMPT", claims["run_attempt"]},
		{"GITHUB_RUN_ID", claims["run_id"]},
		{"GITHUB_RUN_NUMBER", claims["run_number"]},
		{"GITHUB_SERVER_URL", "https://github.com"},
		{"GITHUB_SHA", claims["sha"]},
		{"GITHUB_TRIGGERING_ACTOR", claims["actor"]},
		{"GITHUB_WORKFLOW", claims["workflow"]},
		{"GITHUB_WORKFLOW_REF", claims["workflow_ref"]},
		{"GITHUB_WORKFLOW_SHA", claims["workflow_sha"]},
		{"GITHUB_WORKSPACE", f.work},
		{"RUNNER_ARCH", map[string]string{"amd64": "X64", "arm64": "ARM64", "386": "X86", "arm": "ARM"}[runtime.GOARCH]},
		{"RUNNER_ENVIRONMENT", claims["runner_environment"]},
		{"RUNNER_NAME", "GitHub Actions 1"},
		{"RUNNER_OS", map[string]string{"linux": "Linux", "darwin": "macOS", "windows": "Windows"}[runtime.GOOS]},
		{"RUNNER_TEMP", filepath.Join(f.dir, "runner", "temp")},
		{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", f.sandbox.endpoints.IDTokenRequest},
		{"ACTIONS_ID_TOKEN_REQUEST_URL", f.sandbox.endpoints.IDTokenURL},
	}
	for _, file := range runnerFiles() {
		variables = append(variables, Variable{file[0], filepath.Join(f.dir, file[1])})
	}
	return variables
}

// refName is the short name of a ref: "main", "v1.0", "7/merge".
func refName(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/pull/"} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			return name
		}
	}
	return ref
}

// Environ returns the environment of a command: base without what another
// runner has set, and everything of the sandbox. A command without idToken
// lacks the permission id-token: write.
func (f *Folder) Environ(base []string, idToken bool) []string {
	var environ []string
	for _, variable := range base {
		name, _, _ := strings.Cut(variable, "=")
		foreign := name == "CI"
		for _, prefix := range []string{"GITHUB_", "RUNNER_", "ACTIONS_", "SIGNATUS_SANDBOX_"} {
			foreign = foreign || strings.HasPrefix(name, prefix)
		}
		if !foreign {
			environ = append(environ, variable)
		}
	}
	for _, variable := range append(f.Variables(), f.JobVariables()...) {
		if idToken || !strings.HasPrefix(variable.Name, "ACTIONS_ID_TOKEN_") {
			environ = append(environ, variable.Name+"="+variable.Value)
		}
	}
	return environ
}

// event is what GITHUB_EVENT_PATH holds: the parts of a webhook's payload that
// the claims decide.
func (s *Sandbox) event() ([]byte, error) {
	claims := s.config.workflowClaims(claimChanges{}).values()
	repository := map[string]any{
		"id":         number(claims["repository_id"]),
		"name":       claims["repository"][strings.IndexByte(claims["repository"], '/')+1:],
		"full_name":  claims["repository"],
		"private":    claims["repository_visibility"] != "public",
		"visibility": claims["repository_visibility"],
		"html_url":   "https://github.com/" + claims["repository"],
		"owner": map[string]any{
			"login": claims["repository_owner"],
			"id":    number(claims["repository_owner_id"]),
		},
		"default_branch": "main",
		"fork":           false,
	}
	payload := map[string]any{
		"repository": repository,
		"sender":     map[string]any{"login": claims["actor"], "id": number(claims["actor_id"])},
	}
	switch claims["event_name"] {
	case "push":
		payload["ref"] = claims["ref"]
		payload["after"] = claims["sha"]
	case "pull_request", "pull_request_target":
		payload["action"] = "synchronize"
		payload["pull_request"] = map[string]any{
			"merged": false,
			"head":   map[string]any{"ref": claims["head_ref"], "sha": claims["sha"], "repo": repository},
			"base":   map[string]any{"ref": claims["base_ref"], "sha": s.config.base(claims["sha"]), "repo": repository},
		}
	case "merge_group":
		payload["action"] = "checks_requested"
		payload["merge_group"] = map[string]any{
			"head_ref": claims["ref"], "head_sha": claims["sha"],
			"base_ref": "refs/heads/" + claims["base_ref"], "base_sha": s.config.base(claims["sha"]),
		}
	case "release":
		payload["action"] = "published"
		payload["release"] = map[string]any{"tag_name": refName(claims["ref"])}
	case "workflow_dispatch":
		payload["ref"] = claims["ref"]
		payload["inputs"] = map[string]any{}
	}
	encoded, err := json.MarshalIndent(payload, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the event: %w", err)
	}
	return append(encoded, '\n'), nil
}

// number is an id as a webhook has it, if it is one.
func number(id string) any {
	if _, err := strconv.ParseUint(id, 10, 64); err != nil {
		return id
	}
	return json.Number(id)
}
