// Package attestationtest signs for real with an in-memory Sigstore, for tests
// only. It opens no connection, reads no file and never asks for the time.
//
// An instance is a certificate authority and whichever of the other services a
// test needs: a certificate transparency log, a Rekor v1 and a Rekor v2
// transparency log, a timestamp authority. It writes the trusted root that a
// verifier needs, and bundles that the verifier accepts:
//
//	sigstore, err := attestationtest.New(attestationtest.PublicGood())
//	...
//	release := attestationtest.WorkflowClaims{Repository: "acme/app"}
//	bundle, err := sigstore.Sign(attestationtest.SignRequest{
//		As: attestationtest.Workflow(release),
//		Payload: attestationtest.Statement(
//			[]attestationtest.Subject{attestationtest.File("app", app)},
//			"https://slsa.dev/provenance/v1",
//			attestationtest.Provenance(release),
//		),
//	})
//	...
//	verify(sigstore.TrustedRoot(), bundle.JSON)
//
// A test of a refusal asks for the same bundle with one thing wrong, by naming
// a [Break]. Everything else in it stays genuine, so that only the check under
// test can refuse it:
//
//	SignRequest{As: alice, Payload: statement, Break: []Break{BreakPromise}}
//
// # Classic in-toto
//
// Layouts and links of in-toto 1.0 need no Sigstore: [NewClassicKey] makes a key
// or [ClassicAuthority] certifies one, [ClassicLayout] and [ClassicLink] say what
// to sign, and [SignClassic] signs it as a Metablock or in a DSSE envelope,
// wrongly if the test names a [ClassicBreak].
//
// # Over HTTP
//
// Each service but the certificate authority has a Handler that speaks as the
// real one does, on the clock that it is given; who serves it opens the
// connection. internal/sandbox does, and puts Fulcio itself before the authority.
//
// # Time
//
// An instance lives at one fixed instant, [Config.Now]; each certificate, log
// entry and timestamp is made at that instant or at the one that the request
// names. The services' own keys and certificates are valid from five years
// before it to twenty-five years after it, so that golden files do not expire.
//
// # Golden files
//
// With a [Config.Seed], every key, serial number and signature follows from the
// seed: the same sequence of calls gives the same trusted root and the same
// bundles, byte for byte. ECDSA signatures are those of RFC 6979. Calls made
// concurrently are safe, but their order, and so their bytes, are not fixed.
package attestationtest
