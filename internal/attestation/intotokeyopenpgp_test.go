package attestation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// openPGPKey is a key of GnuPG's making, with a signing subkey, in the forms that
// securesystemslib has it.
type openPGPKey struct {
	entity   *openpgp.Entity
	armoured []byte
}

func newOpenPGPKey(t *testing.T, algorithm packet.PublicKeyAlgorithm) openPGPKey {
	t.Helper()
	return newOpenPGPKeys(t, algorithm, algorithm)
}

func newOpenPGPKeys(t *testing.T, primary, subkey packet.PublicKeyAlgorithm) openPGPKey {
	t.Helper()
	curve := func(algorithm packet.PublicKeyAlgorithm) packet.Curve {
		if algorithm == packet.PubKeyAlgoECDSA {
			return packet.CurveNistP256
		}
		return packet.Curve25519
	}
	config := &packet.Config{Algorithm: primary, Curve: curve(primary), RSABits: 2048, Time: func() time.Time { return classicNow().AddDate(-1, 0, 0) }}
	entity, err := openpgp.NewEntity("Alice", "", "alice@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	config.Algorithm, config.Curve = subkey, curve(subkey)
	if err := entity.AddSigningSubkey(config); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := entity.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return openPGPKey{entity, out.Bytes()}
}

// sign signs a text with the primary key or the signing subkey, and takes the
// packet apart as securesystemslib does.
func (k openPGPKey) sign(t *testing.T, text []byte, subkey bool) (headers, value []byte) {
	t.Helper()
	private := k.entity.PrivateKey
	if subkey {
		private = k.entity.Subkeys[len(k.entity.Subkeys)-1].PrivateKey
	}
	signature := &packet.Signature{Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: private.PubKeyAlgo, Hash: crypto.SHA256, CreationTime: classicNow().AddDate(0, -1, 0), IssuerKeyId: &private.KeyId}
	h := sha256.New()
	h.Write(text)
	if err := signature.Sign(h, private, nil); err != nil {
		t.Fatal(err)
	}
	return cutSignature(t, signature)
}

// cutSignature takes the hashed part and the signature out of a serialised packet.
func cutSignature(t *testing.T, signature *packet.Signature) (headers, value []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := signature.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()
	body := raw[2:] // tag and one octet of length
	switch first := raw[1]; {
	case first >= 192 && first < 224:
		body = raw[3:]
	case first == 255:
		body = raw[6:]
	}
	end := 6 + int(binary.BigEndian.Uint16(body[4:6]))
	headers = body[:end]
	rest := body[end:]
	rest = rest[2+int(binary.BigEndian.Uint16(rest[:2])):][2:] // unhashed subpackets, left 16 bits of the hash
	for len(rest) > 0 {
		size := (int(binary.BigEndian.Uint16(rest[:2])) + 7) / 8
		number := rest[2 : 2+size]
		if signature.PubKeyAlgo == packet.PubKeyAlgoEdDSA {
			number = append(make([]byte, 32-size), number...)
		}
		value, rest = append(value, number...), rest[2+size:]
	}
	return headers, value
}

// openPGPMetablock writes a Metablock with an OpenPGP signature.
func openPGPMetablock(t *testing.T, field string, headers, value []byte) *Envelope {
	t.Helper()
	file := fmt.Sprintf(`{"signed": %s, "signatures": [{"keyid": "00", "other_headers": "%x", %q: "%x"}]}`, linkText, headers, field, value)
	e, refused := ReadEnvelope("f", []byte(file))
	if refused != nil {
		t.Fatal(refused)
	}
	return e
}

// TestOpenPGPSignature verifies signatures as securesystemslib keeps them, with
// keys as it keeps them and as GnuPG exports them.
func TestOpenPGPSignature(t *testing.T) {
	t.Parallel()
	canonical, err := canonicalJSON([]byte(linkText))
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []packet.PublicKeyAlgorithm{packet.PubKeyAlgoRSA, packet.PubKeyAlgoEdDSA} {
		pgp, other := newOpenPGPKey(t, algorithm), newOpenPGPKey(t, algorithm)
		key, err := ParseInTotoKey(pgp.armoured)
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := ParseInTotoKey(other.armoured)
		if err != nil {
			t.Fatal(err)
		}
		for _, subkey := range []bool{false, true} {
			headers, value := pgp.sign(t, canonical, subkey)
			good := openPGPMetablock(t, "signature", headers, value)
			for name, row := range map[string]struct {
				e    *Envelope
				key  InTotoKey
				now  time.Time
				want bool
			}{
				"as it is":          {good, key, classicNow(), true},
				"under sig":         {openPGPMetablock(t, "sig", headers, value), key, classicNow(), true},
				"another key":       {good, stranger, classicNow(), false},
				"other headers":     {openPGPMetablock(t, "sig", append(bytes.Clone(headers[:len(headers)-1]), headers[len(headers)-1]^1), value), key, classicNow(), false},
				"headers cut short": {openPGPMetablock(t, "sig", headers[:len(headers)-1], value), key, classicNow(), false},
				"no headers":        {openPGPMetablock(t, "sig", nil, value), key, classicNow(), false},
				"over SHA-1":        {openPGPMetablock(t, "sig", append(append(bytes.Clone(headers[:3]), 2), headers[4:]...), value), key, classicNow(), false},
				"over text":         {openPGPMetablock(t, "sig", append(append(bytes.Clone(headers[:1]), 1), headers[2:]...), value), key, classicNow(), false},
				"another signature": {openPGPMetablock(t, "sig", headers, append(bytes.Clone(value[:len(value)-1]), value[len(value)-1]^1)), key, classicNow(), false},
			} {
				signed, refused := row.e.Verify(Trusted{Keys: []InTotoKey{row.key}, Now: row.now})
				if (refused == nil) != row.want || (signed != nil) != row.want {
					t.Errorf("%d subkey %t %s: %v", algorithm, subkey, name, refused)
				}
			}
			signed, _ := good.Verify(Trusted{Keys: []InTotoKey{key}, Now: classicNow()})
			if by := signed.SignedBy(); len(by) != 1 || by[0].Signer().Key != key.Signer().Key {
				t.Errorf("%d subkey %t: a subkey speaks for its key, not for itself: %v", algorithm, subkey, by)
			}
		}
	}
}

// TestOpenPGPSubpackets reads what a signature says of itself: each row signs one more
// hashed subpacket behind the time.
func TestOpenPGPSubpackets(t *testing.T) {
	t.Parallel()
	canonical, err := canonicalJSON([]byte(linkText))
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	object := fmt.Sprintf(`{"type": "eddsa", "method": "pgp+eddsa-ed25519", "keyval": {"public": {"q": "%x"}}}`, private.Public())
	key, _, err := ReadInTotoKey("ab", []byte(object))
	if err != nil {
		t.Fatal(err)
	}
	created := binary.BigEndian.AppendUint32([]byte{5, 2}, uint32(classicNow().Add(-time.Hour).Unix()))
	for name, row := range map[string]struct {
		more []byte
		says string
	}{
		"nothing more":            {nil, ""},
		"the issuer":              {append([]byte{9, 16}, make([]byte, 8)...), ""},
		"a critical fingerprint":  {append([]byte{22, 0x80 | 33, 4}, make([]byte, 20)...), ""},
		"a policy of two octets":  {append([]byte{192, 9, 26}, make([]byte, 200)...), ""},
		"a policy of five octets": {append([]byte{255, 0, 0, 0, 4, 26}, "abc"...), ""},
		"a notation":              {append([]byte{12, 20}, make([]byte, 11)...), ""},
		"what is not known":       {[]byte{2, 99, 0}, ""},
		"two hours":               {[]byte{5, 3, 0, 0, 28, 32}, ""},
		"no end":                  {[]byte{5, 3, 0, 0, 0, 0}, ""},
		"half an hour":            {[]byte{5, 3, 0, 0, 7, 8}, "ended at"},
		"an hour":                 {[]byte{5, 0x80 | 3, 0, 0, 14, 16}, "ended at"},
		"a critical notation":     {append([]byte{12, 0x80 | 20}, make([]byte, 11)...), "type 20"},
		"critical, not known":     {[]byte{2, 0x80 | 99, 0}, "type 99"},
		"a time of three octets":  {[]byte{4, 3, 0, 0, 1}, "four octets"},
		"longer than all":         {[]byte{7, 99, 0}, "cannot be read"},
		"of length zero":          {[]byte{0}, "cannot be read"},
		"a length cut in two":     {[]byte{192}, "cannot be read"},
		"a length cut in five":    {[]byte{255, 0, 0}, "cannot be read"},
		"a length of four GiB":    {[]byte{255, 255, 255, 255, 255, 99}, "cannot be read"},
	} {
		subpackets := slices.Concat(created, row.more)
		headers := append(binary.BigEndian.AppendUint16([]byte{4, 0, 22, 8}, uint16(len(subpackets))), subpackets...)
		sum := sha256.Sum256(slices.Concat(canonical, headers, binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(headers)))))
		e := openPGPMetablock(t, "signature", headers, ed25519.Sign(private, sum[:]))
		e.signatures[0].keyID = "ab"
		_, refused := e.Verify(Trusted{Keys: []InTotoKey{key}, Now: classicNow()})
		switch {
		case (refused == nil) != (row.says == ""):
			t.Errorf("%s: %v", name, refused)
		case refused != nil && !strings.Contains(refused.Error(), row.says):
			t.Errorf("%s: %v, expected that it says %q", name, refused, row.says)
		}
	}
	if _, err := openPGPEnd([]byte{5, 3, 0, 0, 0, 1}); err == nil {
		t.Error("a signature without a time has an end")
	}
}

// TestOpenPGPKeyOfLayouts reads the keys as a layout has them, and their expiry.
func TestOpenPGPKeyOfLayouts(t *testing.T) {
	t.Parallel()
	canonical, err := canonicalJSON([]byte(linkText))
	if err != nil {
		t.Fatal(err)
	}
	pgp := newOpenPGPKey(t, packet.PubKeyAlgoRSA)
	headers, value := pgp.sign(t, canonical, true)
	object := func(k *packet.PublicKey, validity int) string {
		public := k.PublicKey.(*rsa.PublicKey)
		return fmt.Sprintf(`"type": "rsa", "method": "pgp+rsa-pkcsv1.5", "hashes": ["pgp+SHA2"], "creation_time": %d, "validity_period": %d, "keyval": {"private": "", "public": {"n": "%x", "e": "010001"}}`,
			k.CreationTime.Unix(), validity, public.N)
	}
	sub := pgp.entity.Subkeys[len(pgp.entity.Subkeys)-1].PublicKey
	for validity, want := range map[int]bool{0: true, 2 * 365 * 24 * 3600: true, 30 * 24 * 3600: false} {
		text := fmt.Sprintf(`{%s, "subkeys": {"ab": {%s}}}`, object(pgp.entity.PrimaryKey, 0), object(sub, validity))
		key, _, err := ReadInTotoKey("cd", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(key.Fingerprints()) != 2 || key.ID() != "cd" {
			t.Errorf("%v", key.Fingerprints())
		}
		_, refused := openPGPMetablock(t, "signature", headers, value).Verify(Trusted{Keys: []InTotoKey{key}, Now: classicNow()})
		if (refused == nil) != want {
			t.Errorf("valid for %d s: %v", validity, refused)
		}
	}
}

// TestOpenPGPKeysThatAreNotTaken: classic metadata has no form for OpenPGP signatures of
// ECDSA, and DSA is not taken. A key of ECDSA with a subkey of Ed25519 signs with that.
func TestOpenPGPKeysThatAreNotTaken(t *testing.T) {
	t.Parallel()
	entry := func(kind, method string) []byte {
		return fmt.Appendf(nil, `{"keyid": "00", "type": %q, "method": %q, "hashes": ["pgp+SHA2"], "keyval": {"private": "", "public": {}}}`, kind, method)
	}
	for name, row := range map[string]struct {
		data []byte
		says string
	}{
		"ECDSA, armoured":     {newOpenPGPKey(t, packet.PubKeyAlgoECDSA).armoured, "no form"},
		"ECDSA, in a layout":  {entry("ecdsa", "pgp+ecdsa-sha2-nistp256"), "no form"},
		"DSA, in a layout":    {entry("dsa", "pgp+dsa-fips-180-2"), "one of DSA"},
		"others, in a layout": {entry("elgamal", "pgp+elgamal"), "expected RSA or Ed25519"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if key, err := ParseInTotoKey(row.data); err == nil || !strings.Contains(err.Error(), row.says) || len(key.Fingerprints()) > 0 {
				t.Errorf("%v, %v", key.Fingerprints(), err)
			}
		})
	}
	canonical, err := canonicalJSON([]byte(linkText))
	if err != nil {
		t.Fatal(err)
	}
	mixed := newOpenPGPKeys(t, packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA)
	key, err := ParseInTotoKey(mixed.armoured)
	if err != nil || len(key.Fingerprints()) != 2 {
		t.Fatalf("%v, %v", key.Fingerprints(), err)
	}
	headers, value := mixed.sign(t, canonical, true)
	if _, refused := openPGPMetablock(t, "sig", headers, value).Verify(Trusted{Keys: []InTotoKey{key}, Now: classicNow()}); refused != nil {
		t.Error(refused)
	}
}

// TestSubkeyAlone allows one subkey, and neither its key nor another.
func TestSubkeyAlone(t *testing.T) {
	t.Parallel()
	canonical, err := canonicalJSON([]byte(linkText))
	if err != nil {
		t.Fatal(err)
	}
	pgp := newOpenPGPKey(t, packet.PubKeyAlgoEdDSA)
	key, err := ParseInTotoKey(pgp.armoured)
	if err != nil {
		t.Fatal(err)
	}
	sub, ok := key.Subkey(fmt.Sprintf("%x", pgp.entity.Subkeys[len(pgp.entity.Subkeys)-1].PublicKey.Fingerprint))
	if _, other := key.Subkey("00"); !ok || other || len(sub.Fingerprints()) != len(key.Fingerprints()) {
		t.Fatalf("%t, %t, %v", ok, other, sub.Fingerprints())
	}
	for _, bySubkey := range []bool{false, true} {
		headers, value := pgp.sign(t, canonical, bySubkey)
		_, refused := openPGPMetablock(t, "sig", headers, value).Verify(Trusted{Keys: []InTotoKey{sub}, Now: classicNow()})
		if (refused == nil) != bySubkey {
			t.Errorf("by the subkey %t: %v", bySubkey, refused)
		}
	}
}

// FuzzOpenPGPEnd reads hashed subpackets; one that is cut off is never read.
func FuzzOpenPGPEnd(f *testing.F) {
	f.Add([]byte{5, 2, 0, 0, 0, 1, 5, 3, 0, 0, 0, 2})
	f.Add([]byte{192, 0, 26})
	f.Add([]byte{255, 0, 0, 0, 1, 16})
	f.Fuzz(func(t *testing.T, data []byte) {
		end, err := openPGPEnd(data)
		if err != nil && !end.IsZero() {
			t.Error("an error has an end")
		}
		if _, cut := openPGPEnd(append(bytes.Clone(data), 9, 16)); err == nil && cut == nil {
			t.Error("a subpacket that is cut off is read")
		}
	})
}
