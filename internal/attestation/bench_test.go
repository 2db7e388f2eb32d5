package attestation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// distinctBundles is the size of one batch: as many different certificates,
// statements, log entries and timestamps.
const distinctBundles = 1000

// newInstance makes an in-memory Sigstore and what verifies its bundles.
func newInstance(t testing.TB, config attestationtest.Config) (*attestationtest.Sigstore, root.TrustedMaterial) {
	t.Helper()
	s, err := attestationtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	material, err := root.NewTrustedRootFromJSON(s.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	return s, material
}

func newRoot(t testing.TB, name string, material root.TrustedMaterial) *Root {
	t.Helper()
	r, err := NewRoot(name, material)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// provenance is a signed statement on one artifact.
func provenance(n int) attestationtest.SignRequest {
	claims := attestationtest.WorkflowClaims{Repository: fmt.Sprintf("acme/app%d", n)}
	subject := attestationtest.File("app", fmt.Appendf(nil, "artifact %d", n))
	return attestationtest.SignRequest{
		As:      attestationtest.Workflow(claims),
		Payload: attestationtest.Statement([]attestationtest.Subject{subject}, "https://slsa.dev/provenance/v1", attestationtest.Provenance(claims)),
	}
}

func signBatch(b *testing.B, s *attestationtest.Sigstore, change func(*attestationtest.SignRequest)) [][]byte {
	b.Helper()
	batch := make([][]byte, distinctBundles)
	var failed atomic.Pointer[error]
	parallel(len(batch), func(i int) {
		request := provenance(i)
		change(&request)
		bundle, err := s.Sign(request)
		if err != nil {
			failed.Store(&err)
			return
		}
		batch[i] = bundle.JSON
	})
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	return batch
}

// BenchmarkOpenDistinct verifies 1,000 distinct bundles, as many at once as
// there are cores: with Candidates and Open, with plain sigstore-go, and the
// floor, which is the public-key work alone that no verifier can leave out. The
// three take turns, a hundred bundles each, and are compared by the processor
// time they take, so that a busy machine slows all alike. ours/plain is the
// target in docs/performance.md: at most 0.62.
func BenchmarkOpenDistinct(b *testing.B) {
	b.Run("RekorV2+TSA", func(b *testing.B) {
		benchmarkOpen(b, func(r *attestationtest.SignRequest) { r.Entry = attestationtest.EntryV2 })
	})
	b.Run("RekorV1", func(b *testing.B) {
		benchmarkOpen(b, func(r *attestationtest.SignRequest) {
			r.Entry, r.OmitTimestamp = attestationtest.EntryV1DSSE, true
		})
	})
}

func benchmarkOpen(b *testing.B, change func(*attestationtest.SignRequest)) {
	s, material := newInstance(b, attestationtest.PublicGood())
	batch := signBatch(b, s, change)
	floor := newFloor(b, bytes.Contains(batch[0], []byte("rfc3161Timestamps")))
	var ours, plain, least usage
	b.ResetTimer()
	for range b.N {
		r := newRoot(b, "test", material)
		for chunk := range slices.Chunk(batch, 100) {
			ours.add(func() {
				parallel(len(chunk), func(i int) { mustOpen(b, chunk[i], r) })
			})
			plain.add(func() {
				parallel(len(chunk), func(i int) { mustPlain(b, chunk[i], material) })
			})
			least.add(func() { parallel(len(chunk), func(int) { floor() }) })
		}
	}
	each := float64(b.N * len(batch))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(batch[0])), "B/bundle")
	b.ReportMetric(float64(ours.cpu.Microseconds())/each, "ours-µs/bundle")
	b.ReportMetric(float64(plain.cpu.Microseconds())/each, "plain-µs/bundle")
	b.ReportMetric(float64(least.cpu.Microseconds())/each, "floor-µs/bundle")
	b.ReportMetric(float64(ours.cpu)/float64(plain.cpu), "ours/plain")
	b.ReportMetric(float64(ours.wall)/float64(plain.wall), "wall-ours/plain")
	b.ReportMetric(float64(ours.cpu)/float64(least.cpu), "ours/floor")
}

// usage adds up processor time and wall time.
type usage struct{ cpu, wall time.Duration }

func (u *usage) add(do func()) {
	wall, cpu := time.Now(), processorTime()
	do()
	u.cpu, u.wall = u.cpu+processorTime()-cpu, u.wall+time.Since(wall)
}

func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func mustPlain(t testing.TB, data []byte, material root.TrustedMaterial) {
	if err := plainOpen(data, material, nil); err != nil {
		t.Error(err)
	}
}

func mustOpen(t testing.TB, data []byte, r *Root) {
	found, refused := Candidates("bundle", data)
	if len(found) != 1 {
		t.Error(refused)
		return
	}
	if _, err := Open(found[0], r); err != nil {
		t.Error(err)
	}
}

// newFloor gives the public-key work of one bundle under a root whose fixed
// chains are checked: the leaf by the intermediate (P-384), the SCT and the
// statement (P-256), and either Rekor v1's promise and checkpoint (P-256 twice)
// or Rekor v2's checkpoint (Ed25519) and the timestamp (P-256).
func newFloor(b *testing.B, timestamped bool) func() {
	p256, p384 := ecdsaCheck(b, elliptic.P256(), crypto.SHA256), ecdsaCheck(b, elliptic.P384(), crypto.SHA384)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	message := []byte("checkpoint")
	signature := ed25519.Sign(private, message)
	return func() {
		p384()
		for range 3 {
			p256()
		}
		if !timestamped {
			p256()
		} else if !ed25519.Verify(public, message, signature) {
			panic("floor")
		}
	}
}

func ecdsaCheck(b *testing.B, curve elliptic.Curve, hash crypto.Hash) func() {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	digest := sum[:]
	if hash == crypto.SHA384 {
		sum := sha512.Sum384(nil)
		digest = sum[:]
	}
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, signature) {
			panic("floor")
		}
	}
}
