package attestationtest

import (
	"bytes"
	"crypto"
	"crypto/sha512"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/digitorus/timestamp"
	ct "github.com/google/certificate-transparency-go"
	"github.com/google/go-cmp/cmp"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/timestamp-authority/v2/pkg/verification"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Every leaf of a tree of any size proves its inclusion.
func TestMerkleTreeInclusion(t *testing.T) {
	t.Parallel()
	tree := newMerkleTree()
	for size := uint64(1); size <= 33; size++ {
		leaf := func(index uint64) []byte { return fmt.Appendf(nil, "leaf %d", index) }
		if _, err := tree.append(leaf(size - 1)); err != nil {
			t.Fatal(err)
		}
		root, err := tree.root()
		if err != nil {
			t.Fatal(err)
		}
		for index := range size {
			hashes, err := tree.inclusion(index)
			if err != nil {
				t.Fatal(err)
			}
			hash := rfc6962.DefaultHasher.HashLeaf(leaf(index))
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, hash, hashes, root); err != nil {
				t.Errorf("leaf %d of %d: %v", index, size, err)
			}
		}
	}
}

// The trusted root names what the instance has, and nothing else.
func TestTrustedRoot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config              Config
		tlogs, ctlogs, tsas int
	}{
		"public good": {PublicGood(), 2, 1, 1},
		"github":      {GitHub(), 0, 0, 1},
		"rekor v1":    {Config{RekorV1: true}, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var root struct {
				MediaType              string            `json:"mediaType"`
				Tlogs                  []json.RawMessage `json:"tlogs"`
				CTLogs                 []json.RawMessage `json:"ctlogs"`
				CertificateAuthorities []json.RawMessage `json:"certificateAuthorities"`
				TimestampAuthorities   []json.RawMessage `json:"timestampAuthorities"`
			}
			if err := json.Unmarshal(newInstance(t, test.config).TrustedRoot(), &root); err != nil {
				t.Fatal(err)
			}
			if want := "application/vnd.dev.sigstore.trustedroot+json;version=0.1"; root.MediaType != want {
				t.Errorf("media type is %q, want %q", root.MediaType, want)
			}
			got := []int{len(root.Tlogs), len(root.CTLogs), len(root.CertificateAuthorities), len(root.TimestampAuthorities)}
			if diff := cmp.Diff([]int{test.tlogs, test.ctlogs, 1, test.tsas}, got); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
}

// A timestamp query is answered with its own hash, nonce and wish for the
// certificate, at whatever instant.
func TestTSARespond(t *testing.T) {
	t.Parallel()
	s := newInstance(t, GitHub())
	message := []byte("a message")
	digest := sha512.Sum512(message)
	query, err := (&timestamp.Request{
		HashAlgorithm: crypto.SHA512,
		HashedMessage: digest[:],
		Certificates:  true,
		Nonce:         big.NewInt(4711),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	at := s.Now().AddDate(20, 0, 0)
	response, err := s.TSA.Respond(query, at)
	if err != nil {
		t.Fatal(err)
	}
	chain := s.TSA.Chain()
	got, err := verification.VerifyTimestampResponse(response, bytes.NewReader(message), verification.VerifyOpts{
		Roots: []*x509.Certificate{chain[1]}, // the leaf comes with the response
		Nonce: big.NewInt(4711),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Time.Equal(at) {
		t.Errorf("time is %v, want %v", got.Time, at)
	}
	if _, err := s.TSA.Respond([]byte("no query"), at); err == nil {
		t.Error("an answer to no query")
	}
}

// The certificate transparency log grows with each certificate, and vouches
// for itself.
func TestCTLogSignedTreeHead(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	newCertificate(t, s, alice())
	newCertificate(t, s, alice())
	sth, err := s.CTLog.SignedTreeHead(s.Now())
	if err != nil {
		t.Fatal(err)
	}
	if sth.TreeSize != 2 {
		t.Errorf("log has %d leaves, want 2", sth.TreeSize)
	}
	verifier, err := ct.NewSignatureVerifier(s.CTLog.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifySTHSignature(*sth); err != nil {
		t.Error(err)
	}
	if _, err := s.CTLog.AddPreChain([][]byte{[]byte("no certificate")}, s.Now()); err == nil {
		t.Error("a promise for no certificate")
	}
}

// A log refuses what its signer did not sign, and a checkpoint grows.
func TestRekor(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	key, err := s.NewKey("alice")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := newBundleSigner(key.Signer)
	if err != nil {
		t.Fatal(err)
	}
	content, err := signer.signMessageDigest(artifactDigest())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("v1", func(t *testing.T) {
		t.Parallel()
		add := func(c signedContent) error {
			proposed, err := signer.proposedEntry(EntryV1HashedRekord, c)
			if err != nil {
				return err
			}
			_, err = s.RekorV1.Add(proposed, s.Now())
			return err
		}
		wantLogged(t, add, content)
		wantCheckpoint(t, s.RekorV1.Checkpoint, "rekor.sigstore.test - "+rekorV1TreeID+"\n2\n")
	})
	t.Run("v2", func(t *testing.T) {
		t.Parallel()
		add := func(c signedContent) error {
			request, err := signer.hashedRekordRequest(c)
			if err != nil {
				return err
			}
			_, err = s.RekorV2.Add(request)
			return err
		}
		wantLogged(t, add, content)
		if _, err := s.RekorV2.Add(&rekortiles.HashedRekordRequestV002{}); err == nil {
			t.Error("an empty request is logged")
		}
		wantCheckpoint(t, s.RekorV2.Checkpoint, "log2026-1.rekor.sigstore.test\n2\n")
	})
}

// wantLogged fails the test unless the content is logged, and refused with
// another digest.
func wantLogged(t *testing.T, add func(signedContent) error, content signedContent) {
	t.Helper()
	if err := add(content); err != nil {
		t.Error(err)
	}
	content.messageDigest = make([]byte, 32)
	if err := add(content); err == nil {
		t.Error("a signature over something else is logged")
	}
}

func wantCheckpoint(t *testing.T, get func() (string, error), prefix string) {
	t.Helper()
	got, err := get()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, prefix) {
		t.Errorf("checkpoint is %q, want one that starts with %q", got, prefix)
	}
}
