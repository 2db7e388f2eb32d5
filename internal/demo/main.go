// Command demo shows the main job on a whole Sigstore of this machine's own: an
// author attests a commit, a workflow builds it and attests the binary, and both
// words together are allowed. Then every way to break that is refused with its
// finding. It exits 0 only if every verdict was as it must be.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	signatus := flag.String("signatus", "bin/signatus", "the `FILE` of the program to show")
	sandbox := flag.String("sandbox", "bin/sandbox", "the `FILE` of the Sigstore on loopback")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, programs{signatus: *signatus, sandbox: *sandbox}, time.Now())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run sets the stage, plays the scenes one after another and sums up.
func run(ctx context.Context, out io.Writer, p programs, now time.Time) (err error) {
	w, err := newWorld(ctx, out, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.goodDay(ctx, now); err != nil {
		return err
	}
	results, err := w.playAll(ctx, w.scenes())
	if err != nil {
		return err
	}
	second, err := w.authorScenes(ctx, now)
	if err != nil {
		return fmt.Errorf("setting the second act: %w", err)
	}
	more, err := w.playAll(ctx, second)
	if err != nil {
		return err
	}
	return summary(out, append(results, more...))
}

func (w *world) playAll(ctx context.Context, scenes []scene) (results []result, err error) {
	for _, s := range scenes {
		r, err := w.play(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("playing %q: %w", s.title, err)
		}
		results = append(results, r)
	}
	return results, nil
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

// play verifies twice: for the reader, and in JSON for the check.
func (w *world) play(ctx context.Context, s scene) (result, error) {
	w.say("\n── %s\n", s.title)
	if err := s.prepare(ctx); err != nil {
		return result{}, err
	}
	args := []string{"verify", s.artifact, "--layout", s.layout}
	for _, b := range s.bundles {
		args = append(args, "--bundle", b)
	}
	args = append(args, s.more...)
	w.say("$ signatus %s\n", strings.Join(args, " "))
	if hidden := s.arguments; hidden != nil {
		args = append(args, hidden...)
	} else {
		args = append(args, w.arguments()...)
	}
	shown, err := w.signatus(ctx, w.dir, w.sandbox.Desk, args...)
	if err != nil {
		return result{}, err
	}
	w.say("%s%s", shown.stdout, shown.stderr)
	again, err := w.signatus(ctx, w.dir, w.sandbox.Desk, append(args, "--format", "json")...)
	if err != nil {
		return result{}, err
	}
	if again.exit != shown.exit {
		return result{}, fmt.Errorf("exit code %d as text and %d as JSON", shown.exit, again.exit)
	}
	findings, err := findingsOf([]byte(again.stdout))
	return result{scene: s, exit: shown.exit, findings: findings}, err
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
	fmt.Fprintf(&b, "\n%-58s %-5s %-34s %s\n", "scene", "exit", "finding", "as it must be")
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
		fmt.Fprintf(&b, "%-58s %-5d %-34s %s\n", r.title, r.exit, finding, mark)
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
