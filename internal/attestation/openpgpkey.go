package attestation

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
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
			public, err := x509.ParsePKIXPublicKey(spki)
			if err != nil {
				return InTotoKey{}, err
			}
			if _, unspelt := public.(*ecdsa.PublicKey); !unspelt {
				part.public = public
			}
			part.id, part.expires = signing.Fingerprint, signing.Window.End
		}
		key.parts = append(key.parts, part)
	}
	if !slices.ContainsFunc(key.parts, func(p keyPart) bool { return p.public != nil }) {
		return InTotoKey{}, errOpenPGPECDSA()
	}
	return key, nil
}

// errOpenPGPECDSA says why an OpenPGP key over a NIST curve counts for git's signatures
// and not for in-toto's: "please verify that your gpg configuration is creating either
// DSA, RSA, or EdDSA signatures" is all that securesystemslib has to say of such a key,
// and no document has a form for its signatures. (TestOpenPGPKeysThatAreNotTaken)
func errOpenPGPECDSA() error {
	return errors.New("the OpenPGP key is one of ECDSA, for whose signatures classic metadata has no form; expected RSA or Ed25519")
}
