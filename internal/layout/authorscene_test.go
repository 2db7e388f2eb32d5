package layout

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// theCommit is the commit that the authors sign in their own ways. What each of them
// signs is another object, as its signature is a part of it; so they sign one commit
// with one signature, and tags and statements of it.
func theCommit() attestationtest.GitCommit {
	return attestationtest.GitCommit{Tree: treeA, Message: "fix\n"}
}

// hand is somebody's Ed25519 key.
func hand(t testing.TB, name string) ed25519.PrivateKey {
	t.Helper()
	key, err := placeOf(t, "sigstore").Ed25519(name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sshLine(t testing.TB, key crypto.Signer) string {
	t.Helper()
	line, err := attestationtest.SSHLine(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func spki(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func signSSH(t testing.TB, key crypto.Signer, payload []byte, request attestationtest.SSHRequest) []byte {
	t.Helper()
	armour, err := attestationtest.SignSSH(key, payload, request)
	if err != nil {
		t.Fatal(err)
	}
	return armour
}

// opened opens evidence as the command does: under the root, and with every key that
// the layout names.
func opened(t testing.TB, l *Layout, pieces ...[]byte) (all []*attestation.Verified, refused []verdict.Evidence) {
	t.Helper()
	for i, data := range pieces {
		found, failed := attestation.Candidates(fmt.Sprintf("evidence-%d", i), data)
		for _, r := range failed {
			reason := r.Finding()
			refused = append(refused, verdict.Evidence{Source: r.Source, Reason: &reason})
		}
		for _, c := range found {
			if v, err := attestation.Open(c, placeOf(t, "sigstore").root); err == nil {
				all = append(all, v)
			}
			for _, demand := range l.Keys() {
				if v, err := attestation.OpenWithKey(c, demand.Key, nil); err == nil {
					all = append(all, v)
				}
			}
		}
	}
	return all, refused
}

// byHand is the layout of people who sign with keys, and of a builder.
func byHand(t testing.TB, functionaries, principals, types string, threshold int, more ...string) string {
	t.Helper()
	text := inline(t, fromBuild, writeStep("author", rules(), rules(requireRepo, allowRepo), append([]string{
		fmt.Sprintf("{anyOf: [%s], functionaries: [%s], threshold: %d}", types, principals, threshold)}, more...)...), buildStep())
	return strings.Replace(text, "principals:\n", functionaries+"principals:\n", 1)
}

func typesOf(uris ...string) string {
	items := make([]string, len(uris))
	for i, uri := range uris {
		items[i] = fmt.Sprintf("{predicateType: %q}", uri)
	}
	return strings.Join(items, ", ")
}

// everyWord are the types by which an author speaks.
func everyWord() string {
	return typesOf(attestation.GitCommitPredicate, attestation.GitTagPredicate, LinkV03, AuthorizationV02)
}

func sshFunctionary(t testing.TB, name string, more ...string) string {
	t.Helper()
	return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {public: %q}%s}\n", name, sshLine(t, hand(t, name)), strings.Join(append([]string{""}, more...), ", "))
}

// bench is a commit that is signed, and what is built from it.
type bench struct {
	raw   []byte
	id    string
	build []byte // the builder's provenance of the app, as a bundle
}

func newBench(t testing.TB, raw []byte, claims run) bench {
	t.Helper()
	b := bench{raw: raw, id: idOf(t, raw)}
	claims.SHA = b.id
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: attestationtest.Workflow(claims), Payload: provenanceOf(claims, []subject{file("app", app)})})
	if err != nil {
		t.Fatal(err)
	}
	b.build = bundle.JSON
	return b
}

func (b bench) tag(t testing.TB, name string, key crypto.Signer) []byte {
	t.Helper()
	tag := attestationtest.GitTag{Object: b.id, Name: name, Message: "release\n"}
	return tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{}))
}

func (b bench) link(t testing.TB, who string) []byte {
	t.Helper()
	bundle, err := placeOf(t, "sigstore").Sign(attestationtest.SignRequest{As: person(who).id, Payload: commitLink("author", repo, b.id)})
	if err != nil {
		t.Fatal(err)
	}
	return bundle.JSON
}

// idOf opens nothing: it hashes.
func idOf(t testing.TB, raw []byte) string {
	t.Helper()
	s, err := gitobject.Split(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// judge checks the app against a layout with this evidence.
func judgeApp(t testing.TB, layout string, pieces ...[]byte) verdict.Verdict {
	t.Helper()
	l := mustParse(t, layout)
	in := Input{Layout: l, Artifact: thing("app", app), Now: now()}
	in.Verified, in.Refused = opened(t, l, pieces...)
	return Check(in)
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
