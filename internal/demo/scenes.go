package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// scene is one run of verify: what is changed before it, and the finding that
// must answer; an empty finding means allowed.
type scene struct {
	title    string
	finding  string
	artifact string
	layout   string
	bundles  []string
	more     []string // further flags, shown with the command
	// arguments are the flags that are not shown; nil for those of the first act.
	arguments []string
	prepare   func(context.Context) error
}

func (s scene) expected() string {
	if s.finding == "" {
		return "allowed"
	}
	return s.finding
}

// scenes lists the play. Each changes one thing of the good day.
func (w *world) scenes() []scene {
	author, build := checkout+"/commit-"+w.commit+".sigstore.json", checkout+"/dist/"+buildFile
	good := scene{
		artifact: checkout + "/dist/" + binary, layout: layoutFile, bundles: []string{author, build},
		prepare: func(context.Context) error { return nil },
	}
	with := func(title, finding string, change func(*scene)) scene {
		s := good
		s.title, s.finding = title, finding
		change(&s)
		return s
	}
	return slices.Concat([]scene{
		with("author and builder over one commit", "", func(*scene) {}),
		with("a byte of the binary is changed", "artifact-not-subject", func(s *scene) {
			s.artifact = "changed/" + binary
			s.prepare = func(context.Context) error { return w.changed(s.artifact) }
		}),
		with("a stranger vouches for the commit", "signer-not-functionary", func(s *scene) {
			s.bundles = []string{"stranger.sigstore.json", build}
			s.prepare = func(ctx context.Context) error { return w.stranger(ctx, "../stranger.sigstore.json") }
		}),
		with("the builder poses as the author", "signer-not-functionary", func(s *scene) {
			s.bundles = []string{"builder-as-author.sigstore.json", build}
			s.prepare = func(ctx context.Context) error {
				return w.attest(ctx, attester{environ: w.job(w.commit)}, "--commit", "HEAD", "--bundle", "../builder-as-author.sigstore.json")
			}
		}),
		with("the author's word is missing", "threshold-not-met", func(s *scene) { s.bundles = []string{build} }),
		with("the layout has expired", "layout-expired", func(s *scene) { s.layout = "expired.yml" }),
	}, w.summaries(good), []scene{
		// The last two commit something else, which nobody vouches for.
		with("the binary was built from another commit", "commit-not-joined", func(s *scene) {
			s.artifact, s.bundles = "other/"+binary, []string{author, "other.sigstore.json"}
			s.prepare = func(ctx context.Context) error { return w.backDoor(ctx, "../"+s.artifact, "../other.sigstore.json") }
		}),
		with("provenance contradicts its certificate", "predicate-contradicts-certificate", func(s *scene) {
			s.artifact, s.bundles = "other/"+binary, []string{author, "lie.sigstore.json"}
			s.prepare = func(ctx context.Context) error {
				return w.lie(ctx, "../"+s.artifact, "../lie.sigstore.json")
			}
		}),
	})
}

// changed is the binary with another last byte.
func (w *world) changed(as string) error {
	content, err := os.ReadFile(filepath.Join(w.dir, checkout, "dist", binary))
	if err != nil {
		return fmt.Errorf("changing the binary: %w", err)
	}
	content[len(content)-1] ^= 1
	return w.write(as, content)
}

// stranger has somebody else attest the commit, with a good token of her own.
func (w *world) stranger(ctx context.Context, bundle string) error {
	token, err := w.run(ctx, w.programs.sandbox, "token", "email", "--dir", w.sandbox.Dir, "--email", "mallory@example.com", "--issuer", "https://github.com/login/oauth")
	if err != nil {
		return err
	}
	return w.attest(ctx, attester{environ: w.sandbox.Desk, hidden: []string{"--identity-token", token}}, "--commit", "HEAD", "--bundle", bundle)
}

// backDoor has the genuine workflow build and attest a commit of somebody else.
func (w *world) backDoor(ctx context.Context, file, bundle string) error {
	commit, err := w.commitProgram(ctx, "a back door")
	if err != nil {
		return err
	}
	if _, err := w.run(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", file, "."); err != nil {
		return err
	}
	return w.attest(ctx, attester{environ: w.job(commit)}, file, "--bundle", bundle)
}

// lie has a job on that commit sign the good build's provenance over its own binary:
// any step of a job that may have a token can sign any predicate.
func (w *world) lie(ctx context.Context, file, bundle string) error {
	commit, err := w.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	predicate, err := w.predicateOf(filepath.Join(w.dir, checkout, "dist", buildFile))
	if err != nil {
		return err
	}
	if err := w.write("lie.json", predicate); err != nil {
		return err
	}
	return w.attest(ctx, attester{environ: w.job(commit)}, file, "--bundle", bundle, "--predicate", "../lie.json", "--predicate-type", "https://slsa.dev/provenance/v1")
}

// predicateOf takes the predicate out of a bundle, unverified.
func (w *world) predicateOf(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the good bundle: %w", err)
	}
	var bundle struct {
		Envelope struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var statement struct {
		Predicate json.RawMessage `json:"predicate"`
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(line, &bundle); err != nil {
		return nil, fmt.Errorf("reading the good bundle: %w", err)
	}
	if err := json.Unmarshal(bundle.Envelope.Payload, &statement); err != nil {
		return nil, fmt.Errorf("reading the good statement: %w", err)
	}
	return statement.Predicate, nil
}
