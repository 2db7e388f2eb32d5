package gitsign

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
)

// body makes the hashedrekord 0.0.1 that gitsign logs: the digest of the signed
// attributes, the signature and the certificate, in RFC 8785's canonical form, which
// has the keys in order and no white space.
// Source: https://github.com/sigstore/rekor/blob/main/pkg/types/hashedrekord/v0.0.1/hashedrekord_v0_0_1_schema.json
func (s *Signature) body() []byte {
	digest := sha256.Sum256(s.signer.attributes)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.leaf.Raw})
	return fmt.Appendf(nil, `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"%s"}},"signature":{"content":"%s","publicKey":{"content":"%s"}}}}`,
		hex.EncodeToString(digest[:]), base64.StdEncoding.EncodeToString(s.signer.signature), base64.StdEncoding.EncodeToString(certificate))
}
