package endtoend

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// TestFaults has something wrong with each service. What passes is waited for;
// what does not is an error with the service, the next step and nothing written.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault   sandbox.Fault
		version string
		code    int
		says    []string
	}{
		"fulcio down":           {sandbox.Fault{Service: "fulcio", Mode: "down"}, "2", 3, []string{"asking Fulcio on 127.0.0.1:", "attempts", "next: try again later"}},
		"fulcio down once":      {sandbox.Fault{Service: "fulcio", Mode: "down", Times: 1}, "2", 0, nil},
		"fulcio garbage":        {sandbox.Fault{Service: "fulcio", Mode: "garbage"}, "2", 3, []string{"Fulcio", "cannot be used"}},
		"fulcio says no":        {sandbox.Fault{Service: "fulcio", Mode: "status", Status: 403}, "2", 1, []string{"it answered 403", "audience sigstore"}},
		"another key":           {sandbox.Fault{Service: "fulcio", Mode: "other-key"}, "2", 1, []string{"it is for another key"}},
		"another identity":      {sandbox.Fault{Service: "fulcio", Mode: "other-identity"}, "2", 1, []string{"checking the certificate", "mallory/app"}},
		"rekor v1 500 once":     {sandbox.Fault{Service: "rekor1", Mode: "status", Status: 500, Times: 1}, "1", 0, nil},
		"rekor v1 429":          {sandbox.Fault{Service: "rekor1", Mode: "status", Status: 429, RetryAfter: 1, Times: 1}, "1", 0, nil},
		"rekor v1 500":          {sandbox.Fault{Service: "rekor1", Mode: "status", Status: 500}, "1", 3, []string{"asking Rekor v1 on", "it answered 500", "next: try again later"}},
		"rekor v1 much later":   {sandbox.Fault{Service: "rekor1", Mode: "status", Status: 429, RetryAfter: 3600}, "1", 3, []string{"it asks to come back in 1h"}},
		"rekor v1 409":          {sandbox.Fault{Service: "rekor1", Mode: "conflict", Times: 1}, "1", 0, nil},
		"rekor v1 answer lost":  {sandbox.Fault{Service: "rekor1", Mode: "lost", Times: 1}, "1", 0, nil},
		"rekor v1 garbage":      {sandbox.Fault{Service: "rekor1", Mode: "garbage"}, "1", 3, []string{"Rekor v1", "cannot be used"}},
		"rekor v2 answer lost":  {sandbox.Fault{Service: "rekor2", Mode: "lost", Times: 1}, "2", 0, nil},
		"rekor v2 409":          {sandbox.Fault{Service: "rekor2", Mode: "conflict", Times: 1}, "2", 0, nil},
		"rekor v2 down":         {sandbox.Fault{Service: "rekor2", Mode: "down"}, "2", 3, []string{"Rekor v2"}},
		"rekor v2 garbage":      {sandbox.Fault{Service: "rekor2", Mode: "garbage"}, "2", 3, []string{"Rekor v2", "cannot be used"}},
		"tsa 503 once":          {sandbox.Fault{Service: "tsa", Mode: "status", Status: 503, Times: 1}, "2", 0, nil},
		"tsa down":              {sandbox.Fault{Service: "tsa", Mode: "down"}, "2", 3, []string{"the timestamp authority"}},
		"tsa garbage":           {sandbox.Fault{Service: "tsa", Mode: "garbage"}, "2", 3, []string{"the timestamp authority", "cannot be used"}},
		"tsa slow":              {sandbox.Fault{Service: "tsa", Mode: "slow", Delay: sandbox.Duration(2 * time.Second), Times: 1}, "2", 0, nil},
		"token service once":    {sandbox.Fault{Service: "github", Mode: "status", Status: 500, Times: 2}, "2", 0, nil},
		"token service down":    {sandbox.Fault{Service: "github", Mode: "down"}, "2", 3, []string{"asking GitHub Actions for an identity token", "tried 5 times"}},
		"token service garbage": {sandbox.Fault{Service: "github", Mode: "garbage"}, "2", 3, []string{"identity token", "the answer is not"}},
		"token service 403":     {sandbox.Fault{Service: "github", Mode: "status", Status: 403}, "2", 3, []string{"id-token: write"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{})
			w.fault(row.fault)
			r := w.attest("dist/app", "--rekor-version", row.version)
			if !r.has(row.code, row.says...) {
				t.Errorf("%+v", r)
			}
			if row.code != 0 && (len(w.bundles()) > 0 || !strings.Contains(r.stderr, "next:") || r.stdout != "") {
				t.Errorf("written: %v; said: %+v", w.bundles(), r)
			}
			if row.code == 0 && w.verify("dist/app").code != 0 {
				t.Error("what was written does not verify")
			}
		})
	}
}

// TestTokens are tokens that nobody should take.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	mail := func(r sandbox.TokenRequest) string { r.Kind = sandbox.Email; return w.token(r) }
	job := func(r sandbox.TokenRequest) string { r.Kind = sandbox.GitHub; return w.token(r) }
	for name, row := range map[string]struct {
		token string
		code  int
		says  []string
	}{
		"a job's":             {job(sandbox.TokenRequest{}), 0, nil},
		"another audience":    {job(sandbox.TokenRequest{Audience: "https://github.com/acme"}), 1, []string{`expected "sigstore"`, "next: ask the issuer"}},
		"expired":             {job(sandbox.TokenRequest{Lifetime: sandbox.Duration(-time.Minute)}), 1, []string{"it expired at"}},
		"a forger's":          {job(sandbox.TokenRequest{ForeignKey: true}), 1, []string{"asking Fulcio", "40"}},
		"of an issuer unseen": {job(sandbox.TokenRequest{Claims: map[string]string{"iss": "https://token.actions.githubusercontent.com.evil.example"}}), 1, []string{"claim iss"}},
		"half of one":         {job(sandbox.TokenRequest{Without: []string{"job_workflow_ref"}}), 1, []string{"claim job_workflow_ref is missing"}},
		"not verified":        {mail(sandbox.TokenRequest{Claims: map[string]string{"email_verified": "false"}}), 1, []string{"not verified"}},
		"garbage":             {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", 1, []string{"identity token"}},
		"no file":             {"missing.jwt", 3, []string{"--identity-token", "no such file"}},
		"an empty file":       {"empty.jwt", 3, []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			put(t, w.dir, "empty.jwt", "\n")
			out := "out-" + strings.ReplaceAll(name, " ", "-") + ".json"
			r := w.run(who{person: true}, "attest", "dist/app", "--bundle", out, "--identity-token", row.token)
			if !r.has(row.code, row.says...) {
				t.Errorf("%+v", r)
			}
			if _, err := os.Stat(filepath.Join(w.dir, out)); (err == nil) != (row.code == 0) {
				t.Errorf("the bundle: %v", err)
			}
		})
	}
	put(t, w.dir, "token.jwt", w.email("alice@example.com")+"\n")
	if r := w.run(who{person: true}, "attest", "--commit", "HEAD", "--identity-token", "token.jwt"); r.code != 0 {
		t.Errorf("a file: %+v", r)
	}
}

// TestNoToken is who has none, and what to do about it.
func TestNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	put(t, w.dir, "fork.json", `{"pull_request": {"head": {"repo": {"full_name": "mallory/app"}}, "base": {"sha": "`+w.sha+`", "repo": {"full_name": "acme/app"}}}}`)
	put(t, w.dir, "key.pem", `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`)
	for name, row := range map[string]struct {
		as   who
		args []string
		code int
		says []string
	}{
		"no permission":        {who{noID: true}, nil, 3, []string{"permissions: {id-token: write, contents: read}"}},
		"a fork":               {who{noID: true, more: []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH=" + filepath.Join(w.dir, "fork.json")}}, nil, 3, nil},
		"Dependabot":           {who{noID: true, more: []string{"GITHUB_ACTOR=dependabot[bot]"}}, nil, 3, []string{"Dependabot", "next: verify here"}},
		"no job":               {who{person: true}, nil, 2, []string{"it is a job's token that says so", "--step NAME"}},
		"nobody":               {who{person: true}, []string{"--step", "x"}, 3, []string{"nobody is there to sign", "--oidc-flow browser or device"}},
		"a job or nobody":      {who{person: true}, []string{"--oidc-flow", "ambient", "--step", "x"}, 3, []string{"this is not a job of GitHub Actions"}},
		"a key, no permission": {who{noID: true}, []string{"--key", "key.pem"}, 3, []string{"permissions: {id-token: write, contents: read}"}},
		"a device login":       {who{person: true}, []string{"--oidc-flow", "device", "--step", "x"}, 0, []string{"alice@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := w.run(row.as, append([]string{"attest", "dist/app"}, row.args...)...); !r.has(row.code, row.says...) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestBrowser has a person log in with a browser, which is opened by itself.
func TestBrowser(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("xdg-open opens no browser here")
	}
	w := newWorld(t, sandbox.Config{Email: "alice@example.com", Issuer: sandbox.OAuthIssuer})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "xdg-open")); err != nil {
		t.Fatal(err)
	}
	r := w.run(who{person: true, more: []string{"PATH=" + bin}}, "attest", "--commit", "HEAD", "--oidc-flow", "browser")
	if !r.has(0, "alice@example.com (https://github.com/login/oauth)", "Your e-mail address will stand in the certificate") {
		t.Errorf("%+v", r)
	}
	w.fault(sandbox.Fault{Service: "email", Mode: "status", Status: 500})
	r = w.run(who{person: true, more: []string{"PATH=" + bin}}, "attest", "--commit", "HEAD", "--oidc-flow", "browser", "--bundle", "x.json")
	if !r.has(3, "logging in at", "next:") || w.bundles()["x.json"] != 0 {
		t.Errorf("an issuer that is down: %+v", r)
	}
}

// TestInterrupt ends attest during an upload: nothing is written, and nothing hangs.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"fulcio", "tsa", "rekor2", "github"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sandbox.Config{})
			w.fault(sandbox.Fault{Service: service, Mode: "slow", Delay: sandbox.Duration(20 * time.Second)})
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			start := time.Now()
			r := w.run(who{ctx: ctx}, "attest", "dist/app")
			if !r.has(3, "interrupted", "next: run") || time.Since(start) > 10*time.Second {
				t.Errorf("after %v: %+v", time.Since(start), r)
			}
			if len(w.bundles()) > 0 {
				t.Errorf("written: %v", w.bundles())
			}
		})
	}
}

// TestOtherRoot signs where the trusted root is another instance's: what does not
// verify is not written.
func TestOtherRoot(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t, sandbox.Config{}), newWorld(t, sandbox.Config{})
	r := w.run(who{plain: true}, "attest", "dist/app", "--signing-config", filepath.Join(w.folder.Dir(), "signing_config.json"), "--trusted-root", filepath.Join(other.folder.Dir(), "trusted_root.json"))
	if !r.has(1, "verifying what was signed, which was not written", "trusted root") || len(w.bundles()) > 0 {
		t.Errorf("%+v, written: %v", r, w.bundles())
	}
}

// TestDiskFull has a disk without room for a bundle, which is then where temporary files
// are.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Skipf("no mount namespace can be had: %v", err)
	}
	w := newWorld(t, sandbox.Config{})
	small := filepath.Join(w.dir, "small")
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, args := range [][]string{{"dist/app", "--bundle", "small/x.sigstore.json"}, {"small/app"}} {
		temporary := t.TempDir()
		inner := w.command(who{}, append([]string{"attest"}, args...)...)
		script := `mount -t tmpfs -o size=16k none small && head -c 12288 /dev/zero >small/app && cp small/app small/app.sigstore.jsonl 2>/dev/null; : >small/app.sigstore.jsonl; "$@"; code=$?; ls -A small; exit $code`
		cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "sh", w.program}, inner.Args[1:]...)...)
		cmd.Dir, cmd.Env = inner.Dir, slices.Concat(inner.Env, []string{"RUNNER_TEMP=" + temporary})
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		r := result{cmd.ProcessState.ExitCode(), stdout.String(), unmasked(stderr.String())}
		if !r.has(3, "no space left on device; nothing was changed there", "next: free some space", "and the bundle is in "+temporary) || !strings.HasSuffix(r.stdout, "\napp\napp.sigstore.jsonl\n") {
			t.Errorf("%v: %+v", args, r)
		}
		saved, err := filepath.Glob(filepath.Join(temporary, "attestation-*.sigstore.jsonl"))
		if err != nil || len(saved) != 1 {
			t.Fatalf("%v: saved %v (%v)", args, saved, err)
		}
		if r := w.verify("dist/app", "--bundle", saved[0]); n == 0 && r.code != 0 {
			t.Errorf("what was saved does not verify: %+v", r)
		}
	}
}

// keyPair writes NAME.pem and NAME.pub.
func (w *world) keyPair(name string, generate func() (crypto.Signer, error)) {
	w.Helper()
	key, err := generate()
	if err != nil {
		w.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		w.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		w.Fatal(err)
	}
	put(w.T, w.dir, name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	put(w.T, w.dir, name+".pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})))
}

// TestKey signs without a network, and without anybody's word but the key's.
func TestKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	for name, generate := range map[string]func() (crypto.Signer, error){
		"P-256":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"P-384":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"Ed25519": func() (crypto.Signer, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err },
	} {
		w.keyPair(name, generate)
		for what, as := range map[string]struct {
			who  who
			args []string
		}{
			"offline":    {who{person: true, plain: true}, []string{"--step", "build"}},
			"logged":     {who{person: true}, []string{"--step", "build", "--rekor-version", "1"}},
			"provenance": {who{plain: true}, nil},
		} {
			out := name + what + ".sigstore.json"
			r := w.run(as.who, append([]string{"attest", "dist/app", "--key", name + ".pem", "--bundle", out}, as.args...)...)
			if !r.has(0, "signed with a key") || what == "provenance" && strings.Contains(r.stdout, "the certificate proves") {
				t.Errorf("%s, %s: %+v", name, what, r)
				continue
			}
			if what == "logged" != strings.Contains(r.stdout, "logged  ") || what == "offline" != (strings.Contains(r.stdout, "no proven time") && what != "provenance") {
				t.Errorf("%s, %s: %+v", name, what, r)
			}
			verify := []string{"verify", "dist/app", "--bundle", out, "--key", name + ".pub"}
			if what != "provenance" {
				verify = append(verify, "--predicate-type", "https://in-toto.io/attestation/link/v0.3")
			}
			if got := w.run(who{person: true}, verify...); got.code != 0 {
				t.Errorf("%s, %s: %+v", name, what, got)
			}
			if diff := cmp.Diff(1, w.bundles()[out]); diff != "" {
				t.Error(diff)
			}
		}
	}
}
