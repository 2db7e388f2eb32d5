package attestationtest

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// GitCommit is a commit that a test makes and signs.
type GitCommit struct {
	Tree    string // 40 digits, or 64 for a repository with SHA-256
	Parents []string
	Author  string // "Alice <alice@example.com>" if empty
	Message string
	// Headers are further lines behind the committer, each with its end.
	Headers string
}

// instant is what the objects say of their time, which nobody believes.
const instant = " 1768478400 +0000\n"

// head is everything before the message.
func (c GitCommit) head() string {
	author := c.Author
	if author == "" {
		author = "Alice <alice@example.com>"
	}
	var b strings.Builder
	b.WriteString("tree " + c.Tree + "\n")
	for _, p := range c.Parents {
		b.WriteString("parent " + p + "\n")
	}
	return b.String() + "author " + author + instant + "committer " + author + instant + c.Headers
}

// Raw is the commit without a signature, which is what is signed.
func (c GitCommit) Raw() []byte { return []byte(c.head() + "\n" + c.Message) }

// Signed is the commit with a signature, where git puts it.
func (c GitCommit) Signed(armour []byte) []byte {
	name := "gpgsig"
	if len(c.Tree) == 64 {
		name = "gpgsig-sha256"
	}
	indented := strings.ReplaceAll(strings.TrimSuffix(string(armour), "\n"), "\n", "\n ")
	return []byte(c.head() + name + " " + indented + "\n\n" + c.Message)
}

// GitTag is an annotated tag of a commit.
type GitTag struct {
	Object, Name, Message string
}

// Raw is the tag without a signature, which is what is signed.
func (t GitTag) Raw() []byte {
	return []byte("object " + t.Object + "\ntype commit\ntag " + t.Name + "\ntagger Alice <alice@example.com>" + instant + "\n" + t.Message)
}

// Signed is the tag with a signature at its end.
func (t GitTag) Signed(armour []byte) []byte { return append(t.Raw(), armour...) }

// Ed25519 gives a key of its own; the same name always gives the same key of an
// instance.
func (s *Sigstore) Ed25519(name string) (ed25519.PrivateKey, error) {
	seed, err := s.seed.bytes("Ed25519 key "+name, ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// SSHLine is a public key as a .pub file has it.
func SSHLine(public crypto.PublicKey) (string, error) {
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encoding SSH key: %w", err)
	}
	return string(ssh.MarshalAuthorizedKey(key)), nil
}

// SSHRequest says how a message is signed by an SSH key. Its zero values are what
// git asks for.
type SSHRequest struct {
	Namespace string // "git" if empty
	Hash      string // "sha512" if empty
	Algorithm string // of the signature: the key's own if empty
	Version   uint32 // 1 if zero
	Reserved  string
	// Certificate goes into the signature in place of the bare key.
	Certificate *ssh.Certificate
	// Rest goes behind the signature, as security keys have it.
	Rest []byte
}

// SignSSH signs a message as ssh-keygen -Y sign does, and returns the armour.
// Source: PROTOCOL.sshsig of OpenSSH
func SignSSH(key crypto.Signer, message []byte, request SSHRequest) ([]byte, error) {
	signer, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return nil, fmt.Errorf("signing with SSH key: %w", err)
	}
	namespace, hash, algorithm, version := request.Namespace, request.Hash, request.Algorithm, request.Version
	if namespace == "" {
		namespace = "git"
	}
	if hash == "" {
		hash = "sha512"
	}
	if version == 0 {
		version = 1
	}
	if algorithm == "" && signer.PublicKey().Type() == ssh.KeyAlgoRSA {
		algorithm = ssh.KeyAlgoRSASHA512
	}
	sum512 := sha512.Sum512(message)
	sum := sum512[:]
	if hash == "sha256" {
		sum256 := sha256.Sum256(message)
		sum = sum256[:]
	}
	signed := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Namespace, Reserved, Hash string
		Sum                       []byte
	}{namespace, request.Reserved, hash, sum})...)
	signature, err := signSSH(signer, signed, algorithm)
	if err != nil {
		return nil, fmt.Errorf("signing with SSH key: %w", err)
	}
	signature.Rest = request.Rest
	public := signer.PublicKey().Marshal()
	if request.Certificate != nil {
		public = request.Certificate.Marshal()
	}
	blob := append([]byte("SSHSIG"), ssh.Marshal(struct {
		Version                   uint32
		PublicKey                 []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{version, public, namespace, request.Reserved, hash, ssh.Marshal(signature)})...)
	return ArmourSSH(blob), nil
}

func signSSH(signer ssh.Signer, message []byte, algorithm string) (*ssh.Signature, error) {
	if with, ok := signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return with.SignWithAlgorithm(rand.Reader, message, algorithm)
	}
	return signer.Sign(rand.Reader, message)
}

// ArmourSSH writes a signature's bytes as ssh-keygen does.
func ArmourSSH(blob []byte) []byte { return armour("SSH SIGNATURE", blob, 70) }

func armour(kind string, blob []byte, width int) []byte {
	var b bytes.Buffer
	b.WriteString("-----BEGIN " + kind + "-----\n")
	text := base64.StdEncoding.EncodeToString(blob)
	for len(text) > width {
		b.WriteString(text[:width] + "\n")
		text = text[width:]
	}
	b.WriteString(text + "\n-----END " + kind + "-----\n")
	return b.Bytes()
}

// SSHCertificate certifies a key for principals, by an authority. edit, if not nil,
// changes it before it is signed.
func SSHCertificate(authority crypto.Signer, key crypto.PublicKey, principals []string, edit func(*ssh.Certificate)) (*ssh.Certificate, error) {
	public, err := ssh.NewPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("certifying SSH key: %w", err)
	}
	signer, err := ssh.NewSignerFromSigner(authority)
	if err != nil {
		return nil, fmt.Errorf("certifying SSH key: %w", err)
	}
	c := &ssh.Certificate{Key: public, CertType: ssh.UserCert, KeyId: "test", ValidPrincipals: principals, ValidBefore: ssh.CertTimeInfinity}
	if edit != nil {
		edit(c)
	}
	if err := c.SignCert(rand.Reader, signer); err != nil {
		return nil, fmt.Errorf("certifying SSH key: %w", err)
	}
	return c, nil
}
