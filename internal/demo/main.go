// Command demo shows the main job on an embedded Sigstore, offline: an author's
// word on a commit and a builder's provenance of a binary made from it are
// allowed, and every way to break that is refused with its finding. It exits 0
// only if every verdict was as it must be.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	signatus := flag.String("signatus", "bin/signatus", "the `FILE` of the program to show")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *signatus, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run makes the scenes, plays them one after another and sums up.
func run(ctx context.Context, out io.Writer, signatus string, now time.Time) error {
	program, err := filepath.Abs(signatus)
	if err != nil {
		return fmt.Errorf("finding %s: %w", signatus, err)
	}
	dir, err := os.MkdirTemp("", "signatus-demo-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover folder harms nobody
	w, err := newWorld(dir, now)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `An embedded Sigstore (Fulcio, a CT log, Rekor and a timestamp authority) has
signed for two: alice, who says that commit %.7s of github.com/acme/app is good,
and the workflow release.yml, which built app-linux-amd64 from it. Each command
below also has
    %s
`, w.commit.ID, strings.ReplaceAll(strings.Join(w.arguments(), " "), " --", " \\\n    --"))
	if err != nil {
		return err
	}
	var results []result
	for _, s := range w.scenes() {
		r, err := w.play(ctx, out, program, s)
		if err != nil {
			return fmt.Errorf("playing %q: %w", s.title, err)
		}
		results = append(results, r)
	}
	return summary(out, results)
}

// result is what a scene brought.
type result struct {
	scene
	exit     int
	findings []string
}

// ok reports whether the verdict was as it must be.
func (r result) ok() bool {
	if r.finding == "" {
		return r.exit == 0 && len(r.findings) == 0
	}
	return r.exit == 1 && slices.Contains(r.findings, r.finding)
}

// play runs the program twice: for the reader, and in JSON for the check.
func (w *world) play(ctx context.Context, out io.Writer, program string, s scene) (result, error) {
	if err := s.prepare(); err != nil {
		return result{}, err
	}
	args := []string{"verify", s.artifact, "--layout", s.layout}
	for _, b := range s.bundles {
		args = append(args, "--bundle", b)
	}
	shown := strings.Join(args, " ")
	args = append(args, w.arguments()...)
	if _, err := fmt.Fprintf(out, "\n── %s\n$ signatus %s\n", s.title, shown); err != nil {
		return result{}, err
	}
	text, exit, err := signatus(ctx, program, w.dir, args)
	if err != nil {
		return result{}, err
	}
	if _, err := out.Write(text); err != nil {
		return result{}, err
	}
	data, again, err := signatus(ctx, program, w.dir, append(args, "--format", "json"))
	if err != nil {
		return result{}, err
	}
	if again != exit {
		return result{}, fmt.Errorf("exit code %d as text and %d as JSON", exit, again)
	}
	findings, err := findingsOf(data)
	return result{scene: s, exit: exit, findings: findings}, err
}

// signatus runs the program in dir and returns what it printed and its exit code.
func signatus(ctx context.Context, program, dir string, args []string) ([]byte, int, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
		return append(stdout.Bytes(), stderr.Bytes()...), exit.ExitCode(), err
	}
	return append(stdout.Bytes(), stderr.Bytes()...), 0, err
}

// findingsOf reads the ids of the findings from a JSON report.
func findingsOf(data []byte) ([]string, error) {
	var doc struct {
		Verdicts []struct {
			Findings []struct {
				ID string `json:"id"`
			} `json:"findings"`
		} `json:"verdicts"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading the JSON report: %w", err)
	}
	var ids []string
	for _, v := range doc.Verdicts {
		for _, f := range v.Findings {
			ids = append(ids, f.ID)
		}
	}
	return ids, nil
}

// summary prints the table and decides.
func summary(out io.Writer, results []result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-44s %-5s %-34s %s\n", "scene", "exit", "finding", "as it must be")
	wrong := 0
	for _, r := range results {
		mark := "✓"
		if !r.ok() {
			mark = "✗ expected " + r.expected()
			wrong++
		}
		finding := strings.Join(r.findings, ", ")
		if finding == "" {
			finding = "none: allowed"
		}
		fmt.Fprintf(&b, "%-44s %-5d %-34s %s\n", r.title, r.exit, finding, mark)
	}
	fmt.Fprintf(&b, "\n%d of %d verdicts as they must be\n", len(results)-wrong, len(results))
	if _, err := io.WriteString(out, b.String()); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%d verdicts were not as they must be", wrong)
	}
	return nil
}
