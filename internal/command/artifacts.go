package command

import (
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
	digest artifact.DigestSet // empty where there is a path
}

// maxChecksums bounds a checksums file, in bytes.
const maxChecksums = 4 << 20

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
	if len(targets) == 0 {
		return nil, usage("name a file or a digest: signatus verify ARTIFACT --bundle FILE …", "no artifact to verify")
	}
	return targets, nil
}

// parseTarget reads a path, "-", ALGORITHM:HEX or oci://NAME@DIGEST. What looks
// like a digest is one; a file of such a name is written ./sha256:….
func parseTarget(env Env, arg string) (target, error) {
	if arg == "" {
		return target{}, usage("name a file or a digest", "an artifact's name is empty")
	}
	if name, ok := strings.CutPrefix(arg, "oci://"); ok {
		_, digest, found := strings.Cut(name, "@")
		set, err := artifact.ParseDigest(digest)
		if !found || err != nil {
			return target{}, usage("name the image by digest: oci://NAME@sha256:HEX", "image %s is not named by digest: a tag can move", arg)
		}
		return target{given: arg, digest: set}, nil
	}
	if alg, _, ok := strings.Cut(arg, ":"); ok && slices.Contains(artifact.Accepted(), artifact.Algorithm(alg)) {
		set, err := artifact.ParseDigest(arg)
		if err != nil {
			return target{}, usage("write ALGORITHM:HEX, or ./"+arg+" for a file of that name", "%w", err)
		}
		return target{given: arg, digest: set}, nil
	}
	if info, err := fs.Stat(env.FS, arg); err == nil && info.IsDir() {
		return target{}, usage("name the files in it", "%s is a directory: an artifact is a file", arg)
	}
	return target{given: arg, name: filepath.Base(arg), path: arg}, nil
}

// readChecksums reads the lines of sha256sum or sha512sum: a digest, white
// space, an optional "*", and a name. Each line is an artifact known by digest.
func readChecksums(env Env, path string) ([]target, error) {
	data, err := evidence.Read(env.FS, path, maxChecksums)
	if err != nil {
		return nil, undecided("check --checksums", fmt.Errorf("reading checksums %s: %w", path, err))
	}
	var targets []target
	for n, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		digest, name, ok := strings.Cut(line, " ")
		name = strings.TrimPrefix(strings.TrimPrefix(name, " "), "*")
		alg, known := map[int]string{64: "sha256", 96: "sha384", 128: "sha512"}[len(digest)]
		if !ok || name == "" || !known {
			return nil, &exitError{code: ExitDenied, err: fmt.Errorf("reading checksums %s line %d: expected a hex digest and a name, as sha256sum writes them", path, n+1), next: "make the file with sha256sum or sha512sum"}
		}
		set, err := artifact.ParseDigest(alg + ":" + digest)
		if err != nil {
			return nil, &exitError{code: ExitDenied, err: fmt.Errorf("reading checksums %s line %d: %w", path, n+1, err), next: "make the file with sha256sum or sha512sum"}
		}
		targets = append(targets, target{given: name, name: filepath.Base(name), digest: set})
	}
	if len(targets) == 0 {
		return nil, &exitError{code: ExitDenied, err: fmt.Errorf("reading checksums %s: it lists nothing", path), next: "make the file with sha256sum"}
	}
	return targets, nil
}

// hash reads the artifact once and gives its digests. For a target known by
// digest there is nothing to read.
func (t target) hash(env Env, algorithms []artifact.Algorithm) (artifact.Artifact, error) {
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
	a.Digest, err = artifact.Hash(bar.reader(source), algorithms...)
	bar.done()
	return a, cause(err)
}

func (t target) open(env Env) (io.ReadCloser, int64, error) {
	if t.path == "-" {
		return io.NopCloser(env.Stdin), 0, nil
	}
	file, err := env.FS.Open(t.path)
	if err != nil {
		return nil, 0, cause(err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(cause(err), file.Close())
	}
	return file, info.Size(), nil
}

// cause takes the operation and the path off an error: the caller names both.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
