package command

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
)

// target is one artifact that the caller named: a file to be hashed, standard
// input, or a digest.
type target struct {
	given  string
	name   string             // base name; empty for a bare digest
	path   string             // empty where the digest is known
	beside string             // path that bundles lie beside; empty for the working directory
	image  string             // NAME@DIGEST of an image; empty for all else
	digest artifact.DigestSet // empty where there is a path
}

// standardInput is the path of the artifact that is read from there.
const standardInput = "-"

// parseTargets reads the artifacts of a command line.
func parseTargets(env Env, args []string, checksums string) ([]target, error) {
	var targets []target
	for _, arg := range args {
		t, err := parseTarget(env, arg)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	if checksums != "" {
		listed, err := readChecksums(env, checksums)
		if err != nil {
			return nil, err
		}
		targets = append(targets, listed...)
	}
	isStdin := func(t target) bool { return t.path == standardInput }
	if first := slices.IndexFunc(targets, isStdin); first >= 0 && slices.ContainsFunc(targets[first+1:], isStdin) {
		return nil, usage("name it once", "standard input is named twice and can be read once")
	}
	if len(targets) == 0 {
		return nil, usage("name a file or a digest: signatus verify ARTIFACT --bundle FILE …", "no artifact to verify")
	}
	return targets, nil
}

// expand puts the files that a glob finds in its place, as attest does: a step of a
// workflow has no shell to do so. It must find one, and what exists as it is written is no
// glob. What is called as a bundle is no artifact, and a warning names it. (TestVerifyGlobs)
func expand(env Env, args []string) (expanded, warnings []string, err error) {
	for _, arg := range args {
		if _, err := fs.Stat(env.FS, arg); !strings.ContainsAny(arg, "*?[{") || !errors.Is(err, fs.ErrNotExist) || strings.Contains(arg, "://") {
			expanded = append(expanded, arg)
			continue
		}
		files, bundles, err := artifact.FindFiles(env.FS, []string{arg})
		if err != nil {
			return nil, nil, usage("name a file, or correct the glob", "%w", err)
		}
		for _, f := range files {
			expanded = append(expanded, asFile(f.Path))
		}
		if len(bundles) > 0 {
			warnings = append(warnings, fmt.Sprintf("%s passes over what is called as a bundle, and nothing is decided of it: %s", arg, strings.Join(bundles, ", ")))
		}
	}
	return expanded, warnings, nil
}

// asFile is a path that parseTarget takes for nothing else: a glob finds files that are
// called "-" or sha256:HEX too.
func asFile(path string) string {
	if path == standardInput || strings.Contains(path, ":") && !filepath.IsAbs(path) {
		return "./" + path
	}
	return path
}

// parseTarget reads a path, "-", ALGORITHM:HEX or oci://NAME@DIGEST. What looks
// like a digest is one; a file of such a name is written ./sha256:….
func parseTarget(env Env, arg string) (target, error) {
	switch arg {
	case "":
		return target{}, usage("name a file or a digest; is a variable unset?", "an artifact's name is empty")
	case standardInput:
		return target{given: arg, path: arg}, nil
	}
	if name, ok := strings.CutPrefix(arg, "oci://"); ok {
		_, digest, found := strings.Cut(name, "@")
		if !found {
			return target{}, usage("name the image by digest: oci://NAME@sha256:HEX", "image %s is not named by digest: a tag can move", arg)
		}
		set, err := artifact.ParseDigest(digest)
		if err != nil {
			return target{}, usage("name the image by digest: oci://NAME@sha256:HEX", "image %s: %w", arg, err)
		}
		return target{given: arg, image: name, digest: set}, nil
	}
	if alg, _, ok := strings.Cut(arg, ":"); ok && slices.Contains(artifact.InHand(), artifact.Algorithm(alg)) {
		set, err := artifact.ParseDigest(arg)
		if err != nil {
			next := "write ALGORITHM:HEX, or ./" + arg + " for a file of that name"
			if id := arg[len(alg)+1:]; strings.HasPrefix(alg, "git") && id != "" {
				next = "give the whole id:  git rev-parse " + shell(id)
			}
			return target{}, usage(next, "%w", err)
		}
		return target{given: arg, digest: set}, nil
	}
	switch info, err := fs.Stat(env.FS, arg); {
	case err == nil && info.IsDir():
		return target{}, usage("name the files in it", "%s is a directory: an artifact is a file", arg)
	case errors.Is(err, fs.ErrNotExist) && meant(arg) != "":
		return target{}, usage(meant(arg), "there is no file %s", arg)
	}
	return target{given: arg, name: filepath.Base(arg), path: arg, beside: arg}, nil
}

// meant is what to write instead of a name that is no file and looks like
// something else; empty where it does not.
func meant(arg string) string {
	isHex := func(s string) bool {
		_, err := hex.DecodeString(s)
		return err == nil && len(s) >= 32
	}
	_, digest, _ := strings.Cut(arg, ":")
	switch {
	case strings.Contains(arg, "://"):
		return "fetch it and name the file; an image is named oci://NAME@sha256:HEX"
	case isHex(arg), isHex(digest):
		return "name a digest as sha256:HEX, sha384:HEX, sha512:HEX or gitCommit:HEX"
	}
	return ""
}

// readChecksums reads what sha256sum and its like write. Each line is an artifact
// known by its digest.
func readChecksums(env Env, path string) ([]target, error) {
	data, err := evidence.Read(env.FS, path, artifact.MaxChecksumsBytes)
	if err != nil {
		return nil, undecided("check --checksums", fmt.Errorf("reading checksums %s: %w", path, err))
	}
	sums, err := artifact.ParseChecksums(data)
	if err != nil {
		return nil, unreadableSums(path, err)
	}
	var targets []target
	for _, sum := range sums {
		file := filepath.Base(sum.Name)
		if file == "." || file == ".." || file == string(filepath.Separator) {
			return nil, unreadableSums(path, fmt.Errorf("line %d: %q names no file", sum.Line, sum.Name))
		}
		targets = append(targets, target{given: sum.Name, name: file, beside: filepath.Join(filepath.Dir(path), file), digest: sum.Digest})
	}
	return targets, nil
}

// unreadableSums is a list that is no list of checksums.
func unreadableSums(path string, err error) error {
	return &exitError{code: ExitDenied, err: fmt.Errorf("reading checksums %s: %w", path, err), next: "make the file with sha256sum or sha512sum"}
}

// hash reads the artifact once and gives its digests. For a target known by
// digest there is nothing to read. It ends with ctx even where a read waits, as
// one of a terminal does.
func (t target) hash(ctx context.Context, env Env, algorithms []artifact.Algorithm) (artifact.Artifact, error) {
	a := artifact.Artifact{Given: t.given, Name: t.name, Digest: t.digest}
	if t.path == "" {
		return a, nil
	}
	source, size, err := t.open(env)
	if err != nil {
		return a, err
	}
	defer source.Close() //nolint:errcheck // it was only read
	bar := newProgress(env, "hashing "+t.given, size)
	defer bar.done()
	var digest artifact.DigestSet
	hashed := make(chan error, 1)
	go func() {
		hashed <- guard(func() (err error) {
			digest, err = artifact.Hash(bar.reader(source), algorithms...)
			return err
		})
	}()
	select {
	case err = <-hashed:
		a.Digest = digest
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return a, artifact.Cause(err)
}

func (t target) open(env Env) (io.ReadCloser, int64, error) {
	if t.path == standardInput {
		return io.NopCloser(env.Stdin), 0, nil
	}
	file, err := env.FS.Open(t.path)
	if err != nil {
		return nil, 0, artifact.Cause(err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(artifact.Cause(err), file.Close())
	}
	return file, info.Size(), nil
}
