package attestationtest

import (
	"slices"
	"strings"
	"testing"
)

// Every row breaks one thing, and plain sigstore-go refuses the bundle for it.
func TestBreakIsRefused(t *testing.T) {
	t.Parallel()
	full := newInstance(t, PublicGood())
	github := newInstance(t, GitHub())
	payload, digest := artifactStatement(), artifactDigest()

	tests := []struct {
		name     string
		instance *Sigstore
		request  SignRequest
		reason   string // sigstore-go's
	}{
		{"sct missing", full, SignRequest{Break: []Break{BreakNoSCT}}, "able to verify 0 SCT"},
		{"sct by unknown log", full, SignRequest{Break: []Break{BreakUnknownCTLog}}, "able to verify 0 SCT"},
		{"sct for another certificate", full, SignRequest{Break: []Break{BreakOtherSCT}}, "able to verify 0 SCT"},
		{"leaf by another ca", full, SignRequest{Break: []Break{BreakUnknownCA}}, "leaf certificate verification failed"},
		{"leaf by another ca, github", github, SignRequest{Break: []Break{BreakUnknownCA}}, "leaf certificate verification failed"},
		{"leaf without code signing", full, SignRequest{Break: []Break{BreakNoCodeSigning}}, "leaf certificate verification failed"},
		{"leaf without code signing, github", github, SignRequest{Break: []Break{BreakNoCodeSigning}}, "leaf certificate verification failed"},
		{"leaf expired", full, SignRequest{Break: []Break{BreakExpiredLeaf}}, "integrated time outside certificate validity"},
		{"leaf expired, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakExpiredLeaf}}, "leaf certificate verification failed"},
		{"leaf expired, github", github, SignRequest{Break: []Break{BreakExpiredLeaf}}, "leaf certificate verification failed"},

		{"payload", full, SignRequest{Break: []Break{BreakPayload}}, "does not match envelope payload hash"},
		{"payload, intoto", full, SignRequest{Entry: EntryV1Intoto, Break: []Break{BreakPayload}}, "does not match envelope payload hash"},
		{"payload, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakPayload}}, "verifying inclusion"},
		{"payload, github", github, SignRequest{Break: []Break{BreakPayload}}, "could not verify envelope"},
		{"digest", full, SignRequest{MessageDigest: digest, Break: []Break{BreakPayload}}, "does not match artifact"},
		{"digest, v2", full, SignRequest{MessageDigest: digest, Entry: EntryV2, Break: []Break{BreakPayload}}, "verifying inclusion"},
		{"digest, github", github, SignRequest{MessageDigest: digest, Break: []Break{BreakPayload}}, "artifact does not match digest"},
		{"signature", full, SignRequest{Break: []Break{BreakSignature}}, "transparency log signature does not match"},
		{"signature, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakSignature}}, "verifying inclusion"},
		{"signature, github", github, SignRequest{Break: []Break{BreakSignature}}, "threshold not met"},
		{"signature of message", full, SignRequest{MessageDigest: digest, Break: []Break{BreakSignature}}, "transparency log signature does not match"},
		{"two signatures", full, SignRequest{Break: []Break{BreakTwoSignatures}}, "exactly one signature"},
		{"two signatures, github", github, SignRequest{Break: []Break{BreakTwoSignatures}}, "exactly one signature"},

		{"promise by another key", full, SignRequest{Break: []Break{BreakPromise}}, "not enough verified log entries"},
		{"promise by another key, 0.1", full, SignRequest{BundleVersion: "0.1", Break: []Break{BreakPromise}}, "not enough verified log entries"},
		{"integrated time", full, SignRequest{Break: []Break{BreakIntegratedTime}}, "integrated time outside certificate validity"},
		{"integrated time of message", full, SignRequest{MessageDigest: digest, Break: []Break{BreakIntegratedTime}}, "integrated time outside certificate validity"},
		{"entry of another signature", full, SignRequest{Break: []Break{BreakOtherEntry}}, "transparency log signature does not match"},
		{"entry of another signature, intoto", full, SignRequest{Entry: EntryV1Intoto, Break: []Break{BreakOtherEntry}}, "transparency log signature does not match"},
		{"entry of another signature, message", full, SignRequest{MessageDigest: digest, Break: []Break{BreakOtherEntry}}, "transparency log signature does not match"},
		{"entry of another signature, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakOtherEntry}}, "verifying inclusion"},
		{"entry twice", full, SignRequest{Break: []Break{BreakDuplicateEntry}}, "duplicate tlog entries"},
		{"entry twice, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakDuplicateEntry}}, "duplicate tlog entries"},
		{"no entry", full, SignRequest{Break: []Break{BreakNoEntry}}, "not enough verified log entries"},

		{"inclusion proof", full, SignRequest{Break: []Break{BreakInclusionProof}}, "calculated root"},
		{"inclusion proof, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakInclusionProof}}, "calculated root"},
		{"no inclusion proof, 0.2", full, SignRequest{BundleVersion: "0.2", Break: []Break{BreakNoInclusionProof}}, "inclusion proof missing"},
		{"no inclusion proof, 0.3", full, SignRequest{Break: []Break{BreakNoInclusionProof}}, "inclusion proof missing"},
		{"no inclusion proof, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakNoInclusionProof}}, "inclusion proof missing"},
		{"checkpoint by another key", full, SignRequest{Break: []Break{BreakCheckpointKey}}, "signature on checkpoint did not verify"},
		{"checkpoint by another key, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakCheckpointKey}}, "unverified checkpoint signature"},
		{"checkpoint of another origin, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakCheckpointOrigin}}, "unverified checkpoint signature"},

		{"timestamp by unknown tsa, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakUnknownTSA}}, "threshold not met"},
		{"timestamp by unknown tsa, github", github, SignRequest{Break: []Break{BreakUnknownTSA}}, "threshold not met"},
		{"timestamp over another signature, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakOtherTimestamp}}, "hashed messages don't match"},
		{"timestamp over another signature, github", github, SignRequest{Break: []Break{BreakOtherTimestamp}}, "hashed messages don't match"},
		{"timestamp outside, v1", full, SignRequest{Break: []Break{BreakTimestampTime}}, "leaf certificate verification failed"},
		{"timestamp outside, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakTimestampTime}}, "leaf certificate verification failed"},
		{"timestamp outside, github", github, SignRequest{Break: []Break{BreakTimestampTime}}, "leaf certificate verification failed"},
		{"33 timestamps, v1", full, SignRequest{Break: []Break{BreakManyTimestamps}}, "too many signed timestamps"},
		{"33 timestamps, github", github, SignRequest{Break: []Break{BreakManyTimestamps}}, "too many signed timestamps"},
		{"no timestamp, v2", full, SignRequest{Entry: EntryV2, Break: []Break{BreakNoTimestamp}}, "threshold not met"},
		{"no timestamp, github", github, SignRequest{Break: []Break{BreakNoTimestamp}}, "threshold not met"},

		{"chain in 0.3", full, SignRequest{Break: []Break{BreakCertificateChain}}, "cannot be X.509 certificate chain"},
		{"empty certificate", full, SignRequest{Break: []Break{BreakEmptyCertificate}}, "missing verification material"},
		{"empty certificate, 0.1", full, SignRequest{BundleVersion: "0.1", Break: []Break{BreakEmptyCertificate}}, "missing verification material"},

		{"rekor v2 entry in 0.1", full, SignRequest{BundleVersion: "0.1", Entry: EntryV2}, "inclusion promises missing"},
		{"hashedrekord for an envelope", full, SignRequest{Entry: EntryV1HashedRekord}, "not a dsse_v001 or intoto_v002 entry"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := test.request
			request.As = alice()
			if request.MessageDigest == nil {
				request.Payload = payload
			}
			b := newBundle(t, test.instance, request)
			if _, err := plainVerify(test.instance.TrustedRoot(), b.JSON, nil); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("sigstore-go says %v, want a refusal with %q", err, test.reason)
			}
		})
	}

	refused := make(map[Break]bool)
	for _, test := range tests {
		for _, b := range test.request.Break {
			refused[b] = true
		}
	}
	for _, b := range Breaks() {
		if !refused[b] && b != BreakNoExtKeyUsage {
			t.Errorf("no row has %s", b)
		}
	}
}

// These are broken, or look so, and plain sigstore-go accepts them: whoever
// minds must look for himself.
func TestBreakIsAccepted(t *testing.T) {
	t.Parallel()
	full := newInstance(t, PublicGood())
	github := newInstance(t, GitHub())
	for _, test := range []struct {
		name     string
		instance *Sigstore
		request  SignRequest
	}{
		// crypto/x509 reads a leaf without extended key usage as fit for any.
		{"leaf without any key usage", full, SignRequest{Break: []Break{BreakNoExtKeyUsage}}},
		{"leaf without any key usage, github", github, SignRequest{Break: []Break{BreakNoExtKeyUsage}}},
		// The origin of a Rekor v1 checkpoint is compared with nothing.
		{"checkpoint of another origin, v1", full, SignRequest{Break: []Break{BreakCheckpointOrigin}}},
		// A timestamp that does not verify is dropped where the log has a time.
		{"timestamp by unknown tsa, v1", full, SignRequest{Break: []Break{BreakUnknownTSA}}},
		{"timestamp over another signature, v1", full, SignRequest{Break: []Break{BreakOtherTimestamp}}},
		{"no timestamp, v1", full, SignRequest{Break: []Break{BreakNoTimestamp}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := test.request
			request.As, request.Payload = alice(), artifactStatement()
			b := newBundle(t, test.instance, request)
			if _, err := plainVerify(test.instance.TrustedRoot(), b.JSON, nil); err != nil {
				t.Errorf("sigstore-go has learned to refuse it: %v", err)
			}
		})
	}
}

// A Break changes nothing that the next bundle needs.
func TestBreakLeavesInstanceGood(t *testing.T) {
	t.Parallel()
	for _, config := range []Config{PublicGood(), GitHub()} {
		s := newInstance(t, config)
		for _, b := range Breaks() {
			// What the instance does not have cannot be broken.
			_, _ = s.Sign(SignRequest{As: alice(), Payload: artifactStatement(), Break: []Break{b}})
		}
		good := newBundle(t, s, SignRequest{As: alice(), Payload: artifactStatement()})
		if _, err := plainVerify(s.TrustedRoot(), good.JSON, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestBreaksAreDistinct(t *testing.T) {
	t.Parallel()
	sorted := slices.Sorted(slices.Values(Breaks()))
	if got := len(slices.Compact(sorted)); got != len(Breaks()) {
		t.Errorf("%d of %d breaks are distinct", got, len(Breaks()))
	}
}
