package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompare: the two lists name the same binaries with the same digests, or nothing
// is released.
func TestCompare(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	const linux, windows, bill = "signatus-v1.0.0-linux-amd64", "signatus-v1.0.0-windows-amd64.exe", "signatus-v1.0.0.cdx.json"
	list := func(pairs ...string) string {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			b.WriteString(pairs[i] + "  " + pairs[i+1] + "\n")
		}
		return b.String()
	}
	both := list(one, linux, two, windows)
	for _, row := range []struct {
		name, built, pinned string
		same                int
		words               string
	}{
		{"the same", both, both, 2, ""},
		{"in another folder and order, with a bill of materials", list(two, "dist/"+windows, one, "dist/"+linux, two, "dist/"+bill), both, 2, ""},

		{"other bytes", list(two, linux, two, windows), both, 0, "expected " + one},
		{"one is missing", list(one, linux), both, 0, windows + " is pinned and was not built"},
		{"one is more", both, list(one, linux), 0, windows + " was built and is not pinned"},
		{"another version", list(one, "signatus-v1.0.1-linux-amd64"), list(one, linux), 0, "signatus-v1.0.1-linux-amd64 was built and is not pinned"},
		{"nothing is pinned", both, "", 0, "make release VERSION"},
		{"nothing was built", "", both, 0, "reading what was built"},
		{"only a bill of materials", list(one, bill), both, 0, "lists no binary"},
		{"one twice", list(one, linux, one, "dist/"+linux), both, 0, "expected one SHA-256"},
		{"another algorithm", list(one+one, linux), both, 0, "expected one SHA-256"},
		{"no list", "<!doctype html>", both, 0, "reading what was built"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			same, err := compare([]byte(row.built), []byte(row.pinned))
			if row.words == "" && (err != nil || same != row.same) {
				t.Errorf("got %d and %v, expected %d", same, err, row.same)
			}
			if row.words != "" && (err == nil || !strings.Contains(err.Error(), row.words)) {
				t.Errorf("got %v, expected %q", err, row.words)
			}
		})
	}
}

func TestCompareFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := os.WriteFile(file, []byte(strings.Repeat("1", 64)+"  signatus-v1.0.0-linux-amd64\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := compareFiles(&out, file, file); err != nil || !strings.HasPrefix(out.String(), "1 binaries are the same") {
		t.Errorf("got %v and %q", err, out.String())
	}
	if err := compareFiles(&out, file, file+"-missing"); err == nil {
		t.Error("a missing list was compared")
	}
}
