package command

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestGlobFindsFiles: what a glob finds is a file, whatever else it would be read as.
func TestGlobFindsFiles(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("ab", 32)
	env := Env{FS: fstest.MapFS{"-": {}, digest: {}, "app": {}, "app.sigstore.json": {}, "oci:/registry.example/a@" + digest: {}}}
	args, _, err := expand(env, []string{"**"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"./-", "app", "./oci:/registry.example/a@" + digest, "./" + digest}, args); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}
