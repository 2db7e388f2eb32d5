// Command bench measures what docs/performance.md states, as ratios within one
// run: verifying many bundles against plain sigstore-go and against the public-key
// work alone, one whole process against cosign where one is named, hashing
// against crypto/sha256 alone, the start of the process against a binary that only
// links sigstore-go's verifier, and what attest costs beside the servers. It asserts
// nothing: it prints.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

func main() {
	var o options
	flag.StringVar(&o.signatus, "signatus", "bin/signatus", "the `FILE` of the program to measure")
	flag.StringVar(&o.sandbox, "sandbox", "bin/sandbox", "the `FILE` of the Sigstore on loopback that attest signs with")
	flag.StringVar(&o.cosign, "cosign", os.Getenv("COSIGN"), "the `FILE` of cosign, to compare whole processes; default $COSIGN")
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
	signatus, sandbox, cosign, doc string
	bundles, rounds                int
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
	for _, program := range []*string{&o.signatus, &o.sandbox, &o.cosign} {
		if *program == "" {
			continue
		}
		if *program, err = filepath.Abs(*program); err != nil {
			return err
		}
	}
	w, err := newWorld(dir, o.bundles)
	if err != nil {
		return err
	}
	var rows []row
	for _, measure := range []func(context.Context, *world, options) ([]row, error){opening, processes, hashing, starting, signing} {
		more, err := measure(ctx, w, o)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	text := table(rows, o)
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if o.doc == "" {
		return nil
	}
	return writeDoc(o.doc, text)
}

// table renders the rows in Markdown.
func table(rows []row, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d CPUs, %d bundles, median of %d pairs\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), o.bundles, o.rounds)
	b.WriteString("| what | ours | against | theirs | ratio | target |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f | %s |\n", r.what, r.ours, r.against, r.theirs, r.ratio, r.target)
	}
	if o.cosign == "" {
		b.WriteString("\nThe rows against cosign are left out: COSIGN names no binary.\n")
	}
	return b.String()
}

// The marks between which writeDoc replaces the table.
const (
	begin = "<!-- written by make bench: begin -->\n"
	end   = "<!-- written by make bench: end -->\n"
)

// writeDoc puts the table between the marks of a Markdown file.
func writeDoc(path, text string) error {
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
