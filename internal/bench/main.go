// Command bench measures what docs/performance.md states, as ratios within one
// run: verifying many bundles against plain sigstore-go and against the public-key
// work alone, one whole process against cosign where one is named, classic layouts
// against in-toto-golang, what grows with the size of a layout, hashing
// against crypto/sha256 alone, the start of the process against a binary that only
// links sigstore-go's verifier, that in a container against a binary that prints a line,
// and what attest costs beside the servers. It asserts nothing: it prints.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	var o options
	flag.StringVar(&o.signatus, "signatus", "bin/signatus", "the `FILE` of the program to measure")
	flag.StringVar(&o.sandbox, "sandbox", "bin/sandbox", "the `FILE` of the Sigstore on loopback that attest signs with")
	flag.StringVar(&o.cosign, "cosign", os.Getenv("COSIGN"), "the `FILE` of cosign, to compare whole processes; default $COSIGN")
	flag.StringVar(&o.inToto, "in-toto", "", "the `FILE` of in-toto-golang's program, to compare classic layouts")
	flag.StringVar(&o.only, "only", "", "measure only `ratios` or layouts")
	flag.StringVar(&o.doc, "doc", "", "write the table into `FILE` as well")
	flag.IntVar(&o.bundles, "bundles", 1000, "how many distinct bundles to verify")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each pair is measured; the median counts")
	spending := flag.Bool("spend", false, "run the program that follows and print what it took; for this program itself")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *spending {
		err = spendHere(ctx, os.Stdout, flag.Args())
	} else {
		err = run(ctx, os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	signatus, sandbox, cosign, inToto, doc, only string
	bundles, rounds                              int
}

// row is one line of the table: what was measured, against what, the median of
// the ratios, and the target of the design.
type row struct {
	what, against string
	ours, theirs  string
	ratio         float64
	target        string
}

// run measures everything and prints one table.
func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "signatus-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover folder harms nobody
	for _, program := range []*string{&o.signatus, &o.sandbox, &o.cosign, &o.inToto} {
		if *program == "" {
			continue
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
	}
	if o.only != "" && !slices.ContainsFunc(parts(), func(p part) bool { return p.name == o.only }) {
		return fmt.Errorf("there is nothing called %q to measure; next: -only ratios or -only layouts", o.only)
	}
	w, err := newWorld(dir, o.bundles)
	if err != nil {
		return err
	}
	for _, part := range parts() {
		if o.only != "" && o.only != part.name {
			continue
		}
		text, err := part.measure(ctx, w, o)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
		if o.doc == "" {
			continue
		}
		if err := writeDoc(o.doc, part.name, text); err != nil {
			return err
		}
	}
	return nil
}

// part is one part of the results, with its place in docs/performance.md.
type part struct {
	name    string
	measure func(context.Context, *world, options) (string, error)
}

func parts() []part { return []part{{"ratios", ratios}, {"layouts", layouts}} }

// ratios compares what every verification and signature needs.
func ratios(ctx context.Context, w *world, o options) (string, error) {
	rows, err := all(ctx, w, o, opening, processes, hashing, starting, containers, signing)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s, %d bundles, median of %d pairs\n\n", machine(), o.bundles, o.rounds) + table(rows)
	if o.cosign == "" {
		text += "\nThe rows against cosign are left out: COSIGN names no binary.\n"
	}
	if engineHere(ctx) == "" {
		text += "\nThe row of the start in a container is left out: neither podman nor docker works here.\n"
	}
	return text, nil
}

// layouts compares classic layouts with in-toto-golang, and shows what grows with
// the size of a layout of either dialect.
func layouts(ctx context.Context, w *world, o options) (string, error) {
	rows, err := all(ctx, w, o, classic)
	if err != nil {
		return "", err
	}
	points, err := curve(ctx, w, o)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s, median of %d pairs; of the second table, the least of three\n\n", machine(), o.rounds)
	if o.inToto == "" {
		return text + curveTable(points), nil
	}
	return text + table(rows) + "\n" + curveTable(points), nil
}

func all(ctx context.Context, w *world, o options, measures ...func(context.Context, *world, options) ([]row, error)) (rows []row, err error) {
	for _, measure := range measures {
		more, err := measure(ctx, w, o)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// machine is where it was measured.
func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
}

// table renders the rows in Markdown.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| what | ours | against | theirs | ratio | target |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %s |\n", r.what, r.ours, r.against, r.theirs, r.ratio, r.target)
	}
	return b.String()
}

// writeDoc puts a part between its marks in a Markdown file.
func writeDoc(path, name, text string) error {
	begin := "<!-- " + name + ", written by make bench: begin -->\n"
	end := "<!-- " + name + ", written by make bench: end -->\n"
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("writing %s: it lacks the two marks around the table", path)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644)
}
