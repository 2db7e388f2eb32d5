//go:build unix

package command_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestActionGivesBack: what is written belongs to whom the workspace belongs to.
func TestActionGivesBack(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // and has no other owner to tell from
	}
	dir := signable(t, "a")
	if err := os.Chown(dir, 1001, 127); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	got := step(t, dir, map[string]string{
		"command": "attest", "key": in("key.pem"), "step": "build", "paths": in("dist/a"),
		"suggest-layout": in("layout.yml"), "output": in("report.txt"),
	}, nil)
	for _, name := range []string{"dist/a.sigstore.jsonl", "layout.yml", "report.txt"} {
		info, err := os.Stat(in(name))
		if err != nil {
			t.Fatalf("%v\n%s", err, got.report)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != 1001 || stat.Gid != 127 || info.Mode().Perm()&0o044 != 0o044 {
			t.Errorf("%s: %+v has the mode %s", name, stat, info.Mode())
		}
	}
}
