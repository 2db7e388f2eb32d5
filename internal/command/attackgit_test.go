package command_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// commitScene is a commit, or a tag of it, with its author's own signature. What is
// changed is signed or not by where it is changed; the object's name is always true
// to its bytes.
type commitScene struct {
	t        *testing.T
	sigstore *attestationtest.Sigstore
	pen      pen
	by       string              // who signs: alice
	tag      string              // its name, to play on a tag of the commit
	payload  func(string) string // before it is signed
	armour   func(string) string // of the signature
	cms      func(*attestationtest.CMS)
	object   func(string) string // after it has been signed
	id       string              // by which it is asked for, if not its own
	files    map[string]string
	args     []string // in place of those that name alice
}

// A pen is one of the three ways in which git has an author sign.
type pen string

const (
	withSSH     pen = "ssh"
	withOpenPGP pen = "openpgp"
	withGitsign pen = "gitsign"
)

// theTree is what the commit holds.
const theTree = "10731d0b170b98481a00bdca161e874e0ab93377"

// onCommit plays on a signed commit with one thing changed.
func onCommit(with pen, change func(*commitScene)) play {
	return func(t *testing.T, dir string) []string {
		t.Helper()
		same := func(text string) string { return text }
		s := &commitScene{t: t, sigstore: theAttacked(t), pen: with, by: "alice", payload: same, armour: same, object: same, files: map[string]string{}}
		if change != nil {
			change(s)
		}
		return s.write(dir)
	}
}

func (s *commitScene) write(dir string) []string {
	s.t.Helper()
	kind, raw := "commit", string(attestationtest.GitCommit{Tree: theTree, Message: "fix\n"}.Raw())
	if s.tag != "" {
		kind, raw = "tag", string(attestationtest.GitTag{Object: commit, Name: s.tag, Message: "a release\n"}.Raw())
	}
	raw = s.payload(raw)
	armour, who := s.sign(dir, []byte(raw))
	object := s.object(withSignature(raw, s.armour(armour), s.tag != ""))
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(object), object))
	id := hex.EncodeToString(sum[:])
	if s.id != "" {
		id = s.id
	}
	writeAll(s.t, dir, s.files)
	args := []string{
		"verify", map[string]string{"commit": "gitCommit:", "tag": "gitTag:"}[kind] + id, "--offline", "--format", "json",
		"--bundle", write(s.t, dir, "object."+kind, []byte(object)),
	}
	if s.args != nil {
		who = nil
	}
	return append(append(args, who...), inFolder(dir, s.args)...)
}

// withSignature puts a signature where git puts it.
func withSignature(raw, armour string, tag bool) string {
	if tag {
		return raw + armour
	}
	head, message, _ := strings.Cut(raw, "\n\n")
	return head + "\ngpgsig " + strings.ReplaceAll(strings.TrimSuffix(armour, "\n"), "\n", "\n ") + "\n\n" + message
}

// sign signs, and returns what names alice on the command line.
func (s *commitScene) sign(dir string, payload []byte) (armour string, who []string) {
	s.t.Helper()
	var data []byte
	var err error
	switch s.pen {
	case withSSH:
		key, keyErr := s.sigstore.Ed25519(s.by)
		if keyErr != nil {
			s.t.Fatal(keyErr)
		}
		data, err = attestationtest.SignSSH(key, payload, attestationtest.SSHRequest{})
		who = []string{"--allowed-signers", write(s.t, dir, "allowed", []byte(s.allowed("alice")))}
	case withOpenPGP:
		keys := map[string]*pgp.Entity{}
		for _, name := range []string{"alice", "mallory"} {
			if keys[name], err = attestationtest.OpenPGPKey(name, attackTime(s.t), false); err != nil {
				s.t.Fatal(err)
			}
		}
		for name, key := range keys {
			public, keyErr := attestationtest.ArmourOpenPGPKey(key)
			if keyErr != nil {
				s.t.Fatal(keyErr)
			}
			write(s.t, dir, name+".asc", public)
		}
		data, err = attestationtest.SignOpenPGP(keys[s.by], payload, attestationtest.OpenPGPConfig(attackTime(s.t)))
		who = []string{"--key", filepath.Join(dir, "alice.asc")}
	case withGitsign:
		data, err = s.sigstore.Gitsign(attestationtest.GitsignRequest{
			Payload: payload, As: attestationtest.Person(s.by+"@example.com", login), At: attackTime(s.t), Entry: true, Edit: s.cms,
		})
		who = []string{"--certificate-identity", "alice@example.com", "--certificate-oidc-issuer", login, "--trusted-root", write(s.t, dir, "trusted_root.json", s.sigstore.TrustedRoot())}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data), who
}

// allowed is a line of an allowed signers file.
func (s *commitScene) allowed(who string) string {
	s.t.Helper()
	key, err := s.sigstore.Ed25519(who)
	if err != nil {
		s.t.Fatal(err)
	}
	line, err := attestationtest.SSHLine(key.Public())
	if err != nil {
		s.t.Fatal(err)
	}
	return who + `@example.com namespaces="git" ` + line
}

// swapped is a change that replaces text which stands once.
func (s *commitScene) swapped(instead, text string) func(string) string {
	return func(whole string) string { return inPlace(s.t, whole, instead, text) }
}

// parserDifferential: an object that git, its libraries and a verifier read as
// different things.
func parserDifferential() []attack {
	const two = "gitsign CVE-2026-44309, go-git CVE-2026-45022"
	const evil = "tree 0badc0de5e8b7a604132c9f0d8e7b6a594837261\n"
	const tree = "tree " + theTree + "\n"
	signed := func(instead, text string) play {
		return onCommit(withSSH, func(s *commitScene) { s.payload = s.swapped(instead, text) })
	}
	after := func(instead, text string) play {
		return onCommit(withSSH, func(s *commitScene) { s.object = s.swapped(instead, text) })
	}
	const ends = "-----END SSH SIGNATURE-----\n"
	return []attack{
		{"two trees, signed as they stand", two, signed(tree, evil+tree), "git-object-malformed", 0},
		{"an evil tree in front of the signed one", two, after(tree, evil+tree), "git-object-malformed", 0},
		{"an evil tree behind the signed one", two, after(tree, tree+evil), "git-object-malformed", 0},
		{"an evil tree in the place of the signed one", two, after(tree, evil), "signature-invalid", 0},
		{"two authors", two, signed("author Alice", "author Mallory <mallory@example.com> 1768478400 +0000\nauthor Alice"), "git-object-malformed", 0},
		{"two signatures", "git-core passes it", onCommit(withSSH, func(s *commitScene) {
			s.object = func(whole string) string {
				head, message, _ := strings.Cut(whole, "\n\n")
				_, signature, _ := strings.Cut(head, "\ngpgsig ")
				return head + "\ngpgsig " + signature + "\n\n" + message
			}
		}), "git-object-malformed", 0},
		{"two armoured blocks in one header", "git-core passes it", onCommit(withSSH, func(s *commitScene) {
			s.armour = func(armour string) string { return armour + armour }
		}), "git-object-malformed", 0},
		{"a signature of the other hash beside it", "git-core passes it", onCommit(withSSH, func(s *commitScene) {
			s.object = s.swapped("\ngpgsig ", "\ngpgsig-sha256 none\ngpgsig ")
		}), "git-object-malformed", 0},
		{"a zero byte in the head", two, signed("author Alice", "author Alice\x00Mallory"), "git-object-malformed", 0},
		{"a zero byte in the message", two, signed("fix\n", "fix\x00and more\n"), "git-object-malformed", 0},
		{"a carriage return at a header's end", two, signed(tree, "tree "+theTree+"\r\n"), "bundle-malformed", 0},
		{"carriage returns in the message, added afterwards", two, after("fix\n", "fix\r\n"), "signature-invalid", 0},
		{"carriage returns in the armour, as ssh-keygen refuses them", two, onCommit(withSSH, func(s *commitScene) {
			s.armour = func(armour string) string { return strings.ReplaceAll(armour, "\n", "\r\n") }
		}), "signature-invalid", 0},
		{"a header that was added afterwards", two, after("\ngpgsig ", "\nencoding utf-7\ngpgsig "), "signature-invalid", 0},
		{"the message was changed afterwards", two, after("fix\n", "fix nothing\n"), "signature-invalid", 0},
		{"an armoured block in the message", two, signed("fix\n", "fix\n-----BEGIN SSH SIGNATURE-----\nAAAA\n"+ends), "git-object-malformed", 0},
		{"the signature in the message alone", two, onCommit(withSSH, func(s *commitScene) {
			s.object = func(whole string) string {
				head, message, _ := strings.Cut(whole, "\n\n")
				head, signature, _ := strings.Cut(head, "\ngpgsig ")
				return head + "\n\n" + message + strings.ReplaceAll(signature, "\n ", "\n") + "\n"
			}
		}), "git-object-unsigned", 0},
		{"a signed tag in an unsigned merge", "git-core: mergetag", after("\ngpgsig ", "\nmergetag "), "git-object-unsigned", 0},
		{"another commit under this one's name", "go-git does not hash what it reads", onCommit(withSSH, func(s *commitScene) { s.id = otherCommit }), "artifact-not-subject", 0},
		{"a tag served under another name", "git-core: the name is not compared", onCommit(withSSH, func(s *commitScene) {
			s.tag = "v1.0.0"
			s.args = []string{"--allowed-signers", "DIR/allowed", "--tag-name", "v2.0.0"}
		}), "tag-name-differs", 0},
		{"text behind a tag's signature", two, onCommit(withSSH, func(s *commitScene) {
			s.tag = "v1.0.0"
			s.armour = func(armour string) string { return armour + "and more\n" }
		}), "git-object-malformed", 0},
		{"a signature of a tag on a commit", two, onCommit(withSSH, func(s *commitScene) {
			s.armour = func(string) string {
				armour, _ := s.sign(s.t.TempDir(), attestationtest.GitTag{Object: commit, Name: "v1.0.0", Message: "a release\n"}.Raw())
				return armour
			}
		}), "signature-invalid", 0},
		{"a log entry of another commit", "gitsign CVE-2024-51746", onCommit(withGitsign, func(s *commitScene) {
			_, _ = s.sign(s.t.TempDir(), []byte("another"))
			var foreign []attestationtest.CMSAttribute
			s.cms = func(m *attestationtest.CMS) { foreign = m.Signers[0].Unsigned }
			_, _ = s.sign(s.t.TempDir(), []byte("another"))
			s.cms = func(m *attestationtest.CMS) { m.Signers[0].Unsigned = foreign }
		}), "signature-invalid", 0},
		{"no log entry, and so no time", "gitsign CVE-2024-51746", onCommit(withGitsign, func(s *commitScene) {
			s.cms = func(m *attestationtest.CMS) { m.Signers[0].Unsigned = nil }
		}), "no-proven-time", 0},
	}
}

// panicIsSuccess: input that a parser dies of, and a caller takes silence for yes.
func panicIsSuccess() []attack {
	const precedent = "gitsign CVE-2026-44310"
	const invalid = "signature-invalid"
	armour := func(with pen, change func(der []byte) []byte) play {
		return onCommit(with, func(s *commitScene) {
			s.armour = func(text string) string { return rearmour(s.t, text, change) }
		})
	}
	cms := func(edit func(*attestationtest.CMS)) play {
		return onCommit(withGitsign, func(s *commitScene) { s.cms = edit })
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	none := func([]byte) []byte { return nil }
	endless := func([]byte) []byte { return []byte("0\x84\xff\xff\xff\xff") }
	deep := func([]byte) []byte { return []byte(strings.Repeat("0\x80", 10_000)) }
	lengths := func(b []byte) []byte {
		for i := range 4 {
			b[len(b)/3+i] = 0xff
		}
		return b
	}
	bundle := func(edit func(string) string) play {
		return onRelease(func(s *releaseScene) { s.evidence[ofBuilder].edit = edit })
	}
	return []attack{
		{"a CMS message without a signer", precedent, cms(func(m *attestationtest.CMS) { m.Signers = nil }), invalid, 0},
		{"a CMS message without a certificate", precedent, cms(func(m *attestationtest.CMS) { m.Certificates.Bytes, m.Certificates.FullBytes = nil, nil }), invalid, 0},
		{"a CMS message with an empty signature", precedent, cms(func(m *attestationtest.CMS) { m.Signers[0].Signature = nil }), "bundle-malformed", 0},
		{"half a CMS message", precedent, armour(withGitsign, half), invalid, 0},
		{"no CMS message", precedent, armour(withGitsign, none), invalid, 0},
		{"a CMS message of four gigabytes, by its own word", precedent, armour(withGitsign, endless), invalid, 0},
		{"a CMS message nested 10,000 deep", precedent, armour(withGitsign, deep), invalid, 0},
		{"lengths that are none, in a CMS message", precedent, armour(withGitsign, lengths), invalid, 0},
		{"half an SSH signature", precedent, armour(withSSH, half), invalid, 0},
		{"no SSH signature", precedent, armour(withSSH, none), invalid, 0},
		{"lengths that are none, in an SSH signature", precedent, armour(withSSH, lengths), invalid, 0},
		{"a magic and nothing else", precedent, armour(withSSH, func([]byte) []byte { return []byte("SSHSIG") }), invalid, 0},
		{"half an OpenPGP signature", precedent, armour(withOpenPGP, half), invalid, 0},
		{"no OpenPGP signature", precedent, armour(withOpenPGP, none), invalid, 0},
		{"lengths that are none, in an OpenPGP signature", precedent, armour(withOpenPGP, func(b []byte) []byte { return append([]byte{0xc2, 0xff, 0xff, 0xff, 0xff, 0xff}, b...) }), invalid, 0},
		{"a certificate without a byte", precedent, onRelease(func(s *releaseScene) { s.breaks(ofBuilder, attestationtest.BreakEmptyCertificate) }), "certificate-malformed", 0},
		{"a bundle that ends early", precedent, bundle(func(whole string) string { return whole[:len(whole)/2] }), "bundle-malformed", 0},
		{"a bundle of one bracket, again and again", precedent, bundle(func(string) string { return strings.Repeat("[", 100_000) }), "bundle-malformed", 0},
		{"a bundle that is null", precedent, bundle(func(string) string { return "null" }), "bundle-malformed", 0},
		{"a bundle without content", precedent, bundle(func(string) string { return `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}` }), "bundle-malformed", 0},
		{"a timestamp that is none", precedent, onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Entry = attestationtest.EntryV2
			s.evidence[ofBuilder].edit = func(whole string) string {
				before, rest, _ := strings.Cut(whole, `"signedTimestamp":"`)
				_, after, _ := strings.Cut(rest, `"`)
				return before + `"signedTimestamp":"MA=="` + after
			}
		}), invalid, 0},
		{"a layout that is null", precedent, onRelease(func(s *releaseScene) { s.layout = "null\n" }), "layout-malformed", 0},
		{"a layout of one bracket, again and again", precedent, onRelease(func(s *releaseScene) { s.layout = strings.Repeat("[", 100_000) }), "layout-malformed", 0},
		{"half a certificate in a link", precedent, onClassic(func(s *classicScene) {
			authority, leaves := s.certified("builder")
			s.layout.RootCAs, s.layout.IntermediateCAs = []*attestationtest.ClassicKey{authority.Root}, []*attestationtest.ClassicKey{authority.Intermediate}
			s.layout.Steps[1].Functionaries = nil
			s.layout.Steps[1].Constraints = []map[string]any{{"common_name": "builder", "dns_names": []string{""}, "emails": []string{""}, "organizations": []string{"*"}, "roots": []string{"*"}, "uris": []string{"spiffe://acme.example/builder"}}}
			leaves[0].Certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
			s.links[byBuilder].by = leaves
		}), invalid, 0},
		{"a link that is null", precedent, onClassic(func(s *classicScene) { s.links[byBuilder].edit = func(string) string { return "null" } }), "envelope-malformed", 0},
		{"a rule without a word", "in-toto-golang, a29", onClassic(func(s *classicScene) {
			s.edit = func(whole string) string {
				return strings.Replace(whole, `"expected_products": [`, `"expected_products": [[],`, 1)
			}
		}), "rule-malformed", 0},
	}
}

// rearmour changes what is in an armoured block.
func rearmour(t *testing.T, text string, change func([]byte) []byte) string {
	t.Helper()
	head, body, _ := strings.Cut(text, "-----\n")
	body, tail, _ := strings.Cut(body, "\n-----")
	var encoded string
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "=") && !strings.Contains(line, ":") {
			encoded += line
		}
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return head + "-----\n\n" + base64.StdEncoding.EncodeToString(change(data)) + "\n-----" + tail
}
