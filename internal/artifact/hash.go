package artifact

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// blockSize is what Hash reads at once: large enough to keep the hash busy,
// small enough that memory does not grow with the artifact.
const blockSize = 1 << 20

// Hash reads r once, to its end, and returns its digest in each algorithm:
// sha256, sha384 or sha512. Memory does not grow with the length of r.
func Hash(r io.Reader, algorithms ...Algorithm) (DigestSet, error) {
	hashes := make(map[Algorithm]hash.Hash, len(algorithms))
	var writers []io.Writer
	for _, alg := range algorithms {
		h, err := newHash(alg)
		if err != nil {
			return nil, err
		}
		hashes[alg] = h
		writers = append(writers, h)
	}
	if len(writers) == 0 {
		return nil, fmt.Errorf("hashing: no algorithm given")
	}
	// The wrapper hides WriterTo and ReaderFrom, which would bring their own
	// buffer sizes.
	source := struct{ io.Reader }{r}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(writers...)}, source, make([]byte, blockSize)); err != nil {
		return nil, err
	}
	set := make(DigestSet, len(hashes))
	for alg, h := range hashes {
		set[alg] = hex.EncodeToString(h.Sum(nil))
	}
	return set, nil
}

func newHash(alg Algorithm) (hash.Hash, error) {
	switch alg {
	case SHA256:
		return sha256.New(), nil
	case SHA384:
		return sha512.New384(), nil
	case SHA512:
		return sha512.New(), nil
	default:
		return nil, fmt.Errorf("hashing with %q: expected sha256, sha384 or sha512", alg)
	}
}
