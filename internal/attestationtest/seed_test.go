package attestationtest

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A seed fixes every byte: of the trusted root, and of all that is signed.
func TestSeedRepeats(t *testing.T) {
	t.Parallel()
	run := func(seed string) map[string]string {
		config := PublicGood()
		config.Seed = seed
		s := newInstance(t, config)
		files := map[string]string{"trusted root": string(s.TrustedRoot())}
		for _, entry := range []LogEntry{EntryV1DSSE, EntryV1Intoto, EntryV2} {
			b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement(), Entry: entry})
			files["envelope, "+string(entry)] = string(b.JSON)
		}
		key, err := s.NewKey("alice")
		if err != nil {
			t.Fatal(err)
		}
		files["message"] = string(newBundle(t, s, SignRequest{Key: key, MessageDigest: artifactDigest()}).JSON)
		files["broken"] = string(newBundle(t, s, SignRequest{
			As: alice(), Payload: artifactStatement(), Break: []Break{BreakUnknownCA, BreakPromise, BreakUnknownTSA},
		}).JSON)
		return files
	}
	first := run("golden")
	if diff := cmp.Diff(first, run("golden")); diff != "" {
		t.Errorf("one seed, two results (-first +second):\n%s", diff)
	}
	for name, content := range run("other") {
		if first[name] == content {
			t.Errorf("two seeds give one %s", name)
		}
	}
}

// Without a seed no two instances share a key.
func TestNoSeedDraws(t *testing.T) {
	t.Parallel()
	one, other := newInstance(t, GitHub()), newInstance(t, GitHub())
	if string(one.TrustedRoot()) == string(other.TrustedRoot()) {
		t.Error("two instances without a seed are one")
	}
}

// The instant is the configuration's, and what was signed then still verifies
// when only the signed times count.
func TestConfigNow(t *testing.T) {
	t.Parallel()
	if got, want := newInstance(t, GitHub()).Now(), time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("instant is %v, want %v", got, want)
	}
	config := PublicGood()
	config.Now = time.Date(1999, 12, 31, 23, 59, 58, 7, time.FixedZone("", 3600))
	s := newInstance(t, config)
	b := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement()})
	result, err := plainVerify(s.TrustedRoot(), b.JSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, stamp := range result.VerifiedTimestamps {
		if want := time.Date(1999, 12, 31, 22, 59, 58, 0, time.UTC); !stamp.Timestamp.Equal(want) {
			t.Errorf("%s says %v, want %v", stamp.Type, stamp.Timestamp, want)
		}
	}
}

// The trusted root of a seed is the same on every machine and in every year.
// If this changes, golden files that were made with a seed change with it.
func TestSeedIsForever(t *testing.T) {
	t.Parallel()
	config := PublicGood()
	config.Seed = "golden"
	got := sha256.Sum256(newInstance(t, config).TrustedRoot())
	if want := "6a1e6efbf6bc8b899e94e65ef637695374e04696e7d3f0131957ea4b03731f63"; hex.EncodeToString(got[:]) != want {
		t.Errorf("digest of trusted root is %x, want %s", got, want)
	}
}
