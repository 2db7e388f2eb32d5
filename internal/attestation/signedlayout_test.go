package attestation

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

const aLayout = `{"_type":"layout","version":1}`

// signatures of a layout, as tools leave them.
type layoutWorld struct {
	*attestationtest.Sigstore
	root, otherRoot  *Root
	alice, bob, eve  *attestationtest.Key
	byAlice, byCarol []byte // bundles: of a key, and of an identity
}

func newLayoutWorld(t testing.TB) *layoutWorld {
	t.Helper()
	s, material := newInstance(t, attestationtest.PublicGood())
	_, foreign := newInstance(t, attestationtest.PublicGood())
	w := &layoutWorld{Sigstore: s, root: newRoot(t, "sigstore", material), otherRoot: newRoot(t, "other", foreign)}
	for name, key := range map[string]**attestationtest.Key{"alice": &w.alice, "bob": &w.bob, "eve": &w.eve} {
		made, err := s.NewKey(name)
		if err != nil {
			t.Fatal(err)
		}
		*key = made
	}
	w.byAlice = w.bundle(t, attestationtest.SignRequest{Key: w.alice, Payload: []byte(aLayout)})
	w.byCarol = w.bundle(t, attestationtest.SignRequest{As: carol(), Payload: []byte(aLayout)})
	return w
}

func carol() attestationtest.Identity {
	return attestationtest.Person("carol@example.com", "https://github.com/login/oauth")
}

func (w *layoutWorld) bundle(t testing.TB, request attestationtest.SignRequest) []byte {
	t.Helper()
	b, err := w.Sign(request)
	if err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, b.JSON); err != nil {
		t.Fatal(err)
	}
	return line.Bytes()
}

// envelope is a DSSE envelope with a signature of each key.
func (w *layoutWorld) envelope(t testing.TB, payload string, keys ...*attestationtest.Key) []byte {
	t.Helper()
	type signature struct {
		KeyID string `json:"keyid"`
		Sig   []byte `json:"sig"`
	}
	signatures := []signature{}
	for _, k := range keys {
		// A bundle's signature is the envelope's.
		var b struct {
			DsseEnvelope struct{ Signatures []struct{ Sig []byte } }
		}
		if err := json.Unmarshal(w.bundle(t, attestationtest.SignRequest{Key: k, Payload: []byte(payload)}), &b); err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, signature{Sig: b.DsseEnvelope.Signatures[0].Sig})
	}
	data, err := json.Marshal(map[string]any{"payloadType": payloadType, "payload": []byte(payload), "signatures": signatures})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (w *layoutWorld) key(t testing.TB, k *attestationtest.Key) Signatory {
	t.Helper()
	key := parseKey(t, k.Signer.Public())
	return Signatory{Key: &key}
}

func lines(all ...[]byte) []byte { return append(bytes.Join(all, []byte("\n")), '\n') }

// TestLayoutSignatories is the truth table: who has signed, who was asked for.
func TestLayoutSignatories(t *testing.T) {
	t.Parallel()
	w := newLayoutWorld(t)
	alice, bob, eve := w.key(t, w.alice), w.key(t, w.bob), w.key(t, w.eve)
	carol := Signatory{Identity: "carol@example.com", Issuer: "https://github.com/login/oauth"}
	both := w.envelope(t, aLayout, w.alice, w.bob)
	mixed := lines(w.envelope(t, aLayout, w.bob), w.byAlice, w.byCarol)
	allow, deny := true, false
	rows := []struct {
		name      string
		data      []byte
		who       []Signatory
		threshold int
		want      bool
		says      string
	}{
		{"a key, DSSE", w.envelope(t, aLayout, w.alice), []Signatory{alice}, 1, allow, ""},
		{"two keys, DSSE", both, []Signatory{alice, bob}, 2, allow, ""},
		{"one of two keys", w.envelope(t, aLayout, w.bob), []Signatory{alice, bob}, 1, allow, ""},
		{"a key, bundle", w.byAlice, []Signatory{alice}, 1, allow, ""},
		{"an identity, bundle", w.byCarol, []Signatory{carol}, 1, allow, ""},
		{"DSSE, a key's bundle and an identity's", mixed, []Signatory{alice, bob, carol}, 3, allow, ""},
		{"a garbage signature hides no other", bytes.Replace(both, []byte(`"signatures":[`), []byte(`"signatures":[{"keyid":"x","sig":"AAAA"},`), 1), []Signatory{alice, bob}, 2, allow, ""},

		{"nobody is asked for", both, nil, 0, deny, "0 of 0"},
		{"a threshold of none", both, []Signatory{alice}, 0, deny, "0 of 1"},
		{"a threshold below none", both, []Signatory{alice}, -1, deny, "-1 of 1"},
		{"a threshold above all", both, []Signatory{alice, bob}, 3, deny, "3 of 2"},
		{"nobody who signs", both, []Signatory{{}}, 1, deny, "1 of 0"},
		{"an identity without an issuer", w.byCarol, []Signatory{{Identity: "carol@example.com"}}, 1, deny, "1 of 0"},
		{"another key", w.envelope(t, aLayout, w.eve), []Signatory{alice}, 1, deny, "does not verify with the key"},
		{"one of two is missing", w.envelope(t, aLayout, w.alice, w.eve), []Signatory{alice, bob}, 2, deny, "1 of 2 required"},
		{"one key, twice", w.envelope(t, aLayout, w.alice, w.alice), []Signatory{alice, bob}, 2, deny, "1 of 2 required"},
		{"one key, asked for twice", w.envelope(t, aLayout, w.alice), []Signatory{alice, alice}, 2, deny, "2 of 1"},
		{"one key, in an envelope and a bundle", lines(w.envelope(t, aLayout, w.alice), w.byAlice), []Signatory{alice, eve}, 2, deny, "1 of 2 required"},
		{"another identity", w.byCarol, []Signatory{{Identity: "alice@example.com", Issuer: carol.Issuer}}, 1, deny, "signed by carol@example.com"},
		{"another issuer", w.byCarol, []Signatory{{Identity: carol.Identity, Issuer: "https://accounts.google.com"}}, 1, deny, "signed by carol@example.com"},
		{"an identity, and any", w.byCarol, []Signatory{{Identity: "*@example.com", Issuer: carol.Issuer}}, 1, deny, "nobody of them"},
		{"one identity of two issuers", w.byCarol, []Signatory{carol, {Identity: carol.Identity, Issuer: "https://accounts.google.com"}}, 2, deny, "2 of 1"},
		{"a key where an identity is asked for", both, []Signatory{carol}, 1, deny, "nobody of them"},
		{"an identity where a key is asked for", w.byCarol, []Signatory{alice}, 1, deny, "nobody of them"},
		{"a broken certificate signature", w.bundle(t, attestationtest.SignRequest{As: w.carol(), Payload: []byte(aLayout), Break: []attestationtest.Break{attestationtest.BreakSignature}}), []Signatory{carol}, 1, deny, "nobody of them"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e, refused := ReadLayoutEnvelope("layout.json", row.data)
			if refused != nil {
				t.Fatal(refused)
			}
			signed, finding := e.Open(Signatories{All: row.who, Threshold: row.threshold, Roots: []*Root{w.otherRoot, w.root}, Now: w.Now()})
			if (signed != nil) != row.want || (finding == nil) != row.want {
				t.Fatalf("opened %t, finding %v", signed != nil, finding)
			}
			if !row.want {
				if finding.ID != verdict.LayoutSignature || finding.Expected == "" || finding.Next == "" || !strings.Contains(finding.Found, row.says) || strings.Contains(finding.Found, "next: ") {
					t.Errorf("finding %+v, expected one that says %q", finding, row.says)
				}
				return
			}
			if string(signed.Payload()) != aLayout || len(signed.Signers()) < row.threshold {
				t.Errorf("%s, signed by %v", signed.Payload(), signed.Signers())
			}
		})
	}
}

func (w *layoutWorld) carol() attestationtest.Identity { return carol() }

// TestSignedLayoutProves holds what is told of an identity that signed, and that no
// other root proves it.
func TestSignedLayoutProves(t *testing.T) {
	t.Parallel()
	w := newLayoutWorld(t)
	e, refused := ReadLayoutEnvelope("layout.json", w.byCarol)
	if refused != nil {
		t.Fatal(refused)
	}
	who := Signatories{All: []Signatory{{Identity: "carol@example.com", Issuer: "https://github.com/login/oauth"}}, Threshold: 1, Roots: []*Root{w.root}}
	signed, finding := e.Open(who)
	if finding != nil {
		t.Fatal(finding)
	}
	by := signed.Signers()[0]
	if by.Root != "sigstore" || len(by.Times) == 0 || by.Signer.SAN != "carol@example.com" {
		t.Errorf("signed by %+v", by)
	}
	for name, roots := range map[string][]*Root{"another root": {w.otherRoot}, "no root": nil} {
		who.Roots = roots
		if signed, finding := e.Open(who); signed != nil || finding == nil {
			t.Errorf("%s: opened", name)
		}
	}
	for _, nothing := range []*LayoutEnvelope{nil, {}} {
		if signed, finding := nothing.Open(who); signed != nil || finding == nil || nothing.Source() != "" || nothing.Unverified() != nil || nothing.Signatures() != 0 {
			t.Errorf("an envelope of nothing opens, as %v", signed)
		}
	}
	var none *SignedLayout
	if none.Payload() != nil || none.Signers() != nil {
		t.Error("no layout has a payload")
	}
}

// TestReadLayoutEnvelope breaks one thing at a time in what holds a layout.
func TestReadLayoutEnvelope(t *testing.T) {
	t.Parallel()
	w := newLayoutWorld(t)
	good := string(w.envelope(t, aLayout, w.alice))
	digest := make([]byte, 32)
	many := strings.Repeat(`{"sig":"AAAA"},`, MaxSignatures)
	rows := []struct {
		name, data, says string
	}{
		{"an envelope", good, ""},
		{"several lines, some of them blank", good + "\n\n" + string(w.byCarol) + "\n", ""},
		{"indented", strings.ReplaceAll(good, ",", ",\n  "), ""},
		{"URL-safe base64", strings.Replace(good, base64.StdEncoding.EncodeToString([]byte(aLayout)), base64.URLEncoding.EncodeToString([]byte(aLayout)), 1), ""},
		{"as many signatures as are read", strings.Replace(good, `"signatures":[`, `"signatures":[`+strings.TrimSuffix(strings.TrimSuffix(many, ","), `{"sig":"AAAA"}`), 1), ""},

		{"one signature more", strings.Replace(good, `"signatures":[`, `"signatures":[`+many, 1), "expected 1 to 64"},
		{"as many lines and one", strings.Repeat(good+"\n", MaxLayoutSignatures+1), "more than 256"},
		{"two payloads", good + "\n" + string(w.envelope(t, aLayout+" ", w.alice)), "signs another document"},
		{"two payloads, in bundles", string(w.byCarol) + "\n" + string(w.bundle(t, attestationtest.SignRequest{As: w.carol(), Payload: []byte(`{}`)})), "signs another document"},
		{"another payload type", strings.Replace(good, payloadType, "application/json", 1), "payload type"},
		{"another payload type, in a bundle", string(w.bundle(t, attestationtest.SignRequest{As: w.carol(), Payload: []byte(aLayout), PayloadType: "text/plain"})), "payload type"},
		{"no payload type", strings.Replace(good, "payloadType", "kind", 1), "payload type"},
		{"a case variant", strings.Replace(good, "payloadType", "PayloadType", 1), "variant"},
		{"a key twice", strings.Replace(good, `{`, `{"payload":"e30=",`, 1), "duplicate key"},
		{"a payload with a key twice", string(w.envelope(t, `{"a":1,"a":2}`, w.alice)), "duplicate key"},
		{"a payload that is YAML", string(w.envelope(t, "_type: layout\n", w.alice)), "not a JSON object"},
		{"a payload and more", string(w.envelope(t, aLayout+"{}", w.alice)), "more data"},
		{"a statement", string(w.bundle(t, provenance(1))), "_type"},
		{"an empty payload", strings.Replace(good, base64.StdEncoding.EncodeToString([]byte(aLayout)), "", 1), "empty"},
		{"a payload that is no base64", strings.Replace(good, `"payload":"`, `"payload":"!`, 1), "base64"},
		{"signatures that are no list", `{"payloadType":"` + payloadType + `","payload":"e30=","signatures":{}}`, "expected a list"},
		{"a signature that is none", strings.Replace(good, `"signatures":[`, `"signatures":[7,`, 1), "signature 1"},
		{"a signature without a value", strings.Replace(good, `"signatures":[`, `"signatures":[{"keyid":""},`, 1), "signature 1"},
		{"no signature", string(w.envelope(t, aLayout)), "0 signatures"},
		{"a message signature", string(w.bundle(t, attestationtest.SignRequest{As: w.carol(), MessageDigest: digest})), "signs a digest"},
		{"more behind it", good + "{}", "more data"},
		{"a line that is none", good + "\n{\n", "line 2"},
		{"half of it", good[:len(good)/2], "ends in the middle"},
		{"a layout in the open", aLayout, "without a signature"},
		{"nothing", "", "not a JSON object"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e, refused := ReadLayoutEnvelope("layout.json", []byte(row.data))
			switch {
			case row.says == "" && refused != nil:
				t.Error(refused)
			case row.says == "" && (string(e.Unverified()) != aLayout || e.Signatures() == 0 || e.Source() != "layout.json"):
				t.Errorf("read as %q with %d signatures", e.Unverified(), e.Signatures())
			case row.says != "" && (e != nil || refused.ID != verdict.LayoutMalformed || !strings.Contains(refused.Error(), row.says)):
				t.Errorf("refusal %v, expected one that says %q", refused, row.says)
			}
		})
	}
}

// TestHoldsLayout tells what is read as signed from what is read as it stands.
func TestHoldsLayout(t *testing.T) {
	t.Parallel()
	w := newLayoutWorld(t)
	good := string(w.envelope(t, aLayout, w.alice))
	for text, want := range map[string]bool{
		good: true, string(w.byCarol): true, good + "\n" + good: true, "\n" + good: true, good + "\nrubbish": true, strings.ReplaceAll(good, ",", ",\n"): true,
		aLayout: false, "_type: layout\npayload: x\nsignatures: y\n": false, "": false, "# a comment\n{": false, "[]": false, "{}": false,
	} {
		if HoldsLayout([]byte(text)) != want {
			t.Errorf("%.60q: expected %t", text, want)
		}
	}
}

// FuzzReadLayoutEnvelope: any bytes are refused or hold one JSON object, which
// nobody has signed whose key is new.
func FuzzReadLayoutEnvelope(f *testing.F) {
	w := newLayoutWorld(f)
	eve := w.key(f, w.eve)
	good := w.envelope(f, aLayout, w.alice, w.bob)
	for _, seed := range [][]byte{good, w.byCarol, lines(good, w.byAlice), []byte(aLayout), good[:90], bytes.ReplaceAll(good, []byte(","), []byte(",\n"))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, refused := ReadLayoutEnvelope("f", data)
		if (e == nil) == (refused == nil) {
			t.Fatalf("envelope %v, refusal %v", e, refused)
		}
		if refused != nil {
			if refused.ID != verdict.LayoutMalformed || refused.Finding().Next == "" {
				t.Errorf("refusal %+v", refused)
			}
			return
		}
		if _, err := scanObject(e.Unverified()); err != nil || e.Signatures() > MaxLayoutSignatures {
			t.Errorf("payload %q, %d signatures: %v", e.Unverified(), e.Signatures(), err)
		}
		if signed, finding := e.Open(Signatories{All: []Signatory{eve}, Threshold: 1, Roots: []*Root{w.root}}); signed != nil || finding == nil {
			t.Errorf("signed by %v", fmt.Sprint(signed.Signers()))
		}
	})
}

// TestLayoutKeyForms opens what keys sign that have no bundles: SSH's armour and
// RSA-PSS; and holds that one key in two forms is one signer.
func TestLayoutKeyForms(t *testing.T) {
	t.Parallel()
	pae := dsse.PAE(payloadType, []byte(aLayout))
	edwards, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(pae)
	pss, err := rsa.SignPSS(rand.Reader, large, crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	e, refused := ReadLayoutEnvelope("layout.json", envelopeOf(t, ed25519.Sign(private, pae), sshArmour(t, private, pae), pss))
	if refused != nil {
		t.Fatal(refused)
	}
	inPEM, inRSA := parseKey(t, edwards), parseKey(t, large.Public())
	sshPublic, err := ssh.NewPublicKey(edwards)
	if err != nil {
		t.Fatal(err)
	}
	inSSH, err := ParseKey(ssh.MarshalAuthorizedKey(sshPublic))
	if err != nil {
		t.Fatal(err)
	}
	open := func(threshold int, keys ...*Key) bool {
		who := Signatories{Threshold: threshold, Now: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
		for _, k := range keys {
			who.All = append(who.All, Signatory{Key: k})
		}
		signed, finding := e.Open(who)
		if (signed == nil) == (finding == nil) {
			t.Errorf("signed %v, finding %v", signed, finding)
		}
		return signed != nil
	}
	if !open(1, &inPEM) || !open(1, &inSSH) || !open(1, &inRSA) || !open(2, &inSSH, &inRSA) {
		t.Error("a signature is not taken")
	}
	if open(2, &inPEM, &inSSH) {
		t.Error("one key in two forms is two signers")
	}
}

// envelopeOf is a DSSE envelope with these signatures.
func envelopeOf(t *testing.T, signatures ...[]byte) []byte {
	t.Helper()
	list := []map[string][]byte{}
	for _, s := range signatures {
		list = append(list, map[string][]byte{"sig": s})
	}
	data, err := json.Marshal(map[string]any{"payloadType": payloadType, "payload": []byte(aLayout), "signatures": list})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sshArmour signs as ssh-keygen -Y sign -n git does.
//
// "byte[6] MAGIC_PREAMBLE, string namespace, string reserved, string
// hash_algorithm, string H(message)" (OpenSSH, PROTOCOL.sshsig)
func sshArmour(t *testing.T, key ed25519.PrivateKey, message []byte) []byte {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(message)
	type header struct{ Namespace, Reserved, Hash string }
	over := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Header header
		Sum    []byte
	}{header{"git", "", "sha512"}, sum[:]})...)
	signature, err := signer.Sign(rand.Reader, over)
	if err != nil {
		t.Fatal(err)
	}
	blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Version   uint32
		Public    []byte
		Header    header
		Signature []byte
	}{1, signer.PublicKey().Marshal(), header{"git", "", "sha512"}, ssh.Marshal(signature)})...)
	return pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: blob})
}
