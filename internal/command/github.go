package command

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/identity"
)

// openGitHub prepares a client of the GitHub that GITHUB_SERVER_URL and GITHUB_API_URL
// name, with the token that gh would take.
func openGitHub(env Env) (*github.Client, error) {
	client, err := github.Open(github.Options{
		Server: env.Getenv("GITHUB_SERVER_URL"), API: env.Getenv("GITHUB_API_URL"), Token: githubToken(env),
		HTTP: env.HTTP, Agent: "signatus/" + env.Version, Now: env.Now,
		Again: func(why *github.Error, wait time.Duration) { env.waiting(why, wait) },
	})
	if err != nil {
		return nil, usage("", "%w", err)
	}
	return client, nil
}

// githubToken is the token for GitHub, as gh looks for it.
func githubToken(env Env) identity.Token {
	return identity.NewToken(strings.TrimSpace(cmp.Or(env.Getenv("GH_TOKEN"), env.Getenv("GITHUB_TOKEN"))))
}

// chosenRepository is a repository at GitHub, and how it was chosen.
type chosenRepository struct {
	github.Repository
	how string // empty where the caller named it
}

// githubRepository is the one that the caller named with --repo; or else the origin of
// the git repository in or around a folder, and then the job's.
func githubRepository(env Env, given, folder string) (chosenRepository, error) {
	server := env.Getenv("GITHUB_SERVER_URL")
	if given != "" {
		named, err := github.ParseRepository(given, server)
		if err != nil {
			return chosenRepository{}, usage("", "reading --repo: %w", err)
		}
		return chosenRepository{Repository: named}, nil
	}
	origin, unknown := originAt(folder, server)
	if unknown == nil {
		return chosenRepository{Repository: origin, how: "the origin of the git repository here"}, nil
	}
	job := env.Getenv("GITHUB_REPOSITORY")
	if job == "" {
		what, _, _ := strings.Cut(unknown.Error(), "; next: ")
		return chosenRepository{}, usage("name it with --repo OWNER/NAME", "at GitHub, which repository? %s", what)
	}
	ours, err := github.ParseRepository(job, server)
	if err != nil {
		return chosenRepository{}, usage("", "reading GITHUB_REPOSITORY: %w", err)
	}
	return chosenRepository{Repository: ours, how: "the job's repository"}, nil
}

func originAt(folder, server string) (github.Repository, error) {
	repository, err := gitrepo.Find(cmp.Or(folder, "."))
	if err != nil {
		return github.Repository{}, err
	}
	origin, err := repository.Origin()
	if err != nil {
		return github.Repository{}, err
	}
	return github.ParseRepository(origin.Text, server)
}

// releaseTag is the tag of a release that the caller named; or else the one that the
// job runs for.
func releaseTag(env Env, given string) (string, error) {
	if given == "" && env.Getenv("GITHUB_REF_TYPE") == "tag" {
		given = env.Getenv("GITHUB_REF_NAME")
	}
	if given == "" {
		return "", errors.New("a release is found by its tag, and this is no job for one")
	}
	return given, nil
}

// sayWhere tells how a repository was chosen.
func (c chosenRepository) sayWhere() string {
	if c.how == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", c.how)
}
