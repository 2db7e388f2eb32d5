package sandbox

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// tokenKey signs an issuer's tokens as GitHub and oauth2.sigstore.dev do:
// RS256 with 2048 bits.
type tokenKey struct {
	private *rsa.PrivateKey
	id      string
}

// lazyKey waits for a key that is being made: that takes longer than all else
// of a start, and nobody needs the key before the first token.
type lazyKey func() (tokenKey, error)

func newTokenKey() (tokenKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tokenKey{}, fmt.Errorf("making an issuer's key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return tokenKey{}, fmt.Errorf("making an issuer's key: %w", err)
	}
	id := sha256.Sum256(der)
	return tokenKey{private: private, id: hex.EncodeToString(id[:20])}, nil
}

// sign returns the claims as a JWT (RFC 7519) in the compact form.
func (k tokenKey) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "kid": k.id, "typ": "JWT"})
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// jsonWebKeySet is a JWKS (RFC 7517, 5) with one RSA key.
type jsonWebKeySet struct {
	Keys []jsonWebKey `json:"keys"`
}

type jsonWebKey struct {
	KeyType   string `json:"kty"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
	KeyID     string `json:"kid"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
}

// VerifySignature implements oidc.KeySet.
func (k lazyKey) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	made, err := k()
	if err != nil {
		return nil, err
	}
	keys := oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{made.private.Public()}}
	return keys.VerifySignature(ctx, token)
}

// answerKeys serves the key as a JWKS.
func answerKeys(key lazyKey) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		made, err := key()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answerJSON(w, http.StatusOK, made.set())
	}
}

func (k tokenKey) set() jsonWebKeySet {
	return jsonWebKeySet{Keys: []jsonWebKey{{
		KeyType:   "RSA",
		Algorithm: "RS256",
		Use:       "sig",
		KeyID:     k.id,
		Modulus:   base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
		Exponent:  base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes()),
	}}}
}

// payloadOf returns a token's payload, unverified.
func payloadOf(token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("reading token: a JWT has three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("reading token: %w", err)
	}
	return payload, nil
}
