package main

import (
	"os"
	"path/filepath"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// scene is one run of verify: what is changed before it, and the finding that
// must answer; an empty finding means allowed.
type scene struct {
	title    string
	finding  string
	artifact string
	layout   string
	bundles  []string
	prepare  func() error
}

func (s scene) expected() string {
	if s.finding == "" {
		return "allowed"
	}
	return s.finding
}

// scenes lists the play. Each changes one thing of the good day.
func (w *world) scenes() []scene {
	good := scene{artifact: artifactFile, layout: layoutFile, bundles: []string{authorFile, buildFile}, prepare: func() error { return nil }}
	with := func(title, finding string, change func(*scene)) scene {
		s := good
		s.title, s.finding = title, finding
		change(&s)
		return s
	}
	return []scene{
		with("author and builder over one commit", "", func(*scene) {}),
		with("a byte of the binary is changed", "artifact-not-subject", func(s *scene) {
			s.artifact = "app-changed"
			s.prepare = func() error { return w.write("app-changed", append([]byte("%"), w.binary[1:]...)) }
		}),
		with("the binary was built from another commit", "commit-not-joined", func(s *scene) {
			s.bundles = []string{authorFile, "other-build.sigstore.json"}
			s.prepare = func() error {
				other := w.claims
				other.SHA = newCommit(w.now, "add a back door").ID
				other.WorkflowSHA, other.JobWorkflowSHA = other.SHA, other.SHA
				return w.attestBuild("other-build.sigstore.json", w.binary, other)
			}
		}),
		with("a stranger vouches for the commit", "signer-not-functionary", func(s *scene) {
			s.bundles = []string{"stranger.sigstore.json", buildFile}
			s.prepare = func() error {
				return w.attestCommit("stranger.sigstore.json", w.commit, attestationtest.Person("mallory@example.com", "https://github.com/login/oauth"))
			}
		}),
		with("the builder poses as the author", "signer-not-functionary", func(s *scene) {
			s.bundles = []string{"builder-as-author.sigstore.json", buildFile}
			s.prepare = func() error {
				return w.attestCommit("builder-as-author.sigstore.json", w.commit, attestationtest.Workflow(w.claims))
			}
		}),
		with("provenance contradicts its certificate", "predicate-contradicts-certificate", func(s *scene) {
			s.bundles = []string{authorFile, "lying-build.sigstore.json"}
			s.prepare = func() error {
				evil := w.claims
				evil.SHA = newCommit(w.now, "add a back door").ID
				subjects := []attestationtest.Subject{attestationtest.File(artifactFile, w.binary)}
				statement := attestationtest.Statement(subjects, "https://slsa.dev/provenance/v1", attestationtest.Provenance(w.claims))
				return w.sign("lying-build.sigstore.json", statement, attestationtest.Workflow(evil))
			}
		}),
		with("the author's word is missing", "threshold-not-met", func(s *scene) { s.bundles = []string{buildFile} }),
		with("the layout has expired", "layout-expired", func(s *scene) {
			s.layout = "expired.yml"
			s.prepare = func() error {
				layout, err := os.ReadFile(filepath.Join(w.dir, layoutFile))
				if err != nil {
					return err
				}
				return w.write("expired.yml", withExpiry(layout, w.now.AddDate(0, 0, -1)))
			}
		}),
	}
}
