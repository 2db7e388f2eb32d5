package command

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// FuzzParseTarget: an argument is a path or a digest, never both and never
// neither, and what is refused is refused as wrong usage.
func FuzzParseTarget(f *testing.F) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for _, seed := range []string{
		"app", "./app", "-", "", "dir", "sha256:" + hex, "sha256:" + strings.ToUpper(hex), "sha512:" + hex + hex, "gitCommit:" + hex[:40],
		"sha256:", "sha256:zz", "md5:" + hex[:32], "oci://ghcr.io/acme/app@sha256:" + hex, "oci://app:latest", "oci://@", "oci://a@sha256:" + hex + "@sha256:" + hex,
	} {
		f.Add(seed)
	}
	env := Env{FS: fstest.MapFS{"app": {}, "dir/file": {}}}
	f.Fuzz(func(t *testing.T, arg string) {
		got, err := parseTarget(env, arg)
		if err != nil {
			if ExitCode(err) != ExitUsage {
				t.Errorf("%q: %v is not wrong usage", arg, err)
			}
			return
		}
		if got.given != arg || (got.path == "") == (len(got.digest) == 0) {
			t.Errorf("%q became %+v", arg, got)
		}
		whole(t, got.digest)
	})
}

// FuzzReadChecksums: a list is read as artifacts with one whole digest and a name
// each, or it is refused; no name leads out of the list's folder.
func FuzzReadChecksums(f *testing.F) {
	hex := strings.Repeat("0123456789abcdef", 4)
	for _, seed := range []string{
		hex + "  app\n", hex + " *app\r\n" + hex + hex + "  dist/app\n\n", hex, hex + "  \n", "\n", "SHA256 (app) = " + hex, "\\" + hex + "  a\\nb\n",
		hex + "  ../../etc/passwd\n", hex + "  ..\n", hex + "  /\n", strings.Repeat("g", 64) + "  app\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		targets, err := readChecksums(Env{FS: fstest.MapFS{"dist/sums": {Data: data}}}, "dist/sums")
		if err != nil {
			if code := ExitCode(err); code != ExitDenied && code != ExitUndecided {
				t.Errorf("%v: exit code %d", err, code)
			}
			return
		}
		if len(targets) == 0 {
			t.Error("a list of nothing was accepted")
		}
		for _, got := range targets {
			whole(t, got.digest)
			if got.given == "" || got.path != "" || len(got.digest) != 1 || !strings.HasPrefix(got.beside, "dist/") {
				t.Errorf("a line became %+v", got)
			}
		}
	})
}

// whole holds every digest to the length of its algorithm.
func whole(t *testing.T, digest artifact.DigestSet) {
	t.Helper()
	for alg, value := range digest {
		if _, err := artifact.ParseDigest(string(alg) + ":" + value); err != nil {
			t.Error(err)
		}
	}
}

// TestExitCode: no error that nobody classified is success.
func TestExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"no error":       {nil, ExitAllowed},
		"any error":      {errors.New("any"), ExitUndecided},
		"usage":          {usage("", "wrong"), ExitUsage},
		"undecided":      {undecided("", errors.New("any")), ExitUndecided},
		"wrapped":        {errors.Join(errors.New("any"), &exitError{code: ExitDenied}), ExitDenied},
		"code forgotten": {&exitError{err: errors.New("any")}, ExitUndecided},
		"a panic":        {guard(func() error { panic("any") }), ExitUndecided},
		"a nil panic":    {guard(func() error { panic(nil) }), ExitUndecided},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, expected %d", name, got, c.want)
		}
	}
}
