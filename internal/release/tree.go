package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// What a release's commit R may change of its parent P: one line of one file.
const (
	metadataFile = "action.yml"
	sourceLine   = "  image: Dockerfile"
	imageName    = "ghcr.io/signatus-dev/signatus"
)

// taggedCommit is a commit R that a release is made of.
type taggedCommit struct {
	id     string
	parent string // P, which the image was built from
	image  string // NAME@sha256:HEX
}

// tellCommit checks a commit and prints what it found as a workflow's outputs.
func tellCommit(ctx context.Context, out io.Writer, commit string) error {
	found, err := checkCommit(ctx, ".", commit)
	if err != nil {
		return fmt.Errorf("checking commit %s: %w", commit, err)
	}
	_, err = fmt.Fprintf(out, "commit=%s\nparent=%s\nimage=%s\n", found.id, found.parent, found.image)
	return err
}

// checkCommit holds a commit to the rule of docs/release.md: it has one parent, and
// between their trees nothing differs but the line of action.yml that names the image,
// which the parent leaves to the Dockerfile and the commit pins by its digest. So what
// the image was built from and what is released are the same source. (TestCheckCommit)
func checkCommit(ctx context.Context, dir, commit string) (taggedCommit, error) {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		// What a repository's owner may put in place of an object is not what is pushed.
		cmd.Env = append(os.Environ(), "GIT_NO_REPLACE_OBJECTS=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull)
		return output(cmd)
	}
	line, err := git("rev-list", "--parents", "--max-count=1", "--end-of-options", commit, "--")
	if err != nil {
		return taggedCommit{}, err
	}
	ids := strings.Fields(line)
	if len(ids) != 2 {
		return taggedCommit{}, fmt.Errorf("it has %d parents, expected one: the commit that the image was built from", max(len(ids)-1, 0))
	}
	found := taggedCommit{id: ids[0], parent: ids[1]}
	raw, err := git("diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", found.parent, found.id)
	if err != nil {
		return taggedCommit{}, err
	}
	if err := onlyMetadata(raw); err != nil {
		return taggedCommit{}, err
	}
	before, err := git("cat-file", "blob", found.parent+":"+metadataFile)
	if err != nil {
		return taggedCommit{}, err
	}
	after, err := git("cat-file", "blob", found.id+":"+metadataFile)
	if err != nil {
		return taggedCommit{}, err
	}
	found.image, err = pinnedImage(before, after)
	return found, err
}

// onlyMetadata reads what `git diff-tree -z` says of two trees: records of a line with
// modes, objects and a letter, and of a path, each ended by a zero byte.
func onlyMetadata(raw string) error {
	records := strings.Split(strings.TrimSuffix(raw, "\x00"), "\x00")
	if raw == "" || len(records)%2 != 0 {
		return fmt.Errorf("it changes nothing of its parent, expected the image of %s", metadataFile)
	}
	for i := 0; i < len(records); i += 2 {
		how, path := strings.Fields(records[i]), records[i+1]
		switch {
		case path != metadataFile:
			return fmt.Errorf("it changes %q too, expected the image of %s and nothing else", path, metadataFile)
		case len(how) != 5 || how[4] != "M" || how[0] != ":100644" || how[1] != "100644":
			return fmt.Errorf("it changes more of %s than its content: %s", metadataFile, records[i])
		}
	}
	return nil
}

// pinnedImage is the image of the one line that differs.
func pinnedImage(before, after string) (string, error) {
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	if len(was) != len(is) {
		return "", fmt.Errorf("%s has %d lines and %d in the parent, expected as many", metadataFile, len(is), len(was))
	}
	image := ""
	for i := range was {
		switch {
		case was[i] == is[i]:
		case image != "":
			return "", fmt.Errorf("line %d of %s differs too, expected the image alone", i+1, metadataFile)
		case was[i] != sourceLine:
			return "", fmt.Errorf("line %d of %s is %q in the parent, expected %q", i+1, metadataFile, was[i], sourceLine)
		default:
			pinned, ok := strings.CutPrefix(is[i], "  image: docker://")
			if !ok || !isImage(pinned) {
				return "", fmt.Errorf("line %d of %s is %q, expected the image docker://%s@sha256:HEX", i+1, metadataFile, is[i], imageName)
			}
			image = pinned
		}
	}
	if image == "" {
		return "", fmt.Errorf("%s is the same in the parent, expected another image", metadataFile)
	}
	return image, nil
}

// isImage tells whether an image is this project's, by its digest alone.
func isImage(image string) bool {
	digest, ok := strings.CutPrefix(image, imageName+"@sha256:")
	return ok && regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(digest)
}

// pin writes the image into action.yml, which makes the commit R of P.
func pin(file, image string) error {
	if !isImage(image) {
		return fmt.Errorf("the image is %q, expected %s@sha256:HEX", image, imageName)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if strings.Count(string(text), "\n"+sourceLine+"\n") != 1 {
		return errors.New(file + " has no one line " + sourceLine)
	}
	pinned := strings.Replace(string(text), "\n"+sourceLine+"\n", "\n  image: docker://"+image+"\n", 1)
	return os.WriteFile(file, []byte(pinned), 0o644)
}
