package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitrepo"
)

// subjectFlags say what is attested.
type subjectFlags struct {
	patterns  []string
	name      string
	subjects  []string
	checksums []string
	images    []string
	children  bool
	commit    string
	repo      string
	sha512    bool
}

func (f *subjectFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "subject-name", "", "call the one file that is attested `NAME` in the statement, in place of its base name")
	flags.StringArrayVar(&f.subjects, "subject", nil, "attest `NAME@ALGORITHM:HEX`, for example an image by digest (repeatable)")
	flags.StringArrayVar(&f.checksums, "checksums", nil, "attest each file that `FILE` lists, as sha256sum or sha512sum writes it (repeatable)")
	f.registerImages(flags)
	flags.StringVar(&f.commit, "commit", "", "attest the commit `REV`: HEAD, a branch, a tag or an id")
	flags.StringVar(&f.repo, "repo", "", "the `URL` of the commit's repository (default: its remote origin); for --store github and release, also OWNER/NAME (default: the job's)")
	flags.BoolVar(&f.sha512, "sha512", false, "state the SHA-512 of files too")
}

func (f *subjectFlags) check() error {
	files := len(f.patterns)+len(f.subjects)+len(f.checksums)+len(f.images) > 0
	switch {
	case !f.children && len(f.images) == 0:
		return usage("name the image with --image NAME@sha256:HEX", "--image-children goes with --image")
	case f.commit != "" && files:
		return usage("attest them one after the other", "--commit is attested alone: it is an author's word, and files are a builder's")
	case f.name != "" && len(f.patterns) == 0:
		return usage("name the file, or give the name in --subject NAME@DIGEST", "--subject-name names a file, and none is attested")
	case f.commit == "" && !files:
		return usage("name files: signatus attest PATH..., or a commit: signatus attest --commit HEAD", "nothing to attest")
	}
	return nil
}

// foundSubjects are subjects that were found, their files not read yet.
type foundSubjects struct {
	files  []artifact.File
	known  []artifact.Subject // by their digests
	lists  []string           // folders of the lists of checksums
	images []imageSubject     // those of known that are images in a registry
	commit *gitrepo.Commit
	// repository is the commit's.
	repository *gitrepo.Repository
	sha512     bool
	notes      []string
}

// find looks for everything that was named, so that what is missing is said
// before anybody logs in.
func (f *subjectFlags) find(ctx context.Context, env Env, login registryFlags) (foundSubjects, error) {
	found := foundSubjects{sha512: f.sha512}
	if f.commit != "" {
		err := f.findCommit(&found)
		return found, err
	}
	var err error
	if found.files, _, err = artifact.FindFiles(env.FS, f.patterns); err != nil {
		return foundSubjects{}, notFound(err)
	}
	if err := f.rename(found.files); err != nil {
		return foundSubjects{}, err
	}
	for _, s := range f.subjects {
		subject, err := artifact.ParseSubject(s)
		if err != nil {
			return foundSubjects{}, usage("write NAME@sha256:HEX", "%w", err)
		}
		found.known = append(found.known, subject)
	}
	for _, list := range f.checksums {
		if err := found.list(env, list); err != nil {
			return foundSubjects{}, err
		}
	}
	found.known = artifact.Once(found.known)
	if err := found.checkNames(); err != nil {
		return foundSubjects{}, err
	}
	if err := f.findImages(ctx, env, imageSearch{login: login, found: &found}); err != nil {
		return foundSubjects{}, err
	}
	err = found.checkNames()
	return found, err
}

// rename calls the one file as the caller does.
func (f *subjectFlags) rename(files []artifact.File) error {
	switch {
	case f.name == "":
		return nil
	case len(files) != 1:
		return usage("attest them apart, each under its name", "--subject-name names one file, and %d are attested", len(files))
	}
	named, err := files[0].As(f.name)
	if err != nil {
		return usage("give another name", "--subject-name: %w", err)
	}
	files[0] = named
	return nil
}

// notFound tells what the command line got wrong from what could not be read.
func notFound(err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); ok || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return undecided("check the path and its permissions", err)
	}
	return usage("name files: signatus attest PATH...", "%w", err)
}

// list reads a list of checksums.
func (found *foundSubjects) list(env Env, path string) error {
	data, err := evidence.Read(env.FS, path, artifact.MaxChecksumsBytes)
	if err != nil {
		return undecided("check --checksums", fmt.Errorf("reading checksums %s: %w", path, err))
	}
	sums, err := artifact.ParseChecksums(data)
	if err != nil {
		return unreadableSums(path, err)
	}
	for _, sum := range sums {
		subject, err := artifact.ChecksumSubject(path, sum)
		if err != nil {
			return &exitError{code: ExitDenied, err: fmt.Errorf("reading checksums %w", err), next: "make the list in the folder of the files: cd dist && sha256sum *"}
		}
		found.known = append(found.known, subject)
	}
	found.lists = append(found.lists, filepath.Dir(path))
	return nil
}

// checkNames refuses two subjects of one name before the files are read.
func (found *foundSubjects) checkNames() error {
	if len(found.files)+len(found.known) == 0 {
		return nil // images are not looked for yet
	}
	named := found.known[:len(found.known):len(found.known)]
	for _, f := range found.files {
		named = append(named, artifact.Subject{Name: f.Name, Source: f.Path})
	}
	if err := artifact.CheckSubjects(named); err != nil {
		return usage("see signatus attest --help", "%w", err)
	}
	return nil
}

// nameOf is what the first subject of a statement is called.
func (found *foundSubjects) nameOf(p planned) string {
	if p.from < len(found.files) {
		return found.files[p.from].Name
	}
	return found.known[p.from-len(found.files)].Name
}

// findCommit resolves the commit and names its repository.
func (f *subjectFlags) findCommit(found *foundSubjects) error {
	repository, err := gitrepo.Find(".")
	if err != nil {
		next := "run it in the repository"
		if errors.Is(err, gitrepo.ErrNoRepository) {
			next = "run it in a clone of the repository, with the commit in it"
		}
		return undecided(next, fmt.Errorf("attesting commit %s: %w", f.commit, err))
	}
	commit, err := repository.Commit(f.commit)
	if errors.Is(err, gitrepo.ErrExpression) {
		return usage("", "attesting a commit: %w", err)
	}
	if err != nil {
		return undecided("name a branch, a tag or a commit of this repository", fmt.Errorf("attesting commit %s: %w", f.commit, err))
	}
	name, err := f.repository(repository, found)
	if err != nil {
		return err
	}
	subject, err := commit.Subject(name)
	if err != nil {
		return &exitError{code: ExitDenied, err: err, next: "name the commit by a branch, a tag or its id"}
	}
	found.commit, found.known, found.repository = &commit, []artifact.Subject{subject}, repository
	return nil
}

// repository is what --repo says, or the remote origin, which is then told.
func (f *subjectFlags) repository(repository *gitrepo.Repository, found *foundSubjects) (artifact.Name, error) {
	if f.repo != "" {
		remote := f.repo
		if !strings.Contains(remote, ":") && !strings.HasPrefix(remote, "/") && !strings.HasPrefix(remote, ".") {
			remote = "https://" + remote // as layouts and browsers write it
		}
		name, err := artifact.GitRemote(remote)
		if err != nil {
			return artifact.Name{}, usage("write --repo https://HOST/OWNER/NAME", "--repo names no repository: %w", err)
		}
		return name, nil
	}
	name, err := repository.Origin()
	if err != nil {
		return artifact.Name{}, undecided("name it with --repo https://HOST/OWNER/NAME", err)
	}
	found.notes = append(found.notes, fmt.Sprintf("the repository is %s, as its remote origin says; --repo names another", strings.TrimPrefix(name.Text, "git+")))
	return name, nil
}

// hash reads each file once, several at a time.
func (found *foundSubjects) hash(ctx context.Context, env Env) ([]artifact.Subject, error) {
	var total int64
	for _, f := range found.files {
		total += f.Size
	}
	var more []artifact.Algorithm
	if found.sha512 {
		more = append(more, artifact.SHA512)
	}
	label := fmt.Sprintf("hashing %d files", len(found.files))
	if len(found.files) == 1 {
		label = "hashing " + found.files[0].Path
	}
	bar := newProgress(env, label, total)
	defer bar.done()
	hashed := make([]artifact.Subject, len(found.files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range found.files {
		group.Go(func() error {
			return guard(func() (err error) {
				wrap := func(r io.Reader) io.Reader { return bar.reader(until(ctx, r)) }
				hashed[i], err = f.Hash(env.FS, wrap, more...)
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, interrupted(ctx, "hashing")
		}
		return nil, undecided("check the file and its permissions", err)
	}
	return slices.Concat(hashed, found.known), nil
}

// until is a reader that ends with ctx.
func until(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(b)
	})
}
