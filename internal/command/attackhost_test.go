package command_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/command"
)

// badInputRuns: what is verified has something run, on the machine that verifies.
func badInputRuns() []attack {
	const precedent = "in-toto specification GHSA-p86f-xmg6-9q4x"
	inspects := func(args []string, words ...string) play {
		return onClassic(func(s *classicScene) {
			s.runsNothing()
			for i, word := range words {
				words[i] = strings.ReplaceAll(word, "MARK", s.mark)
			}
			s.layout.Inspect = []attestationtest.ClassicInspection{{Name: "look", Run: words}}
			s.args = append([]string{"--inspection-dir", "DIR/work"}, args...)
			s.files["work/README"] = "read me\n"
			// A program of this name lies in what is inspected, too.
			s.files["work/true"] = "#!/bin/sh\ntouch " + s.mark + "\n"
		})
	}
	allowed := []string{"--allow-inspections"}
	return []attack{
		{"an inspection's command that nobody has allowed", precedent, inspects(nil, "touch", "MARK"), "inspection-not-allowed", 0},
		{"a command that is allowed, and what a shell would make of its words", "", inspects(allowed, "true", "; touch MARK", "$(touch MARK)", "`touch MARK`", "&& touch MARK", "| touch MARK", "> MARK"), "", 0},
		{"a whole command line in place of a program", precedent, inspects(allowed, "true; touch MARK"), "inspection-failed", 0},
		{"a parameter that a shell would run", "", inspects(append(allowed, "--param", "name=x; touch pwned"), "true", "{name}"), "", 0},
		{"a built-in inspection that does not exist", precedent, inspects(nil, "signatus:run", "touch", "MARK"), "inspection-failed", 0},
		{"the command that a link says was run", "", onClassic(func(s *classicScene) {
			s.runsNothing()
			s.links[byBuilder].link.Command = []string{"touch", s.mark}
		}), "", 0},
		{"a predicate that names a command", "go-witness CVE-2025-62375", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Payload = attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(appText))},
				"https://witness.dev/attestations/aws-iid/v0.1", map[string]any{"rawiid": "{}", "publickey": "mallory's own"})
		}), "predicate-type-not-expected", 0},
	}
}

// runsNothing demands that the file mark is not there when all is done.
func (s *classicScene) runsNothing() {
	dir := s.t.TempDir()
	s.mark = filepath.Join(dir, "pwned")
	s.t.Cleanup(func() {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			s.t.Errorf("something ran: %v, %v", entries, err)
		}
	})
}

// settingsFromFolder: the folder in which one verifies says whom to trust.
func settingsFromFolder() []attack {
	const precedent = "in-toto CVE-2023-32076"
	mallory := func(with pen) play {
		return onCommit(with, func(s *commitScene) {
			s.by = "mallory"
			line := s.allowed("mallory")
			for _, name := range []string{"allowed_signers", ".git/allowed_signers", ".gitsigners", ".ssh/allowed_signers"} {
				s.files[name] = line
			}
			config := "[gpg]\n\tformat = ssh\n[gpg \"ssh\"]\n\tallowedSignersFile = allowed_signers\n[gitsign]\n\tissuer = " + login + "\n"
			s.files[".git/config"], s.files[".gitconfig"] = config, config
			s.files[".git/HEAD"] = "ref: refs/heads/main\n"
		})
	}
	return []attack{
		{"a signature of whom the repository's allowed signers list", precedent, mallory(withSSH), "signature-invalid", 0},
		{"a signature of whom the repository's keyring holds", precedent, mallory(withOpenPGP), "signature-invalid", 0},
		{"a signature of whom the repository's settings name", precedent, mallory(withGitsign), "signer-not-functionary", 0},
		{"a layout that an .in_totorc would have checked with its own key", precedent, onClassic(func(s *classicScene) {
			s.owners = []*attestationtest.ClassicKey{s.carol}
			s.files[".in_totorc"] = "[in-toto]\nlayout_keys = carol.pub\nverification_keys = carol.pub\n"
			s.files["carol.pub"] = string(s.pem(s.carol))
		}), "layout-signature-threshold", 0},
		{"a link that is there only by an .in_totorc", precedent, onClassic(func(s *classicScene) {
			s.files["work/"+attestationtest.ClassicLinkName("build", s.builder)] = string(s.sign(attestationtest.ClassicRequest{Keys: s.links[byBuilder].by}, s.links[byBuilder].link.JSON(), nil))
			s.files[".in_totorc"] = "[in-toto]\nlink_dir = work\nartifact_base_path = work\n"
			s.links = s.links[:byBuilder]
		}), "threshold-not-met", 0},
	}
}

// TestOpensWhatIsNamed plays what passes, in a folder full of settings, and holds
// every file that is opened to the command line, and every variable that is read to
// a list.
func TestOpensWhatIsNamed(t *testing.T) {
	t.Parallel()
	for _, a := range untouched() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			args := a.play(t, dir)
			for _, name := range []string{".in_totorc", ".gitconfig", ".netrc", ".env", "allowed_signers", "signatus.yml", ".signatus.yml", "trustedkeys.gpg"} {
				write(t, dir, name, []byte("trust = everybody\n"))
			}
			disk := &watchedDisk{}
			var asked sync.Map
			o := run(t, func(env *command.Env) {
				env.Now = theTime()
				env.FS = disk
				env.Getenv = func(name string) string { asked.Store(name, true); return "" }
			}, args...)
			if o.code != 0 || len(disk.opened) == 0 {
				t.Fatalf("exit code %d, %d files opened\n%s", o.code, len(disk.opened), o.report)
			}
			for _, name := range disk.opened {
				if !named(name, args) {
					t.Errorf("%s is opened, and nobody named it", name)
				}
			}
			for name := range asked.Range {
				if !mayBeAsked(name.(string)) { //nolint:forcetypeassert // only strings are stored
					t.Errorf("the variable %s is read", name)
				}
			}
		})
	}
}

// named tells whether a file is an argument, or lies in a folder that is one.
func named(file string, args []string) bool {
	for _, a := range args {
		if file == a || strings.HasPrefix(file, a+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// mayBeAsked are the variables that tell where one runs and what a terminal can do.
// None of them says whom to trust.
func mayBeAsked(name string) bool {
	for _, prefix := range []string{"GITHUB_", "RUNNER_", "CI"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "NO_COLOR" || name == "TERM" || name == "PATH" || name == "COLUMNS"
}

// watchedDisk is the disk, which remembers what was opened.
type watchedDisk struct {
	disk
	mutex  sync.Mutex
	opened []string
}

func (d *watchedDisk) Open(name string) (fs.File, error) {
	d.mutex.Lock()
	d.opened = append(d.opened, name)
	d.mutex.Unlock()
	return d.disk.Open(name)
}
