package artifact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// MaxChecksumsBytes bounds a list of checksums.
const MaxChecksumsBytes = 4 << 20

// Checksum is one line of a list of checksums.
type Checksum struct {
	Line   int       // the first is 1
	Name   string    // as it is written; not checked, it may be any path
	Digest DigestSet // one digest: sha256, sha384 or sha512
}

// ParseChecksums reads what sha256sum, sha384sum or sha512sum write: on each line
// a digest, two spaces or a space and "*", and a name, or with --tag
//
//	SHA256 (name) = digest
//
// The length of a digest tells its algorithm, so one list may hold several. Empty
// lines are passed over. An empty list is an error, and a line that is anything
// else: it must not be lost quietly.
func ParseChecksums(data []byte) ([]Checksum, error) {
	if len(data) > MaxChecksumsBytes {
		return nil, fmt.Errorf("%d bytes, at most %d MiB are read", len(data), MaxChecksumsBytes>>20)
	}
	var list []Checksum
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		digest, name, err := splitChecksum(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		list = append(list, Checksum{Line: number, Name: name, Digest: digest})
	}
	if len(list) == 0 {
		return nil, errors.New("it lists nothing")
	}
	return list, nil
}

func splitChecksum(line string) (DigestSet, string, error) {
	if strings.HasPrefix(line, `\`) {
		return nil, "", errors.New("the name holds a line break or a backslash, which is not read")
	}
	alg, hexDigest, name, ok := splitTagged(line)
	if !ok {
		hexDigest, name, _ = strings.Cut(line, " ")
		alg = map[int]Algorithm{64: SHA256, 96: SHA384, 128: SHA512}[len(hexDigest)]
		name = strings.TrimPrefix(strings.TrimPrefix(name, " "), "*")
	}
	if alg == "" || name == "" {
		return nil, "", errors.New("expected a hex digest of 64, 96 or 128 digits and a name, as sha256sum writes them")
	}
	digest, err := ParseDigest(string(alg) + ":" + hexDigest)
	return digest, name, err
}

// splitTagged takes a line apart that --tag wrote. The digest follows the last
// " = ", as a name may hold one too.
func splitTagged(line string) (alg Algorithm, hexDigest, name string, ok bool) {
	for tag, alg := range map[string]Algorithm{"SHA256 (": SHA256, "SHA384 (": SHA384, "SHA512 (": SHA512} {
		rest, found := strings.CutPrefix(line, tag)
		if at := strings.LastIndex(rest, ") = "); found && at >= 0 {
			return alg, rest[at+len(") = "):], rest[:at], true
		}
	}
	return "", "", "", false
}
