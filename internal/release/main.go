// Command release makes the files of a release, and holds a release to the rules of
// docs/release.md. It is this repository's own: nothing of the product imports it.
//
//	go run ./internal/release build -version v1.2.3 -output dist
//	go run ./internal/release pin -image ghcr.io/signatus-dev/signatus@sha256:HEX
//	go run ./internal/release check -commit v1.2.3
//	go run ./internal/release compare -built dist/SHA256SUMS
//	go run ./internal/release composite
//	go run ./internal/release reproduce
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run does what the first argument names, in the working directory.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("expected build, pin, check, compare, composite or reproduce")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(out)
	var do func() error
	switch args[0] {
	case "build":
		version := flags.String("version", "", "the `VERSION`, such as v1.2.3")
		output := flags.String("output", "dist", "the `FOLDER` for the files, which must be new or empty")
		do = func() error { return buildRelease(ctx, out, release{version: *version, folder: *output}) }
	case "pin":
		image := flags.String("image", "", "the image, `NAME@sha256:HEX`")
		do = func() error { return pin(metadataFile, *image) }
	case "check":
		commit := flags.String("commit", "HEAD", "the `COMMIT` that is tagged")
		do = func() error { return tellCommit(ctx, out, *commit) }
	case "compare":
		built := flags.String("built", "", "the `FILE` with the checksums of what was built")
		pinned := flags.String("pinned", pinnedSums, "the `FILE` with the checksums in the tree")
		do = func() error { return compareFiles(out, *built, *pinned) }
	case "composite":
		do = func() error { return writeComposite(metadataFile, compositeFile) }
	case "reproduce":
		do = func() error { return reproduce(ctx, out) }
	default:
		return fmt.Errorf("there is no %q, expected build, pin, check, compare, composite or reproduce", args[0])
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no argument such as %q", args[0], flags.Arg(0))
	}
	return do()
}
