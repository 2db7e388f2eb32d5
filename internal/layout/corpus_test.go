package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestation"
)

func TestCorpusClaims(t *testing.T) {
	t.Parallel()
	const dir = "../../../shared/corpus/sigstore"
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	var roots []*attestation.Root
	for _, name := range []string{"public-good", "github-tuf"} {
		files, _ := filepath.Glob(filepath.Join(dir, "trusted-roots", name, "trusted_root.json"))
		for _, f := range files {
			data, _ := os.ReadFile(f)
			m, err := root.NewTrustedRootFromJSON(data)
			if err != nil {
				t.Fatal(err)
			}
			r, err := attestation.NewRoot(name, m)
			if err != nil {
				t.Fatal(err)
			}
			roots = append(roots, r)
		}
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "trusted-roots") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, _ := attestation.Candidates(strings.TrimPrefix(path, dir), data)
		for _, c := range found {
			for _, r := range roots {
				v, err := attestation.Open(c, r)
				if err != nil {
					continue
				}
				n++
				if _, finding := readClaims(v, true, false); finding != nil {
					t.Logf("%s\n  %s\n  %s", c.Source(), v.Signer().SAN, finding)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(n)
}
