package sshsig_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

// rawBlob is what the armour holds, field by field.
type rawBlob struct {
	magic               string
	version             uint32
	key                 []byte
	namespace, reserved string
	hash                string
	signature           []byte
	behind              []byte
}

func (b rawBlob) armour() []byte {
	return attestationtest.ArmourSSH(append(append([]byte(b.magic), ssh.Marshal(struct {
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{b.version, b.key, b.namespace, b.reserved, b.hash, b.signature})...), b.behind...))
}

// signedForm is what a signature in the namespace git is over.
func signedForm() []byte {
	sum := sha512.Sum512([]byte(message))
	return append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{"git", "", "sha512", sum[:]})...)
}

// TestBlobs writes signatures byte by byte, as no library would, and changes one
// thing in each row. Who reads two of them alike has two names for one signature.
func TestBlobs(t *testing.T) {
	t.Parallel()
	private := newEd25519(t)
	raw, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("not an Ed25519 key")
	}
	key := ssh.Marshal(struct {
		Kind string
		Key  []byte
	}{ssh.KeyAlgoED25519, raw})
	made := ed25519.Sign(private, signedForm())
	form := func(format string, blob, rest []byte) []byte {
		return ssh.Marshal(ssh.Signature{Format: format, Blob: blob, Rest: rest})
	}
	good := rawBlob{magic: "SSHSIG", version: 1, key: key, namespace: "git", hash: "sha512", signature: form(ssh.KeyAlgoED25519, made, nil)}
	for name, c := range map[string]struct {
		edit func(*rawBlob)
		says string
	}{
		"good":                       {func(*rawBlob) {}, ""},
		"bytes behind":               {func(b *rawBlob) { b.behind = []byte{0} }, "reading SSH signature"},
		"bytes behind the key":       {func(b *rawBlob) { b.key = append(b.key[:len(b.key):len(b.key)], 0) }, "reading its key"},
		"bytes behind the signature": {func(b *rawBlob) { b.signature = form(ssh.KeyAlgoED25519, made, []byte{0}) }, "bytes follow"},
		"a longer signature":         {func(b *rawBlob) { b.signature = form(ssh.KeyAlgoED25519, append(made[:64:64], 0), nil) }, "does not verify"},
		"another format":             {func(b *rawBlob) { b.signature = form(ssh.KeyAlgoRSASHA512, made, nil) }, "of the kind"},
		"a security key's format":    {func(b *rawBlob) { b.signature = form(ssh.KeyAlgoSKED25519, made, nil) }, "of the kind"},
		"no format":                  {func(b *rawBlob) { b.signature = form("", made, nil) }, "of the kind"},
		"no signature":               {func(b *rawBlob) { b.signature = nil }, "reading what was signed"},
		"no key":                     {func(b *rawBlob) { b.key = nil }, "reading its key"},
		"version 0":                  {func(b *rawBlob) { b.version = 0 }, "version 0"},
		"another magic":              {func(b *rawBlob) { b.magic = "SSHSIH" }, "SSHSIG"},
		"a namespace that goes on":   {func(b *rawBlob) { b.namespace = "git\x00" }, "the namespace"},
		"a namespace in capitals":    {func(b *rawBlob) { b.namespace = "GIT" }, "the namespace"},
		"a hash in capitals":         {func(b *rawBlob) { b.hash = "SHA512" }, "expected sha256 or sha512"},
		"the other hash":             {func(b *rawBlob) { b.hash = "sha256" }, "does not verify"},
		"a reserved zero":            {func(b *rawBlob) { b.reserved = "\x00" }, "reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := good
			c.edit(&b)
			s, err := sshsig.Parse(b.armour())
			if err == nil {
				err = s.Verify([]byte(message), "git", public(t, private))
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
		})
	}
}

// TestECDSASecurityKey takes what a key of the kind sk-ecdsa signs, as the older
// hardware has it, and nothing that differs from PROTOCOL.u2f.
func TestECDSASecurityKey(t *testing.T) {
	t.Parallel()
	private := newECDSA(t, elliptic.P256())
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const application = "ssh:"
	blob := ssh.Marshal(struct {
		Kind, Curve string
		Point       []byte
		Application string
	}{ssh.KeyAlgoSKECDSA256, "nistp256", point, application})
	parsed, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sshsig.ParseKey(ssh.MarshalAuthorizedKey(parsed))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(format, app string, flags byte, more ...byte) []byte {
		rest := append(binary.BigEndian.AppendUint32([]byte{flags}, 7), more...)
		first, second := sha256.Sum256([]byte(app)), sha256.Sum256(signedForm())
		sum := sha256.Sum256(append(append(first[:], rest[:5]...), second[:]...))
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := ssh.Marshal(struct{ R, S *big.Int }{r, s})
		return rawBlob{
			magic: "SSHSIG", version: 1, key: blob, namespace: "git", hash: "sha512",
			signature: ssh.Marshal(ssh.Signature{Format: format, Blob: signature, Rest: rest}),
		}.armour()
	}
	for name, c := range map[string]struct {
		armour []byte
		says   string
	}{
		"touched":              {sign(ssh.KeyAlgoSKECDSA256, application, 1), ""},
		"touched and verified": {sign(ssh.KeyAlgoSKECDSA256, application, 5), ""},
		"not touched":          {sign(ssh.KeyAlgoSKECDSA256, application, 0), "nobody touched it"},
		"verified alone":       {sign(ssh.KeyAlgoSKECDSA256, application, 4), "nobody touched it"},
		"for another purpose":  {sign(ssh.KeyAlgoSKECDSA256, "https://example.com", 1), "does not verify"},
		"a byte more":          {sign(ssh.KeyAlgoSKECDSA256, application, 1, 0), "nobody touched it"},
		"a bare key's format":  {sign(ssh.KeyAlgoECDSA256, application, 1), "does not verify"},
		"a browser's":          {sign("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", application, 1), "does not verify"},
	} {
		s, err := sshsig.Parse(c.armour)
		if err == nil {
			err = s.Verify([]byte(message), "git", key)
		}
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, expected %q", name, err, c.says)
		}
	}
	if spki, err := key.SPKI(); err != nil || !key.Security() || len(spki) == 0 {
		t.Errorf("the key is not known: %v", err)
	}
}
