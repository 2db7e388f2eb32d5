package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxNameLength bounds the NAME of NAME=FILE, in bytes.
const maxNameLength = 64

// loadFiles reads every "[NAME=]FILE".
func loadFiles(args []string, open func(string) (io.ReadCloser, error)) (Set, error) {
	if open == nil {
		return nil, errors.New("loading trusted roots: files are given, but nothing to open them with")
	}
	var set Set
	for _, arg := range args {
		name, path, err := splitName(arg)
		if err != nil {
			return nil, fmt.Errorf("reading --trusted-root %q: %w", brief(arg), err)
		}
		data, err := readFile(path, open)
		if err != nil {
			return nil, fmt.Errorf("reading trusted root %s: %w", path, err)
		}
		roots, err := parseFile(path, name, data)
		if err != nil {
			return nil, err
		}
		if len(set)+len(roots) > MaxRoots {
			return nil, fmt.Errorf("reading trusted root %s: more than %d roots in all", path, MaxRoots)
		}
		set = append(set, roots...)
	}
	return set, nil
}

// splitName takes "[NAME=]FILE" apart. What stands before the first "=" is a
// name unless it looks like a path, so that ./a=b is a file.
func splitName(arg string) (name, path string, err error) {
	before, after, found := strings.Cut(arg, "=")
	switch {
	case arg == "":
		return "", "", errors.New("expected [NAME=]FILE, found nothing")
	case !found || strings.ContainsAny(before, `/\`) || strings.HasPrefix(before, "."):
		return "", arg, nil
	case !validName(before):
		return "", "", fmt.Errorf("%q is not a name; expected letters, digits, '.', '_' and '-', at most %d; next: write ./%s if it is a file", brief(before), maxNameLength, brief(arg))
	case after == "":
		return "", "", fmt.Errorf("expected a file after %s=, found nothing", before)
	}
	return before, after, nil
}

func validName(s string) bool {
	for n, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && (n == 0 || !strings.ContainsRune("._-", c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxNameLength
}

func readFile(path string, open func(string) (io.ReadCloser, error)) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading only
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("larger than %d MiB; a trusted root has some kilobytes", MaxFileSize>>20)
	}
	return data, nil
}

// parseFile reads the roots of one file. With no name, a root is [Sigstore] if
// it has transparency logs and [GitHub] if it has none, which is how the two
// instances differ. There is at least one root, and at most [MaxRoots].
func parseFile(path, name string, data []byte) ([]Root, error) {
	if err := checkText(data); err != nil {
		return nil, fmt.Errorf("reading trusted root %s: %w", path, err)
	}
	docs, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("reading trusted root %s %w", path, err)
	}
	var roots []Root
	for _, d := range docs {
		material, err := d.parse()
		if err != nil {
			return nil, fmt.Errorf("reading trusted root %s %w", path, err)
		}
		r := Root{Name: name, Material: material, Source: "file " + path, SHA256: digest(data)}
		if len(docs) > 1 {
			r.Source, r.SHA256 = fmt.Sprintf("file %s line %d", path, d.line), digest(d.raw)
		}
		switch {
		case name != "":
		case len(material.RekorLogs()) > 0:
			r.Name = Sigstore
		default:
			r.Name = GitHub
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// checkText names the ways in which a file is not JSON at all.
func checkText(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the file is empty; next: make one with `gh attestation trusted-root` or `cosign trusted-root create`")
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return errors.New("the file begins with a byte order mark; next: save it as UTF-8 without one")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return errors.New("the file is UTF-16, as PowerShell's > writes; next: save it as UTF-8")
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")):
		return errors.New("this is PEM, not a trusted root; next: make one of it with `cosign trusted-root create`, or give a key with --key")
	}
	return nil
}
