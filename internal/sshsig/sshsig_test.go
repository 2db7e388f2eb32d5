package sshsig_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

const message = "tree 10731d0b170b98481a00bdca161e874e0ab93377\n"

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSA(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newECDSA(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key crypto.Signer, request attestationtest.SSHRequest) []byte {
	t.Helper()
	armour, err := attestationtest.SignSSH(key, []byte(message), request)
	if err != nil {
		t.Fatal(err)
	}
	return armour
}

func public(t testing.TB, key crypto.Signer) sshsig.PublicKey {
	t.Helper()
	line, err := attestationtest.SSHLine(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	k, err := sshsig.ParseKey([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVerify takes what each kind of key signs.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key     crypto.Signer
		request attestationtest.SSHRequest
	}{
		"Ed25519":              {key: newEd25519(t)},
		"Ed25519 over SHA-256": {newEd25519(t), attestationtest.SSHRequest{Hash: "sha256"}},
		"ECDSA P-256":          {key: newECDSA(t, elliptic.P256())},
		"ECDSA P-384":          {key: newECDSA(t, elliptic.P384())},
		"ECDSA P-521":          {key: newECDSA(t, elliptic.P521())},
		"RSA with SHA-512":     {key: newRSA(t, 2048)},
		"RSA with SHA-256":     {newRSA(t, 2048), attestationtest.SSHRequest{Algorithm: ssh.KeyAlgoRSASHA256}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sshsig.Parse(sign(t, c.key, c.request))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify([]byte(message), "git", public(t, c.key)); err != nil {
				t.Error(err)
			}
			if err := s.Verify([]byte(message+"x"), "git", public(t, c.key)); err == nil {
				t.Error("another message verifies")
			}
			if err := s.Verify([]byte(message), "git", sshsig.PublicKey{}); err == nil {
				t.Error("nobody's key verifies")
			}
		})
	}
}

// TestMutations breaks one thing of a signature in each row.
func TestMutations(t *testing.T) {
	t.Parallel()
	key, other := newEd25519(t), newEd25519(t)
	weak := newRSA(t, 1024)
	weakLine, err := attestationtest.SSHLine(weak.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sshsig.ParseKey([]byte(weakLine)); !errors.Is(err, sshsig.ErrWeak) {
		t.Errorf("a key of 1024 bits: %v", err)
	}
	strong := newRSA(t, 2048)
	for name, c := range map[string]struct {
		key     crypto.Signer
		request attestationtest.SSHRequest
		by      sshsig.PublicKey
		says    string
	}{
		"another namespace": {key, attestationtest.SSHRequest{Namespace: "file"}, public(t, key), `the namespace "file"`},
		"no namespace":      {key, attestationtest.SSHRequest{Namespace: "\x00"}, public(t, key), "the namespace"},
		"another hash":      {key, attestationtest.SSHRequest{Hash: "sha384"}, public(t, key), "expected sha256 or sha512"},
		"another version":   {key, attestationtest.SSHRequest{Version: 2}, public(t, key), "version 2"},
		"a reserved field":  {key, attestationtest.SSHRequest{Reserved: "x"}, public(t, key), "reserved"},
		"another key":       {key, attestationtest.SSHRequest{}, public(t, other), "another key"},
		"bytes behind":      {key, attestationtest.SSHRequest{Rest: []byte("12345")}, public(t, key), "bytes follow"},
		"RSA with SHA-1":    {strong, attestationtest.SSHRequest{Algorithm: ssh.KeyAlgoRSA}, public(t, strong), "too weak"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sshsig.Parse(sign(t, c.key, c.request))
			if err == nil {
				err = s.Verify([]byte(message), "git", c.by)
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
		})
	}
}

// TestSecurityKey demands that somebody touched the key.
func TestSecurityKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags byte
		says  string
	}{"touched": {1, ""}, "touched and verified": {5, ""}, "not touched": {0, "nobody touched it"}, "verified alone": {4, "nobody touched it"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newEd25519(t)
			line, armour := signWithSecurityKey(t, key, c.flags)
			k, err := sshsig.ParseKey([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			s, err := sshsig.Parse(armour)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Verify([]byte(message), "git", k)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
			if !k.Security() || s.Verify([]byte(message), "git", public(t, key)) == nil {
				t.Error("a security key's signature verifies with the bare key that it holds")
			}
			held, err1 := k.SPKI()
			bare, err2 := public(t, key).SPKI()
			if err1 != nil || err2 != nil || string(held) != string(bare) {
				t.Errorf("the key is not known as the one that it holds: %v %v", err1, err2)
			}
		})
	}
}

// signWithSecurityKey signs as PROTOCOL.u2f has it.
func signWithSecurityKey(t testing.TB, key ed25519.PrivateKey, flags byte) (line string, armour []byte) {
	t.Helper()
	const application = "ssh:"
	blob := ssh.Marshal(struct {
		Kind        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, key.Public().(ed25519.PublicKey), application})
	public, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(message))
	signed := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{"git", "", "sha256", sum[:]})...)
	app, data := sha256.Sum256([]byte(application)), sha256.Sum256(signed)
	rest := binary.BigEndian.AppendUint32([]byte{flags}, 7)
	signature := ed25519.Sign(key, append(append(app[:], rest...), data[:]...))
	return string(ssh.MarshalAuthorizedKey(public)), attestationtest.ArmourSSH(append([]byte("SSHSIG"), ssh.Marshal(struct {
		Version                   uint32
		PublicKey                 []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{1, blob, "git", "", "sha256", ssh.Marshal(ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: signature, Rest: rest})})...))
}

// TestCertificates breaks one thing of a certificate in each row.
func TestCertificates(t *testing.T) {
	t.Parallel()
	authority, key, other := newEd25519(t), newEd25519(t), newEd25519(t)
	for name, c := range map[string]struct {
		edit  func(*ssh.Certificate)
		of    crypto.Signer
		by    crypto.Signer
		names []string
		says  string
	}{
		"good":                 {nil, key, authority, []string{"carol@example.com"}, ""},
		"another authority":    {nil, key, other, []string{"carol@example.com"}, "another key"},
		"of another key":       {nil, other, authority, []string{"carol@example.com"}, "does not verify"},
		"a host's":             {func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, key, authority, []string{"carol"}, "a host's"},
		"for everybody":        {nil, key, authority, nil, "no principal"},
		"a critical option":    {func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"force-command": "true"} }, key, authority, []string{"carol"}, "force-command"},
		"verify-required":      {func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"verify-required": ""} }, key, authority, []string{"carol"}, "verify-required"},
		"it never begins":      {func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = ssh.CertTimeInfinity-1, ssh.CertTimeInfinity }, key, authority, []string{"carol"}, "begins after"},
		"it ends at its start": {func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = 10, 10 }, key, authority, []string{"carol"}, "before it begins"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certificate, err := attestationtest.SSHCertificate(c.by, c.of.Public(), c.names, c.edit)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sshsig.Parse(sign(t, key, attestationtest.SSHRequest{Certificate: certificate}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.VerifyCertified([]byte(message), "git", public(t, authority))
			switch {
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says == "" && (!got.Key.Equal(public(t, key)) || got.Principals[0] != "carol@example.com" || !got.After.IsZero() || !got.Before.IsZero()):
				t.Errorf("read %+v", got)
			}
			if s.Verify([]byte(message), "git", public(t, key)) == nil {
				t.Error("a certified key verifies as a bare one: its authority may have withdrawn it")
			}
			if _, err := s.VerifyCertified([]byte(message), "git", sshsig.PublicKey{}); err == nil {
				t.Error("nobody's authority verifies")
			}
		})
	}
}

// TestCertificateTime reads how long a certificate is valid.
func TestCertificateTime(t *testing.T) {
	t.Parallel()
	authority, key := newEd25519(t), newEd25519(t)
	certificate, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"carol"}, func(c *ssh.Certificate) {
		c.ValidAfter, c.ValidBefore = 1_000_000_000, 2_000_000_000
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sshsig.Parse(sign(t, key, attestationtest.SSHRequest{Certificate: certificate}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.VerifyCertified([]byte(message), "git", public(t, authority))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]bool{999_999_999: false, 1_000_000_000: true, 1_999_999_999: true, 2_000_000_000: false} {
		if got := c.ValidAt(time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %t", at, got)
		}
	}
}

// TestParseRefuses takes armour and nothing else.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := string(sign(t, newEd25519(t), attestationtest.SSHRequest{}))
	for name, c := range map[string]struct{ text, says string }{
		"nothing":       {"", "not one block"},
		"Windows lines": {strings.ReplaceAll(good, "\n", "\r\n"), "carriage return"},
		"text before":   {"x\n" + good, "not one block"},
		"text behind":   {good + "x\n", "not one block"},
		"two blocks":    {good + good, "not base64"},
		"no base64":     {strings.Replace(good, "U1NI", "U1N!", 1), "not base64"},
		"cut":           {strings.Replace(good, "-----END", "AAAA\n-----END", 1), "reading SSH signature"},
		"another magic": {strings.Replace(good, "U1NIU0lH", "U1NIU0lI", 1), "SSHSIG"},
		"too large":     {"-----BEGIN SSH SIGNATURE-----\n" + strings.Repeat("A", sshsig.MaxBytes), "at most 65536"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := sshsig.Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
		})
	}
}

// TestParseKeyRefuses takes one key and nothing that changes what it may do.
func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	line, err := attestationtest.SSHLine(newEd25519(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	authority := newEd25519(t)
	certificate, err := attestationtest.SSHCertificate(authority, newEd25519(t).Public(), []string{"x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "two lines": line + line, "options": `command="x" ` + line, "a certificate": string(ssh.MarshalAuthorizedKey(certificate)),
		"another kind than the key's": strings.Replace(line, "ssh-ed25519", "ssh-rsa", 1), "no base64": "ssh-ed25519 !!!!",
	} {
		if _, err := sshsig.ParseKey([]byte(text)); err == nil {
			t.Errorf("%s is read as a key", name)
		}
	}
	if k, err := sshsig.ParseKey([]byte(strings.TrimSpace(line) + " alice@laptop")); err != nil || k.Line() != strings.TrimSpace(line) {
		t.Errorf("a comment: %v", err)
	}
}

// FuzzParse reads signatures and verifies none of them.
func FuzzParse(f *testing.F) {
	key := newEd25519(f)
	f.Add(sign(f, key, attestationtest.SSHRequest{}))
	f.Add(sign(f, newECDSA(f, elliptic.P256()), attestationtest.SSHRequest{Hash: "sha256"}))
	_, touched := signWithSecurityKey(f, key, 1)
	f.Add(touched)
	authority := newEd25519(f)
	certificate, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"carol"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sign(f, key, attestationtest.SSHRequest{Certificate: certificate}))
	stranger, strangers := public(f, newEd25519(f)), public(f, newEd25519(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := sshsig.Parse(data)
		if err != nil {
			return
		}
		if s.Verify([]byte(message), "git", stranger) == nil {
			t.Error("a stranger's key verifies")
		}
		if _, err := s.VerifyCertified([]byte(message), "git", strangers); err == nil {
			t.Error("a stranger's authority verifies")
		}
	})
}
