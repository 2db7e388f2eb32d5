package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/layouts"
)

// world is a release as it stands after a good day: a commit, its author's word,
// a binary, its provenance, a layout and the instance's trusted root.
type world struct {
	dir      string
	now      time.Time
	sigstore *attestationtest.Sigstore
	alice    attestationtest.Identity
	claims   attestationtest.WorkflowClaims
	commit   attestationtest.Commit
	binary   []byte
}

// The files of the world, relative to its folder.
const (
	artifactFile = "app-linux-amd64"
	authorFile   = "commit.sigstore.json"
	buildFile    = "app-linux-amd64.sigstore.json"
	layoutFile   = "author-and-builder.yml"
	rootFile     = "trusted_root.json"
)

func newWorld(dir string, now time.Time) (*world, error) {
	config := attestationtest.PublicGood()
	config.Now = now.Add(-time.Hour).UTC().Truncate(time.Second)
	sigstore, err := attestationtest.New(config)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded Sigstore: %w", err)
	}
	w := &world{
		dir: dir, now: now, sigstore: sigstore,
		alice:  attestationtest.Person("alice@example.com", "https://github.com/login/oauth"),
		commit: newCommit(now, "print a greeting"),
		binary: []byte("#!/bin/sh\necho hello from acme/app\n"),
	}
	w.claims = attestationtest.WorkflowClaims{Repository: "acme/app", SHA: w.commit.ID}.WithDefaults()
	layout, err := layouts.Files.ReadFile(layoutFile)
	if err != nil {
		return nil, fmt.Errorf("reading the layout: %w", err)
	}
	for name, content := range map[string][]byte{
		artifactFile: w.binary, layoutFile: withExpiry(layout, now.AddDate(1, 0, 0)), rootFile: sigstore.TrustedRoot(),
	} {
		if err := w.write(name, content); err != nil {
			return nil, err
		}
	}
	if err := w.attestCommit(authorFile, w.commit, w.alice); err != nil {
		return nil, err
	}
	if err := w.attestBuild(buildFile, w.binary, w.claims); err != nil {
		return nil, err
	}
	return w, nil
}

// arguments are those that every scene shares.
func (w *world) arguments() []string {
	return []string{
		"--param", "repo=github.com/acme/app", "--param", "repoId=" + w.claims.RepositoryID,
		"--param", "author=alice@example.com", "--param", "workflow=release.yml",
		"--trusted-root", rootFile, "--offline",
	}
}

// attestCommit signs a link over a commit, as a person does.
func (w *world) attestCommit(file string, commit attestationtest.Commit, as attestationtest.Identity) error {
	return w.sign(file, attestationtest.CommitLink("author", commit), as)
}

// attestBuild signs provenance of a binary, as the workflow does.
func (w *world) attestBuild(file string, binary []byte, claims attestationtest.WorkflowClaims) error {
	subjects := []attestationtest.Subject{attestationtest.File(artifactFile, binary)}
	return w.sign(file, attestationtest.Statement(subjects, "https://slsa.dev/provenance/v1", attestationtest.Provenance(claims)), attestationtest.Workflow(claims))
}

func (w *world) sign(file string, statement []byte, as attestationtest.Identity) error {
	bundle, err := w.sigstore.Sign(attestationtest.SignRequest{Payload: statement, As: as})
	if err != nil {
		return fmt.Errorf("signing %s: %w", file, err)
	}
	return w.write(file, append(bundle.JSON, '\n'))
}

func (w *world) write(name string, content []byte) error {
	if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// newCommit names a commit as git would: by the hash of its object.
func newCommit(now time.Time, message string) attestationtest.Commit {
	tree := gitID("tree", nil)
	who := fmt.Sprintf("Alice <alice@example.com> %d +0000", now.Unix())
	raw := fmt.Sprintf("tree %s\nauthor %s\ncommitter %s\n\n%s\n", tree, who, who, message)
	return attestationtest.Commit{Repository: "github.com/acme/app", Ref: "refs/heads/main", ID: gitID("commit", []byte(raw)), Tree: tree}
}

func gitID(kind string, content []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", kind, len(content)), content...))
	return hex.EncodeToString(sum[:])
}

// withExpiry sets the layout's expiry, so that the demo outlives the ready-made one.
func withExpiry(layout []byte, expires time.Time) []byte {
	before, rest, _ := bytes.Cut(layout, []byte("expires: "))
	_, after, _ := bytes.Cut(rest, []byte("\n"))
	return slices.Concat(before, fmt.Appendf(nil, "expires: %q\n", expires.UTC().Format(time.RFC3339)), after)
}
