package attestation

import (
	"crypto/x509"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/openpgp"
)

// readOpenPGP reads one armoured OpenPGP public key: what of it may sign, and the
// fingerprints by which it is known.
func readOpenPGP(text []byte) (InTotoKey, error) {
	read, err := openpgp.ParseKey(text)
	if err != nil {
		return InTotoKey{}, err
	}
	key := InTotoKey{id: strings.ToLower(read.Fingerprint())}
	for _, spki := range read.SPKI() {
		part := keyPart{signer: identity.FromPublicKey(spki), scheme: signingScheme{openPGP: true}}
		may := slices.IndexFunc(read.Signing(), func(s openpgp.SigningKey) bool { return slices.Equal(s.SPKI, spki) })
		if may >= 0 {
			signing := read.Signing()[may]
			if part.public, err = x509.ParsePKIXPublicKey(spki); err != nil {
				return InTotoKey{}, err
			}
			part.id, part.expires = signing.Fingerprint, signing.Window.End
		}
		key.parts = append(key.parts, part)
	}
	return key, nil
}
