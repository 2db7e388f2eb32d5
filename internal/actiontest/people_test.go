//go:build action

package actiontest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/layouts"
)

// people has alice vouch for the commit, in the repository's notes, and puts the
// ready-made layout into it, which is to expire a year from now.
func people(t *testing.T, st *stage) {
	data, err := layouts.Files.ReadFile("author-and-builder.yml")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(data, []byte("expires: "))
	_, after, _ := bytes.Cut(rest, []byte("\n"))
	st.write(t, "layout.yml", fmt.Sprintf("%sexpires: %q\n%s", before, time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339), after))
	st.commitAll(t)
	st.attest(t, st.sigstore.Desk, "--commit", "HEAD", "--step", "author", "--oidc-flow", "device", "--store", "notes")
}

// fork sets a pull request from a fork, which brings two files with evidence: one that
// the owner of the base's key has signed, and one that the fork's has. It also puts the
// fork's key in the place of the base's.
func fork(t *testing.T, st *stage) {
	ours, theirs := key(t), key(t)
	st.write(t, "release.pub", ours.public)
	st.commitAll(t)
	base := st.commit
	st.write(t, "vendor/good", "good\n")
	st.write(t, "vendor/evil", "evil\n")
	for name, by := range map[string]pair{"good": ours, "evil": theirs} {
		st.write(t, ".sandbox/key.pem", by.private)
		st.attest(t, st.sigstore.Desk, "vendor/"+name, "--key", ".sandbox/key.pem", "--step", "build")
	}
	st.write(t, "release.pub", theirs.public)
	st.git(t, "checkout", "-q", "-b", "change")
	st.commitAll(t)
	st.event = map[string]any{
		"action": "opened", "number": 7, "repository": repository("acme/app", false),
		"pull_request": map[string]any{
			"number": 7,
			"base":   map[string]any{"ref": "main", "sha": base, "repo": repository("acme/app", false)},
			"head":   map[string]any{"ref": "change", "sha": st.commit, "repo": repository("mallory/app", true)},
		},
	}
}

// queue sets a merge queue's run.
func queue(_ *testing.T, st *stage) {
	st.event = map[string]any{
		"action": "checks_requested", "repository": repository("acme/app", false),
		"merge_group": map[string]any{"base_ref": "refs/heads/main", "base_sha": st.commit, "head_sha": st.commit},
	}
}

// repository is one as an event has it.
func repository(name string, fork bool) map[string]any {
	return map[string]any{"full_name": name, "fork": fork, "default_branch": "main", "private": false, "visibility": "public"}
}

// pair is a key in its two forms of PEM.
type pair struct{ private, public string }

func key(t *testing.T) pair {
	t.Helper()
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(made.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		private: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		public:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	}
}
