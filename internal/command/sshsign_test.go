package command_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// sshsign has somebody sign the commit or annotated tag that a ref names, as git does
// with gpg.format ssh, and the ref name it. Their public key is in NAME.pub and in the
// variable NAME_key, and the object's id in the variable NAME of the ref's last part.
func sshsign(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: sshsign REPOSITORY NAME REF")
	}
	repository, ref := ts.MkAbs(args[0]), args[2]
	signer, err := handOf(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".pub"), ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600))
	ts.Setenv(args[1]+"_key", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))))
	git := func(input []byte, args ...string) []byte {
		cmd := exec.Command("git", append([]string{"-C", repository}, args...)...)
		cmd.Stdin = bytes.NewReader(input)
		out, err := cmd.Output()
		ts.Check(err)
		return out
	}
	kind := strings.TrimSpace(string(git(nil, "cat-file", "-t", ref)))
	raw := git(nil, "cat-file", kind, ref)
	signature, err := sshSignature(signer, raw)
	ts.Check(err)
	signed := append(bytes.Clone(raw), signature...)
	if kind == "commit" {
		headers, message, _ := bytes.Cut(raw, []byte("\n\n"))
		indented := strings.ReplaceAll(strings.TrimSuffix(string(signature), "\n"), "\n", "\n ")
		signed = []byte(string(headers) + "\ngpgsig " + indented + "\n\n" + string(message))
	}
	id := strings.TrimSpace(string(git(signed, "hash-object", "-w", "-t", kind, "--stdin")))
	git(nil, "update-ref", ref, id)
	ts.Setenv(filepath.Base(ref), id)
}

// sshSignature is one as PROTOCOL.sshsig describes, in the namespace git.
func sshSignature(signer ssh.Signer, message []byte) ([]byte, error) {
	hash := sha512.Sum512(message)
	about := struct{ Namespace, Reserved, HashAlgorithm, Hash string }{"git", "", "sha512", string(hash[:])}
	signature, err := signer.Sign(nil, append([]byte("SSHSIG"), ssh.Marshal(about)...))
	if err != nil {
		return nil, err
	}
	blob := ssh.Marshal(struct {
		Version                                                  uint32
		PublicKey, Namespace, Reserved, HashAlgorithm, Signature string
	}{1, string(signer.PublicKey().Marshal()), "git", "", "sha512", string(ssh.Marshal(signature))})
	return pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: append([]byte("SSHSIG"), blob...)}), nil
}
