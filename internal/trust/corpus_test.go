package trust

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every trusted root of the corpus loads, but for the one that nobody should
// take; every bundle and signing config there is refused by its own name.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := filepath.FromSlash("../../../shared/corpus/sigstore")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus beside the checkout: %v", err)
	}
	refused := map[string]string{
		"conformance/bundle-verify/trust-root-tlog-missing-validity-start_fail/trusted_root.json": "missing public key validity period start time",
	}
	var roots, bundles, others int
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, ".json") && !strings.HasSuffix(path, ".sigstore") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		kind := ""
		for _, k := range []string{"bundle", "signingconfig", "trustedroot"} {
			if bytes.Contains(data, []byte("application/vnd.dev.sigstore."+k)) {
				kind = k
			}
		}
		got, err := parseFile(name, "", data)
		switch want := refused[name]; {
		case want != "":
			delete(refused, name)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", name, err, want)
			}
		case kind == "trustedroot":
			roots += len(got)
			if err != nil {
				t.Error(err)
			}
		case err == nil:
			t.Errorf("%s was taken for a trusted root", name)
		case kind == "signingconfig":
			others++
			if !strings.Contains(err.Error(), "this is a signing config") {
				t.Error(err)
			}
		case strings.Contains(err.Error(), "this is a Sigstore bundle"):
			bundles++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range refused {
		t.Errorf("%s is not in the corpus", name)
	}
	if roots < 40 || bundles < 100 || others < 5 {
		t.Errorf("%d roots, %d bundles, %d signing configs: the corpus has more", roots, bundles, others)
	}
	t.Logf("%d roots, %d bundles, %d signing configs", roots, bundles, others)
}
