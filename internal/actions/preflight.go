package actions

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Unsigned tells why a run is none to sign in, whatever token it has: it is for a change
// that nobody of the repository has merged, and what is built from that must not bear
// the repository's name. It is empty for a run to sign in. The event decides, and one
// that cannot be read is an error, so that a run for such a change is never taken for
// another. The event that a pull request is merged is one to sign in, where the job has a
// token.
//
//   - a pull request from a fork, also where the event gives the job a token:
//     pull_request_target, and workflow_run behind it
//   - a pull request of Dependabot, what it pushes to its own branch, and any other run that
//     it started and that has no token; what it merged is merged
//   - a merge queue's run, and one for the push to its temporary branch
func Unsigned(getenv func(string) string) (Why, error) {
	event, bot := getenv("GITHUB_EVENT_NAME"), getenv("GITHUB_ACTOR") == dependabotActor
	switch {
	case event == "merge_group", strings.HasPrefix(getenv("GITHUB_REF"), queueBranch):
		return MergeQueue, nil
	case bot && (!hasIDToken(getenv) || strings.HasPrefix(getenv("GITHUB_REF"), dependabotBranch)):
		return Dependabot, nil
	case !fromPullRequest(event) && event != "workflow_run":
		return "", nil
	}
	p, err := readPayload(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return "", unreadable(event, err)
	}
	if fromPullRequest(event) && p.Action == "closed" && p.PullRequest.Merged && hasIDToken(getenv) {
		return "", nil
	}
	if bot && fromPullRequest(event) {
		return Dependabot, nil
	}
	fork, err := p.fromFork(event)
	if err != nil {
		return "", unreadable(event, err)
	}
	if fork {
		return Fork, nil
	}
	return "", nil
}

func unreadable(event string, err error) error {
	return fmt.Errorf("reading the %s event that started this run, whether it is of a fork: %w; next: let this see the runner's event file", event, err)
}

// dependabotActor is who starts Dependabot's runs; a person who starts one again does not
// change that.
const dependabotActor = "dependabot[bot]"

// The branches of changes that wait to be merged. GitHub makes the first for its merge
// queue; the second is where Dependabot pushes.
//
// Source: https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
const (
	queueBranch      = "refs/heads/gh-readonly-queue/"
	dependabotBranch = "refs/heads/dependabot/"
)

// fromPullRequest tells whether an event is about a pull request.
func fromPullRequest(event string) bool {
	base := baseOf(event)
	return base != nil && event != "merge_group"
}

func hasIDToken(getenv func(string) string) bool {
	return getenv("ACTIONS_ID_TOKEN_REQUEST_URL") != "" && getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") != ""
}

// fromFork tells whether the change is of another repository than the one that it is
// for. A repository that is gone was another one.
func (p payload) fromFork(event string) (bool, error) {
	base, head := p.PullRequest.Base.Repo, p.PullRequest.Head.Repo
	if event == "workflow_run" {
		base, head = p.Repository, p.WorkflowRun.HeadRepository
	}
	if base.FullName == "" {
		return false, errors.New("it names no repository")
	}
	return head.FullName != base.FullName, nil
}

// Run is what kind of a run it is, in words that go behind "this is".
func (w Why) Run() string {
	switch w {
	case Fork:
		return "a run for a pull request from a fork, and what it builds is not this repository's"
	case Dependabot:
		return "a run that Dependabot started, for a change that nobody has merged"
	case MergeQueue:
		return "a run of the merge queue, and the change is not merged yet"
	default:
		return "a run without an identity token"
	}
}

// Needs are what a run is about to do, as far as its job must allow for it.
type Needs struct {
	IDToken bool     // to sign as the job
	Sinks   []string // where bundles go, as --store calls them, and push for notes that are pushed
	// Token tells that a token for GitHub is there, whatever it may do: that GitHub alone
	// knows.
	Token bool
	// Step tells that inputs ask for it, so that a token is one, the workspace is where files
	// go, and later steps read outputs.
	Step bool
}

// Gap is what a job lacks, and what to write into its workflow.
type Gap struct {
	Lacks, Next string
}

func (g Gap) Error() string { return g.Lacks + "; next: " + g.Next }

// Preflight looks for all that the job lacks, as far as that can be known without
// asking anybody.
func Preflight(getenv func(string) string, n Needs) (gaps []error) {
	if n.IDToken && !hasIDToken(getenv) {
		gaps = append(gaps, idTokenGap(getenv, n))
	}
	asking := slices.DeleteFunc(slices.Clone(n.Sinks), func(sink string) bool { return sink != "github" && sink != "release" })
	if len(asking) > 0 && !n.Token {
		gap := Gap{
			Lacks: "storing at GitHub (" + strings.Join(asking, ", ") + "): no token is given",
			Next:  "add this line to the step, and to the job  " + PermissionsLine(n.IDToken, n.Sinks...) + ":  env: {GITHUB_TOKEN: \"${{ github.token }}\"}",
		}
		if n.Step {
			gap.Next = "leave the input github-token out, which is then the job's own, with  " + PermissionsLine(n.IDToken, n.Sinks...)
		}
		gaps = append(gaps, gap)
	}
	if n.Step {
		for _, check := range []func(func(string) string) error{checkWorkspace, checkOutputs} {
			if err := check(getenv); err != nil {
				gaps = append(gaps, err)
			}
		}
	}
	return gaps
}

// idTokenGap says why there is no identity token.
func idTokenGap(getenv func(string) string, n Needs) error {
	none := &NoTokenError{Why: (Runner{Getenv: getenv}).why(), Line: PermissionsLine(true, n.Sinks...)}
	if job := getenv("GITHUB_JOB"); isID(job) {
		none.Job = job
	}
	return none
}

// isID tells whether s is the id of a job, as a workflow may have it.
func isID(s string) bool {
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// checkWorkspace demands that files can be made in the workspace.
func checkWorkspace(getenv func(string) string) error {
	workspace, err := FindWorkspace(getenv)
	if err != nil {
		return err
	}
	if err := workspace.takesFiles(); err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err // the path is one of no meaning
		}
		return Gap{
			Lacks: fmt.Sprintf("writing to the workspace: %v", err),
			Next:  "free its disk, or let the job write there: a container's volume must not end in :ro",
		}
	}
	return nil
}

// checkOutputs demands that there is a file for outputs: what is signed can be told to no
// later step otherwise.
func checkOutputs(getenv func(string) string) error {
	if err := appendWhole(getenv("GITHUB_OUTPUT"), ""); err != nil {
		return Gap{
			Lacks: OutputsUnwritten + err.Error(),
			Next:  "let this see the runner's file of outputs",
		}
	}
	return nil
}

// Grant is a permission of a job's token.
type Grant struct {
	Name, Access string
}

// Grants are what a job's token must be granted to keep bundles somewhere, as --store
// calls it; push is for notes that are pushed. None for what is kept on the runner.
//
// docs/action.md has the same table. (TestGrantsAreDocumented)
func Grants(sink string) []Grant {
	switch sink {
	case "github":
		return []Grant{{"attestations", "write"}}
	case "oci":
		return []Grant{{"packages", "write"}}
	case "release", "push":
		return []Grant{{"contents", "write"}}
	default: // file, notes, dir
		return nil
	}
}

// PermissionsLine is the line for a job that signs and keeps bundles in all of these
// places. A permission that is not in it is not granted.
func PermissionsLine(idToken bool, sinks ...string) string {
	grants := []Grant{{"contents", "read"}}
	if idToken {
		grants = append([]Grant{{"id-token", "write"}}, grants...)
	}
	for _, sink := range sinks {
		for _, g := range Grants(sink) {
			at := slices.IndexFunc(grants, func(other Grant) bool { return other.Name == g.Name })
			if at < 0 {
				grants = append(grants, g)
			} else {
				grants[at].Access = g.Access
			}
		}
	}
	var words []string
	for _, g := range grants {
		words = append(words, g.Name+": "+g.Access)
	}
	return "permissions: {" + strings.Join(words, ", ") + "}"
}
