package endtoend

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/sandbox"
)

// TestSignedLayout has a layout signed by two people with their identities, by a job
// and with a key, and verifies what was built by it as each of them would demand it.
func TestSignedLayout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{})
	if r := w.attest("dist/app", "--suggest-layout", "release.yml"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	const signed = "release.signed.jsonl"
	person := func(address string, args ...string) result {
		return w.run(who{person: true}, append([]string{"layout", "sign", "release.yml", "--identity-token", w.email(address)}, args...)...)
	}
	if r := person("alice@example.com"); !r.has(0, "signed: release.yml", "by alice@example.com", "1 signature now", "logged at ", "--layout-identity alice@example.com") {
		t.Fatalf("%+v", r)
	}
	if r := person("bob@example.com"); !r.has(0, "2 signatures now") {
		t.Fatalf("%+v", r)
	}
	before, err := os.ReadFile(filepath.Join(w.dir, signed))
	if err != nil || bytes.Count(before, []byte("\n")) != 2 {
		t.Fatalf("%v\n%s", err, before)
	}
	if r := person("alice@example.com"); !r.has(1, "has signed this layout already", "next: have somebody else sign it") {
		t.Errorf("twice: %+v", r)
	}
	if r := w.run(who{}, "layout", "sign", "release.yml"); !r.has(0, "3 signatures now", "release.yml@refs/heads/main") {
		t.Fatalf("the job: %+v", r)
	}
	if r := w.run(who{}, "layout", "sign", signed); !r.has(1, "has signed this layout already") {
		t.Errorf("the job, twice: %+v", r)
	}
	const key = "layout"
	w.keyPair(key, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	if r := w.run(who{person: true, plain: true}, "layout", "sign", signed, "--key", key+".pem"); !r.has(0, "4 signatures now") {
		t.Fatalf("the key: %+v", r)
	}
	now, err := os.ReadFile(filepath.Join(w.dir, signed))
	if err != nil || !bytes.HasPrefix(now, before) {
		t.Errorf("somebody's signature is gone: %v", err)
	}

	alice, bob := []string{"--layout-identity", "alice@example.com", "--layout-issuer", google}, []string{"--layout-identity", "bob@example.com", "--layout-issuer", google}
	job := []string{"--layout-identity", workflow, "--layout-issuer", actions}
	mallory := []string{"--layout-identity", "mallory@example.com", "--layout-issuer", google}
	for _, row := range []struct {
		name string
		who  [][]string
		code int
		says string
	}{
		{"one", [][]string{alice}, 0, "signed by alice@example.com"},
		{"all", [][]string{alice, bob, job, {"--layout-key", key + ".pub"}}, 0, "allowed"},
		{"two of three", [][]string{alice, bob, mallory, {"--layout-threshold", "2"}}, 0, "2 of 3 were asked for"},
		{"a stranger too", [][]string{alice, mallory}, 1, "layout-signature-threshold"},
		{"another issuer", [][]string{{"--layout-identity", "alice@example.com", "--layout-issuer", actions}}, 1, "layout-signature-threshold"},
		{"nobody", nil, 0, "nobody said who must have signed it"},
	} {
		args := []string{"verify", "dist/app", "--layout", signed}
		for _, flags := range row.who {
			args = append(args, flags...)
		}
		if r := w.run(who{person: true}, args...); !r.has(row.code, row.says) {
			t.Errorf("%s: %+v", row.name, r)
		}
	}

	// One byte of what they signed.
	changed := strings.Replace(string(now), `"payload":"eyJfdHlwZSI6ImxheW91dCIs`, `"payload":"eyJfdHlwZSI6ICJsYXlvdXQi`, 1)
	put(t, w.dir, "changed.jsonl", changed)
	if r := w.run(who{person: true}, append([]string{"verify", "dist/app", "--layout", "changed.jsonl"}, alice...)...); !r.has(1, "layout-malformed") {
		t.Errorf("changed: %+v", r)
	}
}

// TestLayoutOfPrivateRepository: the name of a private repository would be in the
// certificate, and so in the logs.
func TestLayoutOfPrivateRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Config{Claims: map[string]string{"repository_visibility": "private"}})
	text, err := os.ReadFile(w.layout())
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.dir, "release.yml", string(text))
	if r := w.run(who{}, "layout", "sign", "release.yml"); !r.has(1, "is private", "nothing was sent") {
		t.Errorf("%+v", r)
	}
	if r := w.run(who{}, "layout", "sign", "release.yml", "--allow-public-log"); !r.has(0, "note: --allow-public-log") {
		t.Errorf("%+v", r)
	}
}
