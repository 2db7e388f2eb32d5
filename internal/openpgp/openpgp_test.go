package openpgp_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/openpgp"
)

const message = "tree 10731d0b170b98481a00bdca161e874e0ab93377\n"

func made() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

func newKey(t testing.TB, subkey bool) *pgp.Entity {
	t.Helper()
	key, err := attestationtest.OpenPGPKey("Alice", made(), subkey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func armoured(t testing.TB, key *pgp.Entity) []byte {
	t.Helper()
	text, err := attestationtest.ArmourOpenPGPKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t testing.TB, key *pgp.Entity) *openpgp.Key {
	t.Helper()
	k, err := openpgp.ParseKey(armoured(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, key *pgp.Entity, config *packet.Config) *openpgp.Signature {
	t.Helper()
	text, err := attestationtest.SignOpenPGP(key, []byte(message), config)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openpgp.ParseSignature(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func later() *packet.Config { return attestationtest.OpenPGPConfig(made().Add(time.Hour)) }

// TestVerify takes what a primary key signs, and what a subkey does for it.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, subkey := range map[string]bool{"primary key": false, "subkey": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, subkey)
			k, s := parse(t, key), sign(t, key, later())
			window, err := s.Verify([]byte(message), k)
			if err != nil {
				t.Fatal(err)
			}
			if !window.Contains(made().AddDate(50, 0, 0)) || window.Contains(made()) {
				t.Errorf("the window is %v", window)
			}
			if _, err := s.Verify([]byte(message+"x"), k); err == nil {
				t.Error("another message verifies")
			}
			if _, err := s.Verify([]byte(message), nil); err == nil {
				t.Error("nobody's key verifies")
			}
			if _, err := s.Verify([]byte(message), parse(t, newKey(t, subkey))); !errors.Is(err, openpgp.ErrOtherKey) {
				t.Errorf("a stranger's key: %v", err)
			}
			if want := map[bool]int{false: 1, true: 2}[subkey]; len(k.SPKI()) != want {
				t.Errorf("%d keys sign, expected %d", len(k.SPKI()), want)
			}
			// The primary key is known as the one that SSH and PEM would have.
			point := key.PrimaryKey.PublicKey.(*eddsa.PublicKey).X
			if spki, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(point)); err != nil || !bytes.Equal(spki, k.SPKI()[0]) {
				t.Errorf("another SPKI: %v", err)
			}
		})
	}
}

// TestKeys breaks one thing of a key in each row. A key that was revoked counts for
// nothing, as nobody can tell what it signed before.
func TestKeys(t *testing.T) {
	t.Parallel()
	revoke := func(reason packet.ReasonForRevocation) func(*testing.T, *pgp.Entity) {
		return func(t *testing.T, key *pgp.Entity) {
			if err := key.Revoke(reason, "", later()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		edit func(*testing.T, *pgp.Entity)
		says string
		is   error
	}{
		"compromised": {revoke(packet.KeyCompromised), "revoked", openpgp.ErrRevoked},
		"superseded":  {revoke(packet.KeySuperseded), "revoked", openpgp.ErrRevoked},
		"retired":     {revoke(packet.KeyRetired), "revoked", openpgp.ErrRevoked},
		"not for signing": {func(t *testing.T, key *pgp.Entity) {
			resign(t, key, later(), func(s *packet.Signature) { s.FlagSign = false })
		}, "may sign", nil},
		"no usage flags": {func(t *testing.T, key *pgp.Entity) {
			resign(t, key, later(), func(s *packet.Signature) { s.FlagsValid = false })
		}, "may sign", nil},
		"no self-signature": {func(_ *testing.T, key *pgp.Entity) {
			for _, i := range key.Identities {
				i.SelfCertifications = nil
			}
		}, "reading OpenPGP key", nil},
		"good": {func(*testing.T, *pgp.Entity) {}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, false)
			c.edit(t, key)
			_, err := openpgp.ParseKey(armoured(t, key))
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, expected an error that says %q", err, c.says)
			}
		})
	}
}

// resign makes the self-signatures of a key again.
func resign(t *testing.T, key *pgp.Entity, config *packet.Config, edit func(*packet.Signature)) {
	t.Helper()
	for _, identity := range key.Identities {
		for _, s := range identity.SelfCertifications {
			edit(s.Packet)
			if err := s.Packet.SignUserId(identity.Name, key.PrimaryKey, key.PrivateKey, config); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSubkeys breaks one thing of a signing subkey in each row: it then signs for
// nobody.
func TestSubkeys(t *testing.T) {
	t.Parallel()
	rebind := func(edit func(*packet.Signature)) func(*testing.T, *pgp.Entity) {
		return func(t *testing.T, key *pgp.Entity) {
			subkey := &key.Subkeys[len(key.Subkeys)-1]
			binding := subkey.Bindings[0].Packet
			edit(binding)
			if err := binding.SignKey(subkey.PublicKey, key.PrivateKey, later()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, edit := range map[string]func(*testing.T, *pgp.Entity){
		"revoked": func(t *testing.T, key *pgp.Entity) {
			subkey := &key.Subkeys[len(key.Subkeys)-1]
			if err := subkey.Revoke(packet.KeySuperseded, "", later()); err != nil {
				t.Fatal(err)
			}
		},
		"without a signature back": rebind(func(s *packet.Signature) { s.EmbeddedSignature = nil }),
		"signed back for another key": rebind(func(s *packet.Signature) {
			s.EmbeddedSignature.EdDSASigR, s.EmbeddedSignature.EdDSASigS = s.EmbeddedSignature.EdDSASigS, s.EmbeddedSignature.EdDSASigR
		}),
		"not for signing": rebind(func(s *packet.Signature) { s.FlagSign = false }),
		"adopted from another key": func(_ *testing.T, key *pgp.Entity) {
			key.Subkeys[len(key.Subkeys)-1].Bindings[0].Packet.EdDSASigR = key.Subkeys[len(key.Subkeys)-1].Bindings[0].Packet.EdDSASigS
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, true)
			s := sign(t, key, later())
			if _, err := s.Verify([]byte(message), parse(t, key)); err != nil {
				t.Fatalf("the subkey does not sign: %v", err)
			}
			edit(t, key)
			k, err := openpgp.ParseKey(armoured(t, key))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify([]byte(message), k); !errors.Is(err, openpgp.ErrOtherKey) {
				t.Errorf("got %v, expected that the subkey signs for nobody", err)
			}
		})
	}
}

// TestWindows reads how long a key, its subkey and a signature are valid.
func TestWindows(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	short := &packet.Config{Time: made, Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: uint32((10 * day).Seconds())}
	expiring, err := pgp.NewEntity("Alice", "", "alice@example.com", short)
	if err != nil {
		t.Fatal(err)
	}
	window, err := sign(t, expiring, later()).Verify([]byte(message), parse(t, expiring))
	if err != nil {
		t.Fatal(err)
	}
	if !window.Contains(made().Add(10*day-time.Second)) || window.Contains(made().Add(10*day)) {
		t.Errorf("a key of ten days gives %v", window)
	}
	key := newKey(t, false)
	brief := later()
	brief.SigLifetimeSecs = uint32(day.Seconds())
	window, err = sign(t, key, brief).Verify([]byte(message), parse(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if !window.Contains(made().Add(day)) || window.Contains(made().Add(day+time.Hour)) {
		t.Errorf("a signature of one day gives %v", window)
	}
	late := &packet.Config{Time: func() time.Time { return made().Add(5 * day) }, Algorithm: packet.PubKeyAlgoEdDSA}
	if _, err := sign(t, expiring, late).Verify([]byte(message), parse(t, expiring)); err != nil {
		t.Errorf("within its life: %v", err)
	}
}

// TestRenewed takes what a key signed before its expiry was set anew: the newest
// self-signature, which alone may be exported, is younger than what the key signed.
// The end that it says holds for the older signatures too.
func TestRenewed(t *testing.T) {
	t.Parallel()
	year := attestationtest.OpenPGPConfig(made().AddDate(1, 0, 0))
	life := uint32((3 * 365 * 24 * time.Hour).Seconds())
	for name, subkey := range map[string]bool{"primary key": false, "subkey": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t, subkey)
			s := sign(t, key, later())
			resign(t, key, year, func(s *packet.Signature) { s.KeyLifetimeSecs, s.CreationTime = &life, year.Now() })
			for i := range key.Subkeys {
				binding := key.Subkeys[i].Bindings[0].Packet
				binding.CreationTime = year.Now()
				if err := binding.SignKey(key.Subkeys[i].PublicKey, key.PrivateKey, year); err != nil {
					t.Fatal(err)
				}
			}
			window, err := s.Verify([]byte(message), parse(t, key))
			if err != nil {
				t.Fatal(err)
			}
			if !window.Contains(made().AddDate(2, 0, 0)) || window.Contains(made().AddDate(3, 0, 1)) || window.Contains(made()) {
				t.Errorf("the window is %v", window)
			}
		})
	}
}

// TestSignatures breaks one thing of a signature in each row.
func TestSignatures(t *testing.T) {
	t.Parallel()
	key := newKey(t, false)
	k := parse(t, key)
	for name, c := range map[string]struct {
		edit func(*packet.Signature)
		says string
	}{
		"good":      {func(*packet.Signature) {}, ""},
		"over text": {func(s *packet.Signature) { s.SigType = packet.SigTypeText }, "binary document"},
		"a critical notation": {func(s *packet.Signature) {
			s.Notations = append(s.Notations, &packet.Notation{Name: "x@example.com", IsCritical: true})
		}, "x@example.com"},
		"before its key":  {func(s *packet.Signature) { s.CreationTime = made().Add(-time.Hour) }, "outside of its key's life"},
		"a certification": {func(s *packet.Signature) { s.SigType = packet.SigTypePositiveCert }, "binary document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := openpgp.ParseSignature(signPacket(t, key, c.edit))
			if err == nil {
				_, err = s.Verify([]byte(message), k)
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
		})
	}
}

// signPacket signs the message with a packet of its own.
func signPacket(t *testing.T, key *pgp.Entity, edit func(*packet.Signature)) []byte {
	t.Helper()
	s := &packet.Signature{
		Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: key.PrimaryKey.PubKeyAlgo, Hash: crypto.SHA256,
		CreationTime: made().Add(time.Hour), IssuerKeyId: &key.PrimaryKey.KeyId, IssuerFingerprint: key.PrimaryKey.Fingerprint,
	}
	edit(s)
	hash := s.Hash.New()
	hash.Write([]byte(message))
	if err := s.Sign(hash, key.PrivateKey, later()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := armor.Encode(&out, "PGP SIGNATURE", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestForge knows GitHub's own keys by their ids, and by their fingerprints alone.
func TestForge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id   uint64
		bare bool // a fingerprint and no id
		want bool
	}{
		{0xB5690EEEBB952194, false, true}, {0x4AEE18F83AFDEB23, false, true}, {0x4AEE18F83AFDEB23, true, true},
		{0xB5690EEEBB952195, false, false}, {0xB5690EEEBB952195, true, false},
	} {
		key := newKey(t, false)
		key.PrivateKey.KeyId = c.id
		copy(key.PrivateKey.Fingerprint[12:], binary.BigEndian.AppendUint64(nil, c.id))
		s, err := openpgp.ParseSignature(signPacket(t, key, func(s *packet.Signature) {
			if c.bare {
				s.IssuerKeyId = nil
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if s.ByForge() != c.want {
			t.Errorf("%016X (without id: %t) is a forge's: %t", c.id, c.bare, !c.want)
		}
	}
}

// TestSHA1 refuses what gpg still makes where it is told to: a key that vouches for
// itself, and a signature, over SHA-1.
func TestSHA1(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if _, err := openpgp.ParseKey(read("self-signature-sha1.asc")); err == nil || !strings.Contains(err.Error(), "by a hash that counts") {
		t.Errorf("the key: %v", err)
	}
	s, err := openpgp.ParseSignature(read("signature-sha1.asc"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify([]byte(message), parse(t, newKey(t, false))); !errors.Is(err, openpgp.ErrWeak) {
		t.Errorf("the signature: %v", err)
	}
}

// TestParseRefuses takes one armoured block and nothing else.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t, false)
	public := string(armoured(t, key))
	private := new(bytes.Buffer)
	w, err := armor.Encode(private, "PGP PUBLIC KEY BLOCK", nil)
	if err == nil {
		err = key.SerializePrivate(w, later())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, says string }{
		"nothing":       {"", "does not begin"},
		"text before":   {"x\n" + public, "does not begin"},
		"two keys":      {public + public, "more than one block"},
		"a private key": {private.String(), "private key"},
		"cut":           {public[:len(public)/2] + "\n-----END PGP PUBLIC KEY BLOCK-----", "reading OpenPGP key"},
		"too large":     {openpgp.KeyMarker + strings.Repeat("\n", openpgp.MaxKeyBytes), "at most"},
	} {
		if _, err := openpgp.ParseKey([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("key, %s: got %v, expected an error that says %q", name, err, c.says)
		}
	}
	text, err := attestationtest.SignOpenPGP(key, []byte(message), later())
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":     {"", "not one block"},
		"text before": {"x\n" + good, "not one block"},
		"two blocks":  {good + good, "not one block"},
		"text behind": {good + "x", "not one block"},
		"a message":   {strings.ReplaceAll(good, "SIGNATURE", "MESSAGE"), "not one block"},
		"a key":       {strings.ReplaceAll(public, "PUBLIC KEY BLOCK", "SIGNATURE"), "another kind of packet"},
		"too large":   {strings.Repeat("x", openpgp.MaxSignatureBytes+1), "at most"},
	} {
		if _, err := openpgp.ParseSignature([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("signature, %s: got %v, expected an error that says %q", name, err, c.says)
		}
	}
}

// FuzzParseKey reads keys and verifies with none that was not made here.
func FuzzParseKey(f *testing.F) {
	key := newKey(f, true)
	f.Add(armoured(f, key))
	s := sign(f, newKey(f, false), later())
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := openpgp.ParseKey(data)
		if err != nil {
			return
		}
		if len(k.SPKI()) == 0 || k.Fingerprint() == "" {
			t.Error("a key without material")
		}
		if _, err := s.Verify([]byte(message), k); err == nil {
			t.Error("a stranger's signature verifies")
		}
	})
}

// FuzzParseSignature reads signatures, of which none is over the other message.
func FuzzParseSignature(f *testing.F) {
	key := newKey(f, true)
	text, err := attestationtest.SignOpenPGP(key, []byte(message), later())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	k, err := openpgp.ParseKey(armoured(f, key))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := openpgp.ParseSignature(data)
		if err != nil {
			return
		}
		if _, err := s.Verify([]byte("another message"), k); err == nil {
			t.Error("it is over a message that nobody signed")
		}
		s.ByForge()
		s.KeyID()
	})
}
