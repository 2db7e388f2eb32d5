package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const corpusDir = "../../../shared/corpus/sigstore"

// eachVerified calls do with every bundle of the corpus that verifies under the
// public good root or GitHub's.
func eachVerified(t *testing.T, do func(path string, v *attestation.Verified)) {
	t.Helper()
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	var roots []*attestation.Root
	for name, file := range map[string]string{"sigstore": "public-good/trusted_root.json", "github": "github-kyverno/github-trusted-root.json"} {
		data, err := os.ReadFile(filepath.Join(corpusDir, "trusted-roots", file))
		if err != nil {
			t.Fatal(err)
		}
		material, err := root.NewTrustedRootFromJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		r, err := attestation.NewRoot(name, material)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, r)
	}
	err := filepath.WalkDir(corpusDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, _ := attestation.Candidates(path, data)
		for _, c := range found {
			for _, r := range roots {
				if v, err := attestation.Open(c, r); err == nil {
					do(strings.TrimPrefix(filepath.ToSlash(path), corpusDir+"/"), v)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCorpus judges real evidence by the signer that its certificate names: the
// provenance that real builders wrote agrees with their certificates, but for
// two bundles whose predicate speaks of somebody else's build. One of them was
// made to show the attack.
func TestCorpus(t *testing.T) {
	t.Parallel()
	count := map[verdict.ID]int{}
	var contradicting []string
	eachVerified(t, func(path string, v *attestation.Verified) {
		issuer := v.Signer().Issuer
		if issuer == "" {
			issuer = NoIssuer
		}
		l, err := Simple(SimpleOptions{Identity: v.Signer().SAN, Issuer: issuer, Roots: []string{v.Root()}, PredicateType: v.Statement().PredicateType})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		in := Input{Layout: l, Verified: []*attestation.Verified{v}, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
		for _, s := range v.Statement().Subjects {
			if in.Artifact.Digest = s.Digest; s.Digest.Join(s.Digest, artifact.Accepted()) == artifact.Joined {
				break
			}
		}
		got := Check(in)
		readable(t, got)
		if got.Allowed() {
			count[allow]++
			return
		}
		id := got.Findings[0].ID
		count[id]++
		switch untyped := v.Statement().PredicateType == "" && !v.Statement().MessageSignature(); {
		case id == verdict.ContradictsCert:
			contradicting = append(contradicting, path)
		case id != verdict.ThresholdNotMet || !untyped: // nobody can ask for a statement without a type
			t.Errorf("%s:\n%s", path, describeAll(got))
		}
	})
	slices.Sort(contradicting)
	if diff := cmp.Diff([]string{
		"conformance/bundle-verify/happy-path-intoto-in-dsse-v3/bundle.sigstore.json",
		"slsa-verifier/bcr/MODULE-wrong-signer.bazel.intoto.jsonl",
	}, contradicting); diff != "" {
		t.Errorf("contradicting (-want +got):\n%s", diff)
	}
	t.Logf("%v", count)
	if count[allow] < 100 {
		t.Errorf("%d bundles are allowed, expected at least 100", count[allow])
	}
}
