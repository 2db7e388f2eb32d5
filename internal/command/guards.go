package command

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/report"
)

// guardFlags are what attest refuses unless it is told otherwise, each with a word
// of its own, which the report repeats.
type guardFlags struct {
	publicLog bool
	otherHead bool
}

func (f *guardFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.publicLog, "allow-public-log", false, "let a repository that is not public be named in logs that anybody can read, for good")
	flags.BoolVar(&f.otherHead, "allow-other-head", false, "attest although another commit is checked out than the job's: it is recorded as asserted, and no layout that joins on the commit allows the bundle")
}

// given are the loosenings that the caller chose.
func (f *guardFlags) given() (loosenings []string) {
	if f.publicLog {
		loosenings = append(loosenings, "--allow-public-log")
	}
	if f.otherHead {
		loosenings = append(loosenings, "--allow-other-head")
	}
	return loosenings
}

// guarded is what is looked at before anybody outside is asked to sign.
type guarded struct {
	who    *credential
	at     instance
	commit *gitrepo.Commit // where a commit is attested
}

// check refuses to publish the name of a private repository, and to sign for a
// commit that is not checked out. It returns the other commit that is, if that is
// allowed.
func (f *guardFlags) check(env Env, g guarded, doc *report.Signed) (*provenance.Descriptor, error) {
	if g.who.job == nil {
		return nil, nil
	}
	if err := f.checkVisibility(g); err != nil {
		return nil, err
	}
	if g.commit != nil {
		return nil, nil // the statement names the commit; nothing was built from what is checked out
	}
	return f.checkHead(env, g.who.job, doc)
}

// checkVisibility guards the name of the repository.
//
// "Private, internal and unknown visibility stop before the Fulcio request when the
// instance has public logs: the certificate alone would publish the name."
// (docs/attest.md; TestAttestVisibility)
func (f *guardFlags) checkVisibility(g guarded) error {
	if g.who.key != nil || g.who.job.Public() || f.publicLog || !g.at.public() {
		return nil
	}
	visibility := "of unknown visibility"
	if v := g.who.job.Visibility; v != "" {
		visibility = v
	}
	return &exitError{
		code: ExitDenied,
		err:  fmt.Errorf("the repository %s is %s, and its name would be in %s for anybody to read, for good; nothing was sent", g.who.job.Repository, visibility, g.at.logs()),
		next: "sign with an instance of your own (--signing-config and --trusted-root) or with --key, or publish the name with --allow-public-log",
	}
}

// checkHead compares what is checked out with the token's commit.
func (f *guardFlags) checkHead(env Env, job *provenance.Claims, doc *report.Signed) (*provenance.Descriptor, error) {
	folder := env.Getenv("GITHUB_WORKSPACE")
	if folder == "" {
		folder = "."
	}
	repository, err := gitrepo.Find(folder)
	if errors.Is(err, gitrepo.ErrNoRepository) {
		doc.Notes = append(doc.Notes, "nothing is checked out here, so what was built was not compared with the job's commit")
		return nil, nil
	}
	var head gitrepo.Commit
	if err == nil {
		head, err = repository.Commit("HEAD")
	}
	switch {
	case err != nil && f.otherHead:
		doc.Notes = append(doc.Notes, fmt.Sprintf("the commit that is checked out could not be read: %v", err))
		return nil, nil
	case err != nil:
		return nil, undecided("check out the job's commit, or attest without comparing with --allow-other-head", fmt.Errorf("comparing what is checked out in %s with the job's commit %.7s: %w", folder, job.SHA, err))
	case head.ID == job.SHA:
		return nil, nil
	case !f.otherHead:
		return nil, &exitError{
			code: ExitDenied,
			err:  fmt.Errorf("commit %.12s is checked out in %s, and the job's identity speaks for commit %.12s of %s: who verifies would believe that this was built from the latter", head.ID, folder, job.SHA, job.Repository),
			next: "check out the job's commit before you build; or, if the build is of something else, record that with --allow-other-head",
		}
	}
	doc.Notes = append(doc.Notes, fmt.Sprintf("commit %.12s is checked out in place of the job's %.12s: it is recorded as asserted, and no layout that joins on the commit allows such a bundle", head.ID, job.SHA))
	return otherHead(repository, head, job)
}

// otherHead describes the commit that is checked out: of the origin's repository,
// or else of the job's.
func otherHead(repository *gitrepo.Repository, head gitrepo.Commit, job *provenance.Claims) (*provenance.Descriptor, error) {
	name, err := repository.Origin()
	if err != nil {
		server, err := job.ServerURL()
		if err != nil {
			return nil, err
		}
		if name, err = artifact.GitRemote(server + "/" + job.Repository); err != nil {
			return nil, err
		}
	}
	subject, err := head.Subject(name)
	if err != nil {
		return nil, err
	}
	digest := map[string]string{}
	for alg, value := range subject.Digest {
		digest[string(alg)] = value
	}
	return &provenance.Descriptor{URI: subject.URI, Digest: digest}, nil
}
