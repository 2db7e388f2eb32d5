package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/report"
)

// maxAtGitHub is how many bundles one run stores at GitHub.
//
// "In general, no more than 80 content-generating requests per minute and no more than
// 500 content-generating requests per hour are allowed."
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
const maxAtGitHub = 500

// openGitHubSink prepares to keep bundles at GitHub: of the repository that the caller
// named, or else the job's, which its token is for, or else the origin of the one here.
func openGitHubSink(env Env, asked store, s storing) (sink, error) {
	given := "--store " + asked.kind
	if n := len(s.plan); n > maxAtGitHub {
		return nil, usage("leave --one-per-subject out, or attest them in parts", "%s: %d bundles, and GitHub takes at most %d in an hour", given, n, maxAtGitHub)
	}
	client, err := openGitHub(env)
	if err != nil {
		return nil, err
	}
	at, err := storedAt(env, s.repo)
	if err != nil {
		return nil, err
	}
	to := githubSink{client: client, repository: at}
	if asked.kind == storeGitHub {
		return &attestationsSink{to}, nil
	}
	tag, err := releaseTag(env, asked.argument)
	if err != nil {
		return nil, usage("write --store release=TAG", "%s: %w", given, err)
	}
	return &releaseSink{githubSink: to, of: github.Tagged{Repository: at.Repository, Tag: tag}, bundles: len(s.plan)}, nil
}

// storedAt is the repository at GitHub that bundles are stored at.
func storedAt(env Env, given string) (chosenRepository, error) {
	job := env.Getenv("GITHUB_REPOSITORY")
	if given != "" || job == "" {
		return githubRepository(env, given, ".")
	}
	at, err := github.ParseRepository(job, env.Getenv("GITHUB_SERVER_URL"))
	if err != nil {
		return chosenRepository{}, usage("", "reading GITHUB_REPOSITORY: %w", err)
	}
	return chosenRepository{Repository: at}, nil // a job stores at its own; that is nothing to tell
}

// githubSink is what the two sinks there share.
type githubSink struct {
	client     *github.Client
	repository chosenRepository
}

func (githubSink) takes(planned) bool { return true }

// where is a place in the repository, as reports name it.
func (g githubSink) where(what string) string {
	return what + " of " + g.client.Host() + "/" + g.repository.String()
}

// note tells how the repository was chosen, where the caller did not.
func (g githubSink) note() string {
	if g.repository.how == "" {
		return ""
	}
	return fmt.Sprintf("stored at %s/%s, %s; --repo names another", g.client.Host(), g.repository, g.repository.how)
}

// maxQuickly is how many bundles are stored without a rest between them: of more, GitHub's
// limit of a minute would be met.
const maxQuickly = 60

// each stores the bundles one after the other. Once GitHub is not reached, or does not let
// in, it is not asked for the next one.
//
// "To avoid exceeding secondary rate limits, you should make requests serially instead of
// concurrently."
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
func (g githubSink) each(ctx context.Context, bundles []made, where string, put func(made) (kept, error)) (all []kept) {
	var down error
	for i, m := range bundles {
		k, err := kept{}, down
		if down == nil {
			if i > 0 && len(bundles) > maxQuickly {
				g.client.Rest(ctx)
			}
			k, err = put(m)
		}
		k.err, k.note, k.Bundle, k.Where = err, g.note(), m.number, cmp.Or(k.Where, where)
		if err != nil && !aboutOne(err) {
			down = err
		}
		all = append(all, k)
	}
	return all
}

// aboutOne tells whether an error is about one bundle, so that the next one may fare
// better.
func aboutOne(err error) bool {
	refused, ok := errors.AsType[*github.Error](err)
	return !ok || refused.Status == http.StatusConflict || refused.Status == http.StatusRequestEntityTooLarge || refused.Status == http.StatusUnprocessableEntity
}

// attestationsSink keeps bundles as attestations of a repository.
type attestationsSink struct{ githubSink }

func (a *attestationsSink) check(ctx context.Context) error {
	if err := a.client.ReadyForAttestations(ctx, a.repository.Repository); err != nil {
		return undecided("", err)
	}
	return nil
}

func (a *attestationsSink) put(ctx context.Context, bundles []made) []kept {
	all := a.each(ctx, bundles, a.where("attestations"), func(m made) (kept, error) {
		stored, err := a.client.PutAttestation(ctx, a.repository.Repository, digestInHand(m.subjects[0].Digest), m.bundle)
		if err != nil {
			return kept{}, err
		}
		k := kept{Stored: report.Stored{URL: stored.URL, Already: stored.Already}, find: []string{"--from", fromGitHub, "--repo", a.repository.String()}}
		if stored.ID != 0 {
			k.ID = strconv.FormatInt(stored.ID, 10)
			k.Where = a.where("attestation " + k.ID)
		}
		return k, nil
	})
	for i := range all {
		all[i].Sink = storeGitHub
	}
	return all
}

// releaseSink keeps bundles as assets of a release.
type releaseSink struct {
	githubSink
	of      github.Tagged
	bundles int
}

func (r *releaseSink) check(ctx context.Context) error {
	if err := r.client.ReadyForAssets(ctx, r.of, r.bundles); err != nil {
		return undecided("", err)
	}
	return nil
}

func (r *releaseSink) put(ctx context.Context, bundles []made) []kept {
	release := "the release " + r.of.Tag
	all := r.each(ctx, bundles, r.where(release), func(m made) (kept, error) {
		stored, err := r.client.PutAsset(ctx, r.of, assetName(m), m.bundle)
		if err != nil {
			return kept{}, err
		}
		return kept{
			Stored: report.Stored{Where: r.where(stored.Name + " in " + release), ID: strconv.FormatInt(stored.ID, 10), URL: stored.URL, Already: stored.Already},
			find:   []string{"--from", fromRelease + "=" + r.of.Tag, "--repo", r.repository.String()},
		}, nil
	})
	for i := range all {
		all[i].Sink = storeRelease
	}
	return all
}

// assetName is where whoever downloads the artifact looks for its bundle: beside it, or
// under the name of those about several.
func assetName(m made) string {
	name := "attestation"
	switch {
	case m.subjects[0].Digest[artifact.GitCommit] != "":
		name = "commit-" + m.subjects[0].Digest[artifact.GitCommit]
	case m.file != "" && len(m.subjects) == 1:
		name = filepath.Base(m.file)
	}
	return name + ".sigstore.json"
}
