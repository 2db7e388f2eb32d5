package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"golang.org/x/sync/errgroup"

	"github.com/signatus-dev/signatus/internal/attestation"
)

// opening verifies many distinct bundles: ours, plain sigstore-go, and the
// public-key work of each alone, all with the same parallelism.
func opening(_ context.Context, w *world, o options) ([]row, error) {
	material, err := root.NewTrustedRootFromJSON(w.root)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", err)
	}
	keys, err := newFloor()
	if err != nil {
		return nil, err
	}
	type timed = func() (time.Duration, error)
	ours := func(bundles [][]byte) timed {
		return func() (time.Duration, error) { return each(bundles, oursOn(material)) }
	}
	plain := func(bundles [][]byte) timed {
		return func() (time.Duration, error) { return each(bundles, plainOn(material)) }
	}
	// Of the fixed chains' P-384 checks one per bundle is left when they are pinned.
	floor := func(p384, p256, ed25519 int) timed {
		return func() (time.Duration, error) {
			return each(w.v2, func() (func([]byte) error, error) {
				return func([]byte) error { return keys.verify(p384, p256, ed25519) }, nil
			})
		}
	}
	var rows []row
	for _, m := range []struct {
		what, against, target string
		a, b                  timed
	}{
		{"open distinct bundles, SCT + Rekor v2 + TSA", "plain sigstore-go", "≤ 0.62", ours(w.v2), plain(w.v2)},
		{"open distinct bundles, SCT + Rekor v2 + TSA", "the public-key floor, chains pinned", "", ours(w.v2), floor(1, 3, 1)},
		{"open distinct bundles, SCT + Rekor v2 + TSA", "the public-key floor, chains checked each time", "", ours(w.v2), floor(3, 3, 1)},
		{"open distinct bundles, SCT + Rekor v1", "plain sigstore-go", "", ours(w.v1), plain(w.v1)},
	} {
		x, y, ratio, err := pairs(o.rounds, m.a, m.b)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{
			what: m.what, against: m.against, ours: perBundle(x, o.bundles), theirs: perBundle(y, o.bundles), ratio: ratio, target: m.target,
		})
	}
	return rows, nil
}

func perBundle(d time.Duration, n int) string {
	return fmt.Sprintf("%.2f ms each", float64(d.Microseconds())/1000/float64(n))
}

// each runs one verification for every bundle, in parallel. Making the verifier
// is part of the work.
func each(bundles [][]byte, prepare func() (func([]byte) error, error)) (time.Duration, error) {
	start := time.Now()
	check, err := prepare()
	if err != nil {
		return 0, err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, b := range bundles {
		group.Go(func() error { return check(b) })
	}
	err = group.Wait()
	return time.Since(start), err
}

// oursOn opens with attestation.Open; the root is made anew, so that no leaf is
// remembered from the last round.
func oursOn(material *root.TrustedRoot) func() (func([]byte) error, error) {
	return func() (func([]byte) error, error) {
		ready, err := attestation.NewRoot("sigstore", material)
		if err != nil {
			return nil, err
		}
		return func(data []byte) error {
			candidates, refused := attestation.Candidates("bundle", data)
			if len(candidates) != 1 || len(refused) != 0 {
				return errors.New("expected one candidate")
			}
			_, err := attestation.Open(candidates[0], ready)
			return err
		}, nil
	}
}

// plainOn does the same with sigstore-go alone, demanding the same.
func plainOn(material *root.TrustedRoot) func() (func([]byte) error, error) {
	return func() (func([]byte) error, error) {
		v, err := verify.NewVerifier(material, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
		if err != nil {
			return nil, err
		}
		policy := verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe())
		return func(data []byte) error {
			var b bundle.Bundle
			if err := b.UnmarshalJSON(data); err != nil {
				return err
			}
			_, err := v.Verify(&b, policy)
			return err
		}, nil
	}
}

// floor is the public-key work of a verification and nothing else.
type floor struct {
	p384, p256     *ecdsa.PublicKey
	sig384, sig256 []byte
	ed25519        ed25519.PublicKey
	sigEd          []byte
	digest         []byte
}

func newFloor() (*floor, error) {
	f := &floor{}
	message := sha256.Sum256([]byte("floor"))
	f.digest = message[:]
	for _, k := range []struct {
		curve elliptic.Curve
		key   **ecdsa.PublicKey
		sig   *[]byte
	}{{elliptic.P384(), &f.p384, &f.sig384}, {elliptic.P256(), &f.p256, &f.sig256}} {
		key, err := ecdsa.GenerateKey(k.curve, rand.Reader)
		if err != nil {
			return nil, err
		}
		if *k.sig, err = key.Sign(rand.Reader, f.digest, crypto.SHA256); err != nil {
			return nil, err
		}
		*k.key = &key.PublicKey
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	f.ed25519, f.sigEd = public, ed25519.Sign(private, f.digest)
	return f, nil
}

func (f *floor) verify(p384, p256, ed int) error {
	ok := true
	for range p384 {
		ok = ecdsa.VerifyASN1(f.p384, f.digest, f.sig384) && ok
	}
	for range p256 {
		ok = ecdsa.VerifyASN1(f.p256, f.digest, f.sig256) && ok
	}
	for range ed {
		ok = ed25519.Verify(f.ed25519, f.digest, f.sigEd) && ok
	}
	if !ok {
		return errors.New("a signature of the floor did not verify")
	}
	return nil
}
