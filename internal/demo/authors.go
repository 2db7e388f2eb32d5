package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// signedCommit is a commit that carries its author's signature, and what the
// workflow built from it.
type signedCommit struct {
	id     string
	file   string // the binary, from the world's folder
	bundle string // its provenance
}

// authors is the layout of the second act: alice with an identity, bob with an SSH
// key, carol with an identity; any of them by a commit's own signature or by an
// attestation of it.
func authors(threshold int, bobsKey string, expires time.Time) []byte {
	return fmt.Appendf(nil, `_type: layout
version: 1
expires: %q
functionaries:
  alice-oidc: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: alice@example.com}}
  bob-ssh: {keyType: ssh, scheme: sshsig, keyVal: {public: %q}}
  carol-oidc: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: "https://github.com/login/oauth", identity: carol@example.com}}
  release-workflow:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      root: sigstore
      issuer: "https://token.actions.githubusercontent.com"
      identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
      extensions: {sourceRepositoryIdentifier: %q}
principals:
  alice: {functionaries: [alice-oidc]}
  bob: {functionaries: [bob-ssh]}
  carol: {functionaries: [carol-oidc]}
  builder: {functionaries: [release-workflow], kind: workload}
steps:
  - name: author
    expectedMaterials: ["DISALLOW *"]
    expectedProducts: ["REQUIRE git+https://github.com/acme/app", "ALLOW git+https://github.com/acme/app", "DISALLOW *"]
    expectedPredicates:
      - anyOf:
          - {predicateType: "https://gitsign.sigstore.dev/predicate/git/v0.1"}
          - {predicateType: "https://in-toto.io/attestation/link/v0.3"}
        functionaries: [alice, bob, carol]
        threshold: %d
  - name: build
    expectedMaterials: ["REQUIRE git+https://github.com/acme/app", "MATCH git+https://github.com/acme/app WITH PRODUCTS FROM author", "DISALLOW *"]
    expectedProducts: ["CREATE *", "DISALLOW *"]
    expectedPredicates:
      - {predicateType: "https://slsa.dev/provenance/v1", functionaries: [builder], threshold: 1}
    distinctFrom: [author]
subjects:
  - {subject: ["*"], from: build}
`, expires.UTC().Format(time.RFC3339), bobsKey, repositoryID, threshold)
}

// authorScenes is the second act: the author's word is the commit's own signature,
// which is read from the repository, and two of three people must have given theirs.
func (w *world) authorScenes(ctx context.Context, now time.Time) ([]scene, error) {
	_, bob, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making bob's key: %w", err)
	}
	line, err := attestationtest.SSHLine(bob.Public())
	if err != nil {
		return nil, err
	}
	for name, threshold := range map[string]int{"one-author.yml": 1, "two-of-three.yml": 2} {
		if err := w.write(name, authors(threshold, strings.TrimSpace(line), now.AddDate(1, 0, 0))); err != nil {
			return nil, err
		}
	}
	w.say("\n── the second act: commits carry their author's signature\n")
	ssh, err := w.signedCommit(ctx, "signed by bob", func(payload []byte) ([]byte, error) {
		return attestationtest.SignSSH(bob, payload, attestationtest.SSHRequest{})
	})
	if err != nil {
		return nil, err
	}
	gitsign, err := w.signedCommit(ctx, "signed by alice", func(payload []byte) ([]byte, error) { return w.gitsign(ctx, payload) })
	if err != nil {
		return nil, err
	}
	// Bob's signature stands below another message: what it was over is not this.
	changed, err := w.signedCommit(ctx, "changed after bob signed", func(payload []byte) ([]byte, error) {
		return attestationtest.SignSSH(bob, append(payload, "but for this\n"...), attestationtest.SSHRequest{})
	})
	if err != nil {
		return nil, err
	}
	verify := func(title, finding, layout string, of signedCommit) scene {
		return scene{
			title: title, finding: finding, artifact: of.file, layout: layout, bundles: []string{of.bundle}, more: []string{"--git", checkout},
			arguments: []string{"--trusted-root", w.sandbox.TrustedRoot, "--offline"},
			prepare:   func(context.Context) error { return nil },
		}
	}
	aliceToo := verify("two of three: bob's commit, and alice's word in the notes", "", "two-of-three.yml", ssh)
	aliceToo.prepare = func(ctx context.Context) error {
		return w.attest(ctx, attester{title: "alice vouches for bob's commit too, in the notes of the repository", environ: w.sandbox.Desk},
			"--commit", ssh.id, "--oidc-flow", "device", "--store", "notes")
	}
	return []scene{
		verify("bob signed the commit with his SSH key", "", "one-author.yml", ssh),
		verify("alice signed the commit with gitsign", "", "one-author.yml", gitsign),
		aliceToo,
		verify("one of three is not two", "threshold-not-met", "two-of-three.yml", gitsign),
		verify("the commit was changed after bob signed it", "threshold-not-met", "one-author.yml", changed),
	}, nil
}

// signedCommit commits a program, puts a signature into the commit as git does, and
// has the workflow build it.
func (w *world) signedCommit(ctx context.Context, text string, sign func(payload []byte) ([]byte, error)) (signedCommit, error) {
	unsigned, err := w.commitProgram(ctx, text)
	if err != nil {
		return signedCommit{}, err
	}
	payload, err := w.pipe(ctx, nil, "git", "cat-file", "commit", unsigned)
	if err != nil {
		return signedCommit{}, err
	}
	armour, err := sign(slices.Clone(payload))
	if err != nil {
		return signedCommit{}, err
	}
	head, message, _ := bytes.Cut(payload, []byte("\n\n"))
	indented := bytes.ReplaceAll(bytes.TrimSuffix(armour, []byte("\n")), []byte("\n"), []byte("\n "))
	object := slices.Concat(head, []byte("\ngpgsig "), indented, []byte("\n\n"), message)
	id, err := w.pipe(ctx, object, "git", "hash-object", "-t", "commit", "-w", "--stdin")
	if err != nil {
		return signedCommit{}, err
	}
	c := signedCommit{id: strings.TrimSpace(string(id)), file: "signed/" + strings.ReplaceAll(text, " ", "-")}
	c.bundle = c.file + ".sigstore.json"
	if _, err := w.git(ctx, "update-ref", "HEAD", c.id); err != nil {
		return signedCommit{}, err
	}
	if _, err := w.run(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", "../"+c.file, "."); err != nil {
		return signedCommit{}, err
	}
	return c, w.attest(ctx, attester{environ: w.job(c.id)}, "../"+c.file, "--bundle", "../"+c.bundle)
}

// gitsign signs a commit as alice's gitsign does: a signature by a certificate of the
// sandbox's Fulcio over the attributes of a CMS message, with its log entry inside.
func (w *world) gitsign(ctx context.Context, payload []byte) ([]byte, error) {
	attributes, err := attestationtest.GitsignAttributes(payload)
	if err != nil {
		return nil, err
	}
	if err := w.write("attributes.der", attributes); err != nil {
		return nil, err
	}
	token, err := w.run(ctx, w.programs.sandbox, "token", "email", "--dir", w.sandbox.Dir, "--email", "alice@example.com", "--issuer", "https://github.com/login/oauth")
	if err != nil {
		return nil, err
	}
	r, err := w.signatus(ctx, w.dir, w.sandbox.Desk, "conformance", "sign-bundle", "--identity-token", token, "--rekor-version", "1",
		"--signing-config", w.sandbox.SigningConfig, "--trusted-root", w.sandbox.TrustedRoot, "--bundle", "attributes.json", "attributes.der")
	if err == nil && r.exit != 0 {
		err = errors.New(r.stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("signing a commit as gitsign does: %w", err)
	}
	bundle, err := os.ReadFile(filepath.Join(w.dir, "attributes.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the signature: %w", err)
	}
	return attestationtest.GitsignMessage(attributes, bundle)
}

// pipe runs a program in the checkout with an input, and gives its output as it is.
func (w *world) pipe(ctx context.Context, input []byte, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdin = filepath.Join(w.dir, checkout), bytes.NewReader(input)
	cmd.Env = append(slices.Clone(w.sandbox.Desk), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s %s: %w", program, strings.Join(args, " "), err)
	}
	return out, nil
}
