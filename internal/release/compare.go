package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// pinnedSums lists the binaries that the composite action runs, as a maintainer built
// them before the release. It is empty where there is no release yet.
const pinnedSums = "composite/SHA256SUMS"

// compareFiles holds what a workflow built to what the tree says that it will be.
func compareFiles(out io.Writer, built, pinned string) error {
	ours, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	theirs, err := os.ReadFile(pinned)
	if err != nil {
		return err
	}
	same, err := compare(ours, theirs)
	if err != nil {
		return fmt.Errorf("comparing %s with %s: %w", built, pinned, err)
	}
	_, err = fmt.Fprintf(out, "%d binaries are the same in %s and %s\n", same, built, pinned)
	return err
}

// compare counts the binaries that stand in both lists with one digest. Every binary
// of either list must be in the other: the workflow and the maintainer, on two machines,
// made the same bytes, or nothing is released.
func compare(built, pinned []byte) (same int, err error) {
	ours, err := binaries(built)
	if err != nil {
		return 0, fmt.Errorf("reading what was built: %w", err)
	}
	theirs, err := binaries(pinned)
	if err != nil {
		return 0, fmt.Errorf("reading what is pinned: %w; next: make release VERSION=…, and copy its binaries' lines there, before the image is built", err)
	}
	for name, digest := range ours {
		switch want := theirs[name]; want {
		case digest:
			same++
		case "":
			return 0, fmt.Errorf("%s was built and is not pinned", name)
		default:
			return 0, fmt.Errorf("%s has the SHA-256 %s, expected %s", name, digest, want)
		}
	}
	for name := range theirs {
		if ours[name] == "" {
			return 0, fmt.Errorf("%s is pinned and was not built", name)
		}
	}
	return same, nil
}

// binaries are the lines of a list that name one, by the name without its folder.
func binaries(list []byte) (map[string]string, error) {
	sums, err := artifact.ParseChecksums(list)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, sum := range sums {
		name := sum.Name[strings.LastIndexByte(sum.Name, '/')+1:]
		if !strings.HasPrefix(name, "signatus-v") || strings.HasSuffix(name, ".json") {
			continue
		}
		digest := sum.Digest[artifact.SHA256]
		if digest == "" || found[name] != "" {
			return nil, fmt.Errorf("line %d: expected one SHA-256 of %s", sum.Line, name)
		}
		found[name] = digest
	}
	if len(found) == 0 {
		return nil, errors.New("it lists no binary")
	}
	return found, nil
}
