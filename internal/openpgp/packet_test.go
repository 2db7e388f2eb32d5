package openpgp_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	_ "crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/signatus-dev/signatus/internal/openpgp"
)

// rawSignature is a version 4 signature packet by Ed25519, byte by byte: what no
// library would write.
type rawSignature struct {
	version, kind, hash byte
	hashed, unhashed    []byte
	behind              []byte // within the packet
	edit                func(signature []byte)
	oldFormat           bool
}

// subpacket writes one; a critical one has the highest bit of its type set.
func subpacket(kind byte, body ...byte) []byte {
	return append([]byte{byte(len(body) + 1), kind}, body...)
}

func seconds(t time.Time) []byte { return binary.BigEndian.AppendUint32(nil, uint32(t.Unix())) }

const critical = 0x80

func (r rawSignature) sign(t *testing.T, key *pgp.Entity) []byte {
	t.Helper()
	private, ok := key.PrivateKey.PrivateKey.(*eddsa.PrivateKey)
	if !ok {
		t.Fatal("not an Ed25519 key")
	}
	hashes := map[byte]crypto.Hash{1: crypto.MD5, 2: crypto.SHA1, 8: crypto.SHA256, 9: crypto.SHA384, 10: crypto.SHA512, 11: crypto.SHA224}
	body := []byte{r.version, r.kind, 22, r.hash}
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(r.hashed))), r.hashed...)
	h := hashes[r.hash].New()
	h.Write([]byte(message))
	h.Write(body)
	h.Write(binary.BigEndian.AppendUint32([]byte{r.version, 0xff}, uint32(len(body))))
	sum := h.Sum(nil)
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(private.D), sum)
	if r.edit != nil {
		r.edit(signature)
	}
	body = append(binary.BigEndian.AppendUint16(body, uint16(len(r.unhashed))), r.unhashed...)
	body = append(body, sum[:2]...)
	for _, n := range [][]byte{signature[:32], signature[32:]} {
		n = bytes.TrimLeft(n, "\x00")
		bits := 8*len(n) - 8
		for b := n[0]; b > 0; b >>= 1 {
			bits++
		}
		body = append(binary.BigEndian.AppendUint16(body, uint16(bits)), n...)
	}
	body = append(body, r.behind...)
	if r.oldFormat {
		return append([]byte{0x88, byte(len(body))}, body...)
	}
	return append([]byte{0xc2, byte(len(body))}, body...)
}

func armourOf(packets ...[]byte) string {
	var lines strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(slices.Concat(packets...))), 64) {
		lines.Write(append(line, '\n'))
	}
	return "-----BEGIN PGP SIGNATURE-----\n\n" + lines.String() + "-----END PGP SIGNATURE-----\n"
}

// TestPackets reads hand-made packets. Every row but the first ones differs from a
// good signature in one thing.
func TestPackets(t *testing.T) {
	t.Parallel()
	key := newKey(t, false)
	k := parse(t, key)
	created := subpacket(2, seconds(made().Add(time.Hour))...)
	fingerprint := subpacket(33, append([]byte{4}, key.PrimaryKey.Fingerprint...)...)
	id := subpacket(16, binary.BigEndian.AppendUint64(nil, key.PrimaryKey.KeyId)...)
	good := func(hashed ...byte) rawSignature {
		return rawSignature{version: 4, hash: 8, hashed: slices.Concat(fingerprint, created, hashed), unhashed: id}
	}
	with := func(edit func(*rawSignature)) rawSignature {
		r := good()
		edit(&r)
		return r
	}
	stranger := subpacket(33, append([]byte{4}, bytes.Repeat([]byte{7}, 20)...)...)
	for name, c := range map[string]struct {
		signature rawSignature
		says      string
	}{
		"good":                       {good(), ""},
		"a packet of the old format": {with(func(r *rawSignature) { r.oldFormat = true }), ""},
		"SHA-512":                    {with(func(r *rawSignature) { r.hash = 10 }), ""},
		"an unknown subpacket":       {good(subpacket(60, 1, 2)...), ""},
		"a fingerprint alone":        {with(func(r *rawSignature) { r.unhashed = nil }), ""},
		"a key id alone":             {with(func(r *rawSignature) { r.hashed = created }), ""},
		"a critical time":            {with(func(r *rawSignature) { r.hashed = slices.Concat(fingerprint, subpacket(2|critical, created[2:]...)) }), ""},
		"of a day":                   {good(subpacket(3, binary.BigEndian.AppendUint32(nil, 86400)...)...), ""},

		"not exportable":                {good(subpacket(4, 0)...), "exportable"},
		"an unknown critical subpacket": {good(subpacket(60|critical, 1, 2)...), "reading OpenPGP signature"},
		"a critical notation":           {good(subpacket(20|critical, 0x80, 0, 0, 0, 0, 3, 0, 0, 'x', '@', 'y')...), "x@y"},
		"another's fingerprint":         {with(func(r *rawSignature) { r.hashed = slices.Concat(stranger, created) }), "another key"},
		"nobody's":                      {with(func(r *rawSignature) { r.hashed, r.unhashed = created, nil }), "another key"},
		"no time":                       {with(func(r *rawSignature) { r.hashed = fingerprint }), "OpenPGP signature"},
		"a time that is not signed": {with(func(r *rawSignature) {
			r.hashed, r.unhashed = fingerprint, slices.Concat(id, created)
		}), "OpenPGP signature"},
		"MD5":             {with(func(r *rawSignature) { r.hash = 1 }), "reading OpenPGP signature"},
		"SHA-1":           {with(func(r *rawSignature) { r.hash = 2 }), "too weak"},
		"SHA-224":         {with(func(r *rawSignature) { r.hash = 11 }), "too weak"},
		"over text":       {with(func(r *rawSignature) { r.kind = 1 }), "binary document"},
		"standalone":      {with(func(r *rawSignature) { r.kind = 2 }), "binary document"},
		"a timestamp":     {with(func(r *rawSignature) { r.kind = 0x40 }), "binary document"},
		"version 3":       {with(func(r *rawSignature) { r.version = 3 }), "reading OpenPGP signature"},
		"version 5":       {with(func(r *rawSignature) { r.version = 5 }), "OpenPGP signature"},
		"another scalar":  {with(func(r *rawSignature) { r.edit = func(s []byte) { s[40] ^= 1 } }), "does not verify"},
		"bytes behind it": {with(func(r *rawSignature) { r.behind = []byte{0, 1, 2} }), "OpenPGP signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := openpgp.ParseSignature([]byte(armourOf(c.signature.sign(t, key))))
			if err == nil {
				_, err = s.Verify([]byte(message), k)
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
		})
	}
}

// TestArmour takes one signature packet in one block.
func TestArmour(t *testing.T) {
	t.Parallel()
	key := newKey(t, false)
	k := parse(t, key)
	raw := rawSignature{
		version: 4, hash: 8, unhashed: subpacket(16, binary.BigEndian.AppendUint64(nil, key.PrimaryKey.KeyId)...),
		hashed: subpacket(2, seconds(made().Add(time.Hour))...),
	}
	one := raw.sign(t, key)
	raw.version = 3
	old := raw.sign(t, key)
	raw.version, raw.hashed = 4, append(raw.hashed, subpacket(60|critical, 1)...)
	unknown := raw.sign(t, key)
	other := []byte{0xc0 | 40, 1, 0} // a packet of a type that nobody knows
	good := armourOf(one)
	literal := append([]byte{0xcb, byte(6 + len(message)), 'b', 0, 0, 0, 0, 0}, message...)
	onePass := append([]byte{0xc4, 13, 3, 0, 8, 22}, append(binary.BigEndian.AppendUint64(nil, key.PrimaryKey.KeyId), 1)...)
	for name, c := range map[string]struct {
		text, says string
	}{
		"good":                {good, ""},
		"headers":             {strings.Replace(good, "\n\n", "\nVersion: GnuPG v2\nComment: a: b\n\n", 1), ""},
		"lines of Windows":    {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"a checksum":          {strings.Replace(good, "\n-----END", "\n"+checksum(one)+"\n-----END", 1), ""},
		"another checksum":    {strings.Replace(good, "\n-----END", "\n=AAAA\n-----END", 1), "checksum"},
		"half a checksum":     {strings.Replace(good, "\n-----END", "\n=AA\n-----END", 1), "OpenPGP signature"},
		"a Windows checksum":  {strings.ReplaceAll(strings.Replace(good, "\n-----END", "\n"+checksum(one)+"\n-----END", 1), "\n", "\r\n"), ""},
		"two signatures":      {armourOf(one, one), "more than one packet"},
		"an old one beside":   {armourOf(one, old), "more than one packet"},
		"an old one first":    {armourOf(old, one), "reading OpenPGP signature"},
		"one not understood":  {armourOf(one, unknown), "more than one packet"},
		"which stands first":  {armourOf(unknown, one), "reading OpenPGP signature"},
		"a packet of no kind": {armourOf(one, other), "more than one packet"},
		"a marker":            {armourOf([]byte{0xca, 3, 'P', 'G', 'P'}, one), "another kind"},
		"a literal beside":    {armourOf(one, literal), "more than one packet"},
		"a message":           {armourOf(onePass, literal, one), "another kind"},
		"two blocks":          {good + good, "not one block"},
		"text within":         {strings.Replace(good, "\n-----END", "\nevil text!\n-----END", 1), "OpenPGP signature"},
		"a clear-text signed": {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + message + good, "not one block"},
		"a PGP MESSAGE":       {strings.ReplaceAll(good, "PGP SIGNATURE", "PGP MESSAGE"), "not one block"},
		"another end":         {strings.Replace(good, "END PGP SIGNATURE", "END PGP MESSAGE", 1), "not one block"},
		"cut":                 {armourOf(one[:len(one)-3]), "OpenPGP signature"},
		"half a packet more":  {armourOf(one, []byte{0xc2, 50, 4}), "more than one packet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := openpgp.ParseSignature([]byte(c.text))
			if err == nil {
				_, err = s.Verify([]byte(message), k)
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, expected %q", err, c.says)
			}
		})
	}
}

// checksum is the armour's CRC-24 (RFC 9580, 6.1).
func checksum(data []byte) string {
	crc := uint32(0xb704ce)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return "=" + base64.StdEncoding.EncodeToString([]byte{byte(crc >> 16), byte(crc >> 8), byte(crc)})
}

// TestVersion6 takes what a key of version 6 signs: it vouches for itself directly,
// and not through a user id.
func TestVersion6(t *testing.T) {
	t.Parallel()
	config := later()
	config.V6Keys, config.Algorithm = true, packet.PubKeyAlgoEd25519
	for name, subkey := range map[string]bool{"primary key": false, "subkey": true} {
		key, err := pgp.NewEntity("Alice", "", "alice@example.com", config)
		if err == nil && subkey {
			err = key.AddSigningSubkey(config)
		}
		if err != nil {
			t.Fatal(err)
		}
		after := *config
		after.Time = func() time.Time { return made().Add(2 * time.Hour) }
		s, k := sign(t, key, &after), parse(t, key)
		if _, err := s.Verify([]byte(message), k); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Verify([]byte(message+"x"), k); err == nil {
			t.Errorf("%s: another message verifies", name)
		}
	}
}
