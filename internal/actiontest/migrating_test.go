package actiontest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMigratingIsUnderTest holds docs/migrating.md to the workflows that are run and
// linted: each stands in it to the letter, and it has none besides.
func TestMigratingIsUnderTest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/workflows/migrating-*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %q: %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(page), "\nAfter:\n\n```yaml\n"+string(text)+"```\n") != 1 {
			t.Errorf("docs/migrating.md has not the text of %s", file)
		}
	}
	if after := strings.Count(string(page), "\nAfter:\n"); after != len(files) {
		t.Errorf("docs/migrating.md shows %d workflows that use Signatus, expected %d", after, len(files))
	}
}
