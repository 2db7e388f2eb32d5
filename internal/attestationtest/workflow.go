package attestationtest

import (
	"cmp"
	"strings"
)

const (
	githubServer = "https://github.com"
	githubIssuer = "https://token.actions.githubusercontent.com"
)

// WorkflowClaims is one run of a GitHub Actions workflow, by the claims of its
// OIDC token. Every empty field but Environment means the value shown.
type WorkflowClaims struct {
	Repository   string // "acme/app"
	RepositoryID string // "728493015"
	OwnerID      string // "98120477"

	Workflow     string // the file: ".github/workflows/release.yml"
	WorkflowName string // "release"
	WorkflowSHA  string // commit of the file: SHA
	// JobWorkflowRef is the reusable workflow that ran the job, such as
	// "acme/builder/.github/workflows/build.yml@refs/tags/v1". Without one it
	// is Repository/Workflow@Ref.
	JobWorkflowRef string
	JobWorkflowSHA string // commit of the reusable workflow: WorkflowSHA

	Ref     string // "refs/heads/main"
	SHA     string // "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261"
	Trigger string // the event: "push"

	RunID             string // "8373487125"
	RunAttempt        string // "1"
	RunnerEnvironment string // "github-hosted"
	Visibility        string // "public"
	Environment       string // deployment environment; empty means none
}

// WithDefaults returns the claims with every empty field but Environment set.
func (c WorkflowClaims) WithDefaults() WorkflowClaims {
	c.Repository = cmp.Or(c.Repository, "acme/app")
	c.RepositoryID = cmp.Or(c.RepositoryID, "728493015")
	c.OwnerID = cmp.Or(c.OwnerID, "98120477")
	c.Ref = cmp.Or(c.Ref, "refs/heads/main")
	c.SHA = cmp.Or(c.SHA, "3f2a9c1d5e8b7a604132c9f0d8e7b6a594837261")
	c.Trigger = cmp.Or(c.Trigger, "push")
	c.Workflow = cmp.Or(c.Workflow, ".github/workflows/release.yml")
	c.WorkflowName = cmp.Or(c.WorkflowName, "release")
	c.WorkflowSHA = cmp.Or(c.WorkflowSHA, c.SHA)
	c.JobWorkflowRef = cmp.Or(c.JobWorkflowRef, c.workflowRef())
	c.JobWorkflowSHA = cmp.Or(c.JobWorkflowSHA, c.WorkflowSHA)
	c.RunID = cmp.Or(c.RunID, "8373487125")
	c.RunAttempt = cmp.Or(c.RunAttempt, "1")
	c.RunnerEnvironment = cmp.Or(c.RunnerEnvironment, "github-hosted")
	c.Visibility = cmp.Or(c.Visibility, "public")
	return c
}

// workflowRef is the claim workflow_ref: the workflow that the event started.
func (c WorkflowClaims) workflowRef() string { return c.Repository + "/" + c.Workflow + "@" + c.Ref }

func (c WorkflowClaims) repositoryURI() string { return githubServer + "/" + c.Repository }

func (c WorkflowClaims) owner() string {
	owner, _, _ := strings.Cut(c.Repository, "/")
	return owner
}

// runURI is one attempt of the run.
func (c WorkflowClaims) runURI() string {
	return c.repositoryURI() + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt
}

// subject is the claim sub.
func (c WorkflowClaims) subject() string {
	switch {
	case c.Environment != "":
		return "repo:" + c.Repository + ":environment:" + c.Environment
	case c.Trigger == "pull_request":
		return "repo:" + c.Repository + ":pull_request"
	default:
		return "repo:" + c.Repository + ":ref:" + c.Ref
	}
}

// Workflow returns the run as Fulcio certifies it: the URI of the job's
// workflow as its name, and the extensions .1 to .6, .8 to .22 and .24, and
// .23 with an Environment.
func Workflow(claims WorkflowClaims) Identity {
	c := claims.WithDefaults()
	extensions := map[string]string{
		"githubWorkflowTrigger":               c.Trigger,
		"githubWorkflowSHA":                   c.SHA,
		"githubWorkflowName":                  c.WorkflowName,
		"githubWorkflowRepository":            c.Repository,
		"githubWorkflowRef":                   c.Ref,
		"buildSignerURI":                      githubServer + "/" + c.JobWorkflowRef,
		"buildSignerDigest":                   c.JobWorkflowSHA,
		"runnerEnvironment":                   c.RunnerEnvironment,
		"sourceRepositoryURI":                 c.repositoryURI(),
		"sourceRepositoryDigest":              c.SHA,
		"sourceRepositoryRef":                 c.Ref,
		"sourceRepositoryIdentifier":          c.RepositoryID,
		"sourceRepositoryOwnerURI":            githubServer + "/" + c.owner(),
		"sourceRepositoryOwnerIdentifier":     c.OwnerID,
		"buildConfigURI":                      githubServer + "/" + c.workflowRef(),
		"buildConfigDigest":                   c.WorkflowSHA,
		"buildTrigger":                        c.Trigger,
		"runInvocationURI":                    c.runURI(),
		"sourceRepositoryVisibilityAtSigning": c.Visibility,
		"tokenSubject":                        c.subject(),
	}
	if c.Environment != "" {
		extensions["deploymentEnvironment"] = c.Environment
	}
	return Identity{
		URI:        githubServer + "/" + c.JobWorkflowRef,
		Issuer:     githubIssuer,
		Extensions: extensions,
	}
}
