package command

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
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
	f.registerPublicLog(flags)
	flags.BoolVar(&f.otherHead, "allow-other-head", false, "attest although another commit is checked out than the job's: it is recorded as asserted in the provenance, and no layout that joins on the commit allows the bundle")
}

// registerPublicLog is for what is signed without regard to what is checked out.
func (f *guardFlags) registerPublicLog(flags *pflag.FlagSet) {
	flags.BoolVar(&f.publicLog, "allow-public-log", false, "let a repository that is not public be named in logs that anybody can read, for good")
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
	if err := f.checkVisibility(env, g); err != nil {
		return nil, err
	}
	if g.who.job == nil || g.commit != nil {
		return nil, nil // the statement names the commit; nothing was built from what is checked out
	}
	return f.checkHead(env, g.who.job, doc)
}

// checkVisibility guards the name of the repository: whatever is not known to be
// public stops before Fulcio is asked anything where there are logs, as the
// certificate alone would publish the name. (TestGuards, TestPublic)
func (f *guardFlags) checkVisibility(env Env, g guarded) error {
	switch {
	case f.publicLog:
		return nil
	case g.who.job == nil || g.who.key != nil:
		return g.checkSent(env)
	case g.who.job.Public() || !g.at.public():
		return nil
	}
	next := "sign with --key alone or with an instance that has no logs, such as --instance github; or, if these logs may hold the name, as those of an instance of your own may, say --allow-public-log"
	if g.at.name == instancePublicGood {
		next = "leave --instance public-good out, and GitHub's own instance signs, which has no logs; or, if anybody may know the name, say --allow-public-log"
	}
	return &exitError{
		code: ExitDenied,
		err:  fmt.Errorf("the repository %s is %s, and its name would be in %s for anybody to read, for good; nothing was sent", g.who.job.Repository, visibility(g.who.job.Visibility), g.at.logs()),
		next: next,
	}
}

// checkSent guards what a key or a person signs in a job: nobody's certificate names the
// repository, but a log of Rekor v1 is sent the whole statement, which may, and holds
// its digest and who signed for anybody to read. Where the token says nothing of the
// repository, the event does. Outside of a job, nobody knows. (TestInstancesOfKeys)
func (g guarded) checkSent(env Env) error {
	repository, seen := env.Getenv("GITHUB_REPOSITORY"), actions.Visibility(env.Getenv)
	switch {
	case len(g.at.services.Rekor) == 0:
		return nil
	case g.who.job != nil:
		repository, seen = g.who.job.Repository, g.who.job.Visibility
	case env.Getenv("GITHUB_ACTIONS") != "true":
		return nil
	}
	if seen == "public" {
		return nil
	}
	next := "sign with --key alone, or with an instance that has no logs; or, if these logs may learn of it, say --allow-public-log"
	if g.who.key != nil {
		next = "leave --instance and --signing-config out, and the key signs without a log; or, if these logs may learn of it, say --allow-public-log"
	}
	return &exitError{
		code: ExitDenied,
		err:  fmt.Errorf("the repository %s is %s, and what is signed in it would be sent to %s, where anybody can read of it, for good; nothing was sent", report.Clean(repository), visibility(seen), g.at.logs()),
		next: next,
	}
}

// checkHead compares what is checked out with the token's commit: around the working
// directory, where one builds, and in the runner's workspace.
func (f *guardFlags) checkHead(env Env, job *provenance.Claims, doc *report.Signed) (*provenance.Descriptor, error) {
	looked := false
	for _, folder := range []string{".", env.Getenv("GITHUB_WORKSPACE")} {
		if folder == "" {
			continue // no runner, no workspace
		}
		repository, err := checkout(folder)
		if errors.Is(err, gitrepo.ErrNoRepository) {
			continue
		}
		looked = true
		var head gitrepo.Commit
		if err == nil {
			head, err = repository.Commit("HEAD")
		}
		switch where := report.Clean(folder); {
		case err != nil && f.otherHead:
			doc.Notes = append(doc.Notes, fmt.Sprintf("the commit that is checked out in %s could not be read: %v", where, err))
		case err != nil:
			return nil, undecided("check out the job's commit, or attest without comparing with --allow-other-head", fmt.Errorf("comparing what is checked out in %s with the job's commit %.7s: %w", where, job.SHA, err))
		case head.ID == job.SHA:
		case !f.otherHead:
			return nil, &exitError{
				code: ExitDenied,
				err:  fmt.Errorf("commit %.12s is checked out in %s, and the job's identity speaks for commit %.12s of %s: who verifies would believe that this was built from the latter", head.ID, where, job.SHA, job.Repository),
				next: "check out the job's commit before you build; or, if the build is of something else, record that with --allow-other-head",
			}
		default:
			return f.record(repository, head, recording{job: job, doc: doc})
		}
	}
	if !looked {
		doc.Notes = append(doc.Notes, "nothing is checked out here or in the workspace, so what was built was not compared with the job's commit")
	}
	return nil, nil
}

// checkout finds the repository around a folder. The commit of a submodule follows
// from that of the repository around it.
func checkout(folder string) (*gitrepo.Repository, error) {
	repository, err := gitrepo.Find(folder)
	for err == nil {
		around, none := repository.Around()
		if errors.Is(none, gitrepo.ErrNoRepository) {
			return repository, nil
		}
		repository, err = around, none
	}
	return nil, err
}

// recording is what another commit is recorded for.
type recording struct {
	job *provenance.Claims
	doc *report.Signed
}

// record describes the commit that is checked out in place of the job's, and says what
// comes of it.
func (f *guardFlags) record(repository *gitrepo.Repository, head gitrepo.Commit, r recording) (*provenance.Descriptor, error) {
	own, err := ownSource(r.job)
	if err != nil {
		return nil, err
	}
	name, err := repository.Origin()
	if err != nil {
		name = own
	}
	consequence := "no layout that joins on the commit allows such a bundle, and verify without a layout does not either"
	if name != own {
		consequence = fmt.Sprintf("it is of %s, and a layout that allows the job's own source alone refuses such a bundle", name)
	}
	r.doc.Notes = append(r.doc.Notes, fmt.Sprintf("commit %.12s is checked out in place of the job's %.12s, and it is recorded as asserted: %s", head.ID, r.job.SHA, consequence))
	return describeCommit(name, head)
}

// ownSource is the job's repository as rules name it.
func ownSource(job *provenance.Claims) (artifact.Name, error) {
	server, err := job.ServerURL()
	if err != nil {
		return artifact.Name{}, err
	}
	return artifact.GitRemote(server + "/" + job.Repository)
}

func describeCommit(name artifact.Name, commit gitrepo.Commit) (*provenance.Descriptor, error) {
	subject, err := commit.Subject(name)
	if err != nil {
		return nil, err
	}
	digest := map[string]string{}
	for alg, value := range subject.Digest {
		digest[string(alg)] = value
	}
	return &provenance.Descriptor{URI: subject.URI, Digest: digest}, nil
}
