package attestationtest

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/pki"
	"github.com/sigstore/rekor/pkg/types"
)

// logContent logs the content as the kind of entry that is requested.
func (d *draft) logContent(content signedContent) (*protorekor.TransparencyLogEntry, error) {
	switch d.request.Entry {
	case EntryV1DSSE, EntryV1Intoto, EntryV1HashedRekord:
		if d.instance.RekorV1 == nil {
			return nil, fmt.Errorf("logging %s: the instance has no rekor v1", d.request.Entry)
		}
		proposed, err := d.signer.proposedEntry(d.request.Entry, content)
		if err != nil {
			return nil, fmt.Errorf("logging %s: %w", d.request.Entry, err)
		}
		return d.instance.RekorV1.Add(proposed, d.request.At)
	case EntryV2:
		if d.instance.RekorV2 == nil {
			return nil, fmt.Errorf("logging %s: the instance has no rekor v2", d.request.Entry)
		}
		request, err := d.signer.hashedRekordRequest(content)
		if err != nil {
			return nil, fmt.Errorf("logging %s: %w", d.request.Entry, err)
		}
		return d.instance.RekorV2.Add(request)
	default:
		return nil, fmt.Errorf("logging: no log has entries %q", d.request.Entry)
	}
}

// proposedEntry returns what a client uploads to Rekor v1.
func (s bundleSigner) proposedEntry(kind LogEntry, content signedContent) (models.ProposedEntry, error) {
	verifier, err := s.pem()
	if err != nil {
		return nil, err
	}
	properties := types.ArtifactProperties{
		PKIFormat:      string(pki.X509),
		PublicKeyBytes: [][]byte{verifier},
	}
	if kind == EntryV1HashedRekord {
		digest, err := s.signedDigest(content)
		if err != nil {
			return nil, err
		}
		properties.SignatureBytes = content.signature
		properties.ArtifactHash = hex.EncodeToString(digest)
		return types.NewProposedEntry(context.Background(), "hashedrekord", "0.0.1", properties)
	}
	if content.payload == nil {
		return nil, errors.New("only an envelope is logged so")
	}
	properties.ArtifactBytes, err = json.Marshal(dsse.Envelope{
		PayloadType: content.payloadType,
		Payload:     base64.StdEncoding.EncodeToString(content.payload),
		Signatures:  []dsse.Signature{{Sig: base64.StdEncoding.EncodeToString(content.signature)}},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding envelope: %w", err)
	}
	if kind == EntryV1Intoto {
		return types.NewProposedEntry(context.Background(), "intoto", "0.0.2", properties)
	}
	return types.NewProposedEntry(context.Background(), "dsse", "0.0.1", properties)
}

// hashedRekordRequest returns what a client uploads to Rekor v2.
func (s bundleSigner) hashedRekordRequest(content signedContent) (*rekortiles.HashedRekordRequestV002, error) {
	digest, err := s.signedDigest(content)
	if err != nil {
		return nil, err
	}
	verifier, err := s.rekorV2Verifier()
	if err != nil {
		return nil, err
	}
	return &rekortiles.HashedRekordRequestV002{
		Digest:    digest,
		Signature: &rekortiles.Signature{Content: content.signature, Verifier: verifier},
	}, nil
}

// signedDigest returns the digest under the signature.
func (s bundleSigner) signedDigest(content signedContent) ([]byte, error) {
	switch {
	case s.algorithm.GetHashType() == crypto.Hash(0):
		return nil, errors.New("a hashedrekord needs a key that signs a digest")
	case content.payload == nil:
		return content.messageDigest, nil
	default:
		return s.digest(dsse.PAE(content.payloadType, content.payload)), nil
	}
}
