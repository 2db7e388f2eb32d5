package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The verdict that a job states for others, and the layout of those who take it.
const (
	summaryFile     = "app.vsa.json"
	summaryLayout   = "consumer.yml"
	summaryResource = "https://example.com/releases/app"
)

// summaries are the scenes of a verdict that is stated by one verification and taken
// for evidence by a second one, which has nothing else.
func (w *world) summaries(good scene) []scene {
	taken := good
	taken.title, taken.layout, taken.bundles = "a VSA consumed by a second verification", summaryLayout, []string{summaryFile}
	taken.prepare = func(ctx context.Context) error {
		if err := w.state(ctx, good); err != nil {
			return err
		}
		return w.consumer(layoutFile)
	}
	other := taken
	other.title, other.finding = "the VSA is of another policy", "vsa-policy"
	other.prepare = func(context.Context) error { return w.consumer("expired.yml") }
	return []scene{taken, other}
}

// state has a job verify the good release, and state that.
func (w *world) state(ctx context.Context, good scene) error {
	args := []string{"verify", good.artifact, "--layout", good.layout, "--vsa", summaryFile, "--vsa-resource", summaryResource}
	for _, b := range good.bundles {
		args = append(args, "--bundle", b)
	}
	w.say("$ signatus %s\n", strings.Join(args, " "))
	r, err := w.signatus(ctx, w.dir, w.job(w.commit), append(append(args, w.arguments()...), "--signing-config", w.sandbox.SigningConfig)...)
	if err != nil {
		return err
	}
	w.say("%s%s\n", r.stdout, r.stderr)
	if r.exit != 0 {
		return fmt.Errorf("stating the verdict: exit code %d", r.exit)
	}
	return nil
}

// consumer writes the layout that takes the workflow's word, if it was given by a policy.
func (w *world) consumer(policy string) error {
	data, err := os.ReadFile(filepath.Join(w.dir, policy))
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	digest := sha256.Sum256(data)
	standing, err := os.ReadFile(filepath.Join(w.dir, layoutFile))
	if err != nil {
		return fmt.Errorf("reading the layout: %w", err)
	}
	_, expiry, _ := strings.Cut(string(standing), "\nexpires: ")
	expiry, _, _ = strings.Cut(expiry, "\n")
	return w.write(summaryLayout, fmt.Appendf(nil, `_type: layout
version: 1
expires: %s
parameters:
  repo: {pattern: "github.com/*/*", required: true}
  repoId: {pattern: "*", required: true}
  author: {pattern: "*@*", required: true}
  workflow: {pattern: "*.yml", required: true}
functionaries:
  verifier:
    keyType: sigstore-oidc
    scheme: fulcio
    keyVal:
      root: sigstore
      issuer: "https://token.actions.githubusercontent.com"
      identity: "https://{repo}/.github/workflows/{workflow}@refs/heads/main"
      extensions: {sourceRepositoryIdentifier: "{repoId}"}
steps:
  - name: verified
    expectedMaterials: ["ALLOW *", "DISALLOW *"]
    expectedPredicates:
      - predicateType: "https://slsa.dev/verification_summary/v1"
        functionaries: [verifier]
        threshold: 1
        maxAge: 24h
        vsa:
          resourceUri: %q
          policy: {sha256: %q}
          parameters: {repo: "{repo}", author: "{author}"}
subjects: [{subject: ["*"], from: verified}]
`, expiry, summaryResource, hex.EncodeToString(digest[:])))
}
