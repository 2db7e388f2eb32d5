// Package signer makes a statement a bundle, through Fulcio, Rekor and a
// timestamp authority. It trusts nobody: whether what they returned proves
// anything is for the caller to find out, who opens the bundle with
// attestation.Open. It writes no file, and shows no token and no key.
//
//	config, err := signer.PublicGood(signer.ConfigDecides)
//	services, err := config.Select(now, signer.ConfigDecides)
//	result, err := signer.Sign(ctx, signer.Request{
//		Content:          signer.Statement(statement),
//		Services:         services,
//		Token:            mint,
//		CheckCertificate: expected,
//	}, signer.Options{HTTP: client, Now: now})
//
// The order is fixed. Fulcio certifies a key made for this bundle alone; the
// certificate must be for that key and pass CheckCertificate; only then do the
// timestamp authorities and the transparency logs, which are public, see
// anything.
//
// What may pass is tried again: a broken connection, 429 and 5xx, with growing,
// jittered waits that a Retry-After lengthens. What an earlier attempt logged is
// found again instead of failing on it. Everything else is final.
package signer

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/identity"
)

const (
	// PayloadType is the DSSE payload type of a statement.
	PayloadType = "application/vnd.in-toto+json"
	// MaxStatementSize bounds a statement, in bytes: as much as is ever opened.
	MaxStatementSize = 16 << 20

	bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	maxSeals        = 3 // signatures for one bundle, where a log knows one already
)

// Content is what is signed: a Statement or a Message. The zero value is nothing.
type Content struct {
	payload []byte
	digests artifact.DigestSet
}

// Statement is an in-toto statement in JSON, signed in a DSSE envelope.
func Statement(payload []byte) Content { return Content{payload: payload} }

// Message is an artifact by its digests, signed as a message signature. One of
// them must be in the key's PrivateKey.Digest: sha256 with a token.
func Message(digests artifact.DigestSet) Content { return Content{digests: digests} }

// Request says what to sign, as whom, and with which services.
type Request struct {
	Content  Content // must be set
	Services Services

	// Exactly one says who signs: a source of identity tokens, or a key.
	Token TokenSource
	Key   *PrivateKey

	// CheckCertificate must be set with Token. It refuses a certificate whose
	// signer is not the expected one or whose extensions are not the token's
	// claims. Nothing about the certificate is verified by then but that it is
	// for this bundle's key.
	CheckCertificate func(identity.Signer) error
}

// Options are how services are reached.
type Options struct {
	HTTP *http.Client // must be set; redirects are not followed, cookies not kept
	Now  time.Time    // must be set: whether a refused token had expired, and what a Retry-After date means

	// Sleep waits, and returns early with the context's error; nil waits by the
	// clock. Jitter returns a number in [0,1); nil draws it.
	Sleep  func(context.Context, time.Duration) error
	Jitter func() float64
	// Again, if set, is told why a request is sent again, and after which wait. It
	// may be called at the same time for several signings.
	Again func(*ServiceError, time.Duration)

	Attempt   time.Duration // bounds one attempt; 0 means 30 seconds
	Budget    time.Duration // bounds one request with its attempts and waits; 0 means 90 seconds
	UserAgent string        // "signatus" if empty
}

// Result is a signed bundle.
type Result struct {
	// Bundle is a Sigstore bundle v0.3 in JSON: one line, without a line break.
	Bundle []byte
	// Signer is who signed, as the certificate or the key says.
	Signer identity.Signer
	// Entries are where the bundle was logged.
	Entries []Entry
}

// Entry is a place in a transparency log.
type Entry struct {
	Log   string // base URL
	Index int64
}

// Sign makes the bundle. Its error is a *ServiceError, a *CertificateError or a
// *ConfigError where the caller may want to tell; errors.Is finds the error of
// an ended context. There is no result beside an error.
func Sign(ctx context.Context, r Request, o Options) (*Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if o.HTTP == nil || o.Now.IsZero() {
		return nil, errors.New("signing: no HTTP client or no time was given")
	}
	s := &signing{request: r, courier: newCourier(o)}
	if err := s.identify(ctx); err != nil {
		return nil, err
	}
	for n := 1; ; n++ {
		result, err := s.seal(ctx)
		// A log that holds an equal entry already, and cannot give it back, takes
		// another signature. See RekorV2.
		if known, ok := errors.AsType[*knownError](err); ok {
			if n == maxSeals {
				return nil, known.ServiceError
			}
			continue
		}
		return result, err
	}
}

// check refuses a request that nobody could fulfil, before anyone is asked.
func (r Request) check() error {
	switch {
	case (r.Token != nil) == (r.Key != nil):
		return errors.New("signing: exactly one of a token and a key must be given")
	case (r.Content.payload != nil) == (r.Content.digests != nil):
		return errors.New("signing: exactly one of a statement and a message must be given")
	case r.Token != nil && r.CheckCertificate == nil:
		return errors.New("signing with a token: nothing says whom the certificate must name")
	case r.Key != nil && r.Key.sign == nil:
		return errors.New("signing with a key: it is empty")
	case len(r.Content.payload) > MaxStatementSize:
		return fmt.Errorf("signing: the statement has %d bytes, at most %d can be verified%sattest fewer subjects at a time or a smaller predicate", len(r.Content.payload), MaxStatementSize, answer.NextMarker)
	case r.Content.payload != nil && !json.Valid(r.Content.payload):
		return errors.New("signing: the statement is not JSON")
	}
	if err := r.Services.check(); err != nil {
		return err
	}
	if r.Token != nil {
		return r.Services.checkCertified()
	}
	// "ed25519 must use the prehash variant" in Rekor v2, and DSSE verifiers
	// take the pure one only (sigstore-go, pkg/sign/transparency.go).
	if r.Key.ed25519() && r.Content.payload != nil && len(r.Services.Rekor) > 0 && r.Services.RekorVersion == RekorV2 {
		return &ConfigError{
			Err:  errors.New("signing a statement with an Ed25519 key: Rekor v2 takes none"),
			Next: "use an ECDSA key, or --rekor-version 1",
		}
	}
	return nil
}

func newCourier(o Options) *courier {
	c := &courier{
		http: *o.HTTP, sleep: o.Sleep, jitter: o.Jitter, again: o.Again, now: o.Now,
		attempt: o.Attempt, budget: o.Budget, userAgent: o.UserAgent,
	}
	c.http.Jar = nil
	// A redirect would take the token, or the statement, to somebody else.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.sleep == nil {
		c.sleep = answer.Pause
	}
	if c.jitter == nil {
		c.jitter = rand.Float64 // #nosec G404 -- spreads clients in time, guards nothing
	}
	if c.attempt <= 0 {
		c.attempt = 30 * time.Second
	}
	if c.budget <= 0 {
		c.budget = 90 * time.Second
	}
	if c.userAgent == "" {
		c.userAgent = "signatus"
	}
	return c
}

// signing is one bundle in the making.
type signing struct {
	request Request
	courier *courier
	key     PrivateKey
	signer  identity.Signer
	// certificate is the leaf in DER; nil with a key.
	certificate []byte
}

// identify settles with which key, and as whom, to sign.
func (s *signing) identify(ctx context.Context) (err error) {
	if s.request.Key != nil {
		s.key = *s.request.Key
		s.signer, err = s.key.Signer()
		return err
	}
	if s.key, err = newEphemeral(); err != nil {
		return err
	}
	s.certificate, err = s.certify(ctx)
	return err
}

// seal signs, has the signature stamped and then logged, and writes the bundle.
func (s *signing) seal(ctx context.Context) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("signing: interrupted: %w", err)
	}
	spki, err := s.key.spki()
	if err != nil {
		return nil, err
	}
	bundle := &protobundle.Bundle{MediaType: bundleMediaType, VerificationMaterial: s.material(spki)}
	signature, err := s.sign(bundle)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	for _, address := range s.request.Services.TSA {
		stamp, err := s.courier.stamp(ctx, endpoint{TSA, address}, signature)
		if err != nil {
			return nil, err
		}
		data := bundle.VerificationMaterial.TimestampVerificationData
		data.Rfc3161Timestamps = append(data.Rfc3161Timestamps, &protocommon.RFC3161SignedTimestamp{SignedTimestamp: stamp})
	}
	verifier := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	if s.certificate != nil {
		verifier = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate})
	}
	result := &Result{Signer: s.signer}
	for i, address := range s.request.Services.Rekor {
		if err := s.courier.log(ctx, logging{version: s.request.Services.RekorVersion, url: address, verifier: verifier}, bundle); err != nil {
			return nil, err
		}
		result.Entries = append(result.Entries, Entry{Log: address, Index: bundle.VerificationMaterial.TlogEntries[i].GetLogIndex()})
	}
	result.Bundle, err = encode(bundle)
	return result, err
}

// material names the signer in the bundle.
func (s *signing) material(spki []byte) *protobundle.VerificationMaterial {
	m := &protobundle.VerificationMaterial{
		Content: &protobundle.VerificationMaterial_PublicKey{
			PublicKey: &protocommon.PublicKeyIdentifier{Hint: hint(spki)},
		},
	}
	if s.certificate != nil {
		m.Content = &protobundle.VerificationMaterial_Certificate{
			Certificate: &protocommon.X509Certificate{RawBytes: s.certificate},
		}
	}
	if len(s.request.Services.TSA) > 0 {
		m.TimestampVerificationData = &protobundle.TimestampVerificationData{}
	}
	return m
}

// sign puts the signed content into the bundle and returns the signature.
func (s *signing) sign(bundle *protobundle.Bundle) ([]byte, error) {
	content := s.request.Content
	if content.payload != nil {
		version := 0
		if len(s.request.Services.Rekor) > 0 {
			version = s.request.Services.RekorVersion
		}
		data := &sign.DSSEData{Data: content.payload, PayloadType: PayloadType}
		signature, err := s.key.signStatement(data.PreAuthEncoding(), version)
		if err != nil {
			return nil, err
		}
		data.Bundle(bundle, signature, nil, protocommon.HashAlgorithm_HASH_ALGORITHM_UNSPECIFIED)
		return signature, nil
	}
	algorithm := s.key.Digest()
	digest, err := hex.DecodeString(content.digests[algorithm])
	if err != nil || len(digest) != s.key.hash().Size() {
		return nil, fmt.Errorf("the artifact has no %s digest, which this key signs", algorithm)
	}
	signature, err := s.key.sign(digest, s.key.hash())
	if err != nil {
		return nil, err
	}
	names := map[artifact.Algorithm]protocommon.HashAlgorithm{
		artifact.SHA256: protocommon.HashAlgorithm_SHA2_256,
		artifact.SHA384: protocommon.HashAlgorithm_SHA2_384,
		artifact.SHA512: protocommon.HashAlgorithm_SHA2_512,
	}
	new(sign.PlainData).Bundle(bundle, signature, digest, names[algorithm])
	return signature, nil
}

// encode writes the bundle in one line. protojson's own spacing differs from
// build to build on purpose.
func encode(bundle *protobundle.Bundle) ([]byte, error) {
	spaced, err := protojson.Marshal(bundle)
	if err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, spaced); err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	return line.Bytes(), nil
}
