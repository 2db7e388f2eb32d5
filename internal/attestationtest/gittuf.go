package attestationtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// What gittuf calls its statements, and the extension of a signature by Sigstore.
// Source: https://github.com/gittuf/gittuf/blob/main/internal/signerverifier/sigstore/sigstore.go
const (
	GittufPayloadType   = "application/vnd.gittuf+json"
	GittufExtensionKind = "application/vnd.dev.sigstore.verificationmaterial;version=0.3"
)

// GittufEnvelope is an envelope as gittuf writes it.
type GittufEnvelope struct {
	PayloadType string            `json:"payloadType"`
	Payload     string            `json:"payload"`
	Signatures  []GittufSignature `json:"signatures"`
}

// GittufSignature is one of its signatures. By Sigstore, Sig is a message signature in
// JSON, and the extension has a bundle's verification material.
type GittufSignature struct {
	KeyID     string           `json:"keyid"`
	Sig       string           `json:"sig"` // base64
	Extension *GittufExtension `json:"extension,omitempty"`
}

// GittufExtension is what a signature needs to be verified.
type GittufExtension struct {
	Kind string          `json:"kind"`
	Ext  json.RawMessage `json:"ext"`
}

// Gittuf signs a statement as gittuf does with Sigstore: once for each request, which
// says who signs and how. Its payload and digest are set here.
func (s *Sigstore) Gittuf(statement []byte, requests ...SignRequest) (*GittufEnvelope, error) {
	envelope := &GittufEnvelope{PayloadType: GittufPayloadType, Payload: base64.StdEncoding.EncodeToString(statement)}
	digest := sha256.Sum256(dsse.PAE(GittufPayloadType, statement))
	for _, request := range requests {
		request.MessageDigest = digest[:]
		signature, err := s.gittufSignature(request)
		if err != nil {
			return nil, fmt.Errorf("signing as gittuf does: %w", err)
		}
		envelope.Signatures = append(envelope.Signatures, signature)
	}
	return envelope, nil
}

func (s *Sigstore) gittufSignature(request SignRequest) (GittufSignature, error) {
	bundle, err := s.Sign(request)
	if err != nil {
		return GittufSignature{}, err
	}
	var parts struct {
		Material json.RawMessage `json:"verificationMaterial"`
		Message  json.RawMessage `json:"messageSignature"`
	}
	if err := json.Unmarshal(bundle.JSON, &parts); err != nil {
		return GittufSignature{}, err
	}
	return GittufSignature{
		KeyID: request.As.Email + request.As.URI + "::" + request.As.Issuer, Sig: base64.StdEncoding.EncodeToString(parts.Message),
		Extension: &GittufExtension{GittufExtensionKind, parts.Material},
	}, nil
}

// JSON is the envelope as it is stored.
func (e *GittufEnvelope) JSON() []byte {
	encoded, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("attestationtest: encoding an envelope: %v", err))
	}
	return encoded
}
