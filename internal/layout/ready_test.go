package layout

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// day is when the tests judge: after the sandbox's bundles were made, before the
// ready-made layouts expire.
func day() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func TestReadyMadeLayouts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../layouts/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("ready-made layouts: found %d, expected at least 3 (%v)", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		l, findings := Parse(filepath.Base(file), data, day())
		for _, f := range findings {
			t.Errorf("%s: %s", file, f)
		}
		if l != nil && l.Version() < 1 {
			t.Errorf("%s: version %d", file, l.Version())
		}
	}
}
