package command_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/layout"
)

// sameSigstore is the instance that signed the world: one seed makes one root.
func sameSigstore() (*attestationtest.Sigstore, error) {
	config := attestationtest.PublicGood()
	config.Seed = worldSeed
	return attestationtest.New(config)
}

// built has the release workflow state, in a bundle, that it built a file of the commit
// that a ref of a repository names.
func built(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: built FILE REPOSITORY REF BUNDLE")
	}
	sigstore, err := sameSigstore()
	ts.Check(err)
	run := attestationtest.WorkflowClaims{Repository: "acme/app", SHA: revision(ts, args[1], args[2])}
	bundle, err := sigstore.Sign(attestationtest.SignRequest{As: attestationtest.Workflow(run), Payload: attestationtest.Statement(
		[]attestationtest.Subject{attestationtest.File(args[0], []byte(ts.ReadFile(args[0])))}, "https://slsa.dev/provenance/v1", attestationtest.Provenance(run))})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), bundle.JSON, 0o600))
}

// revision is the object that git takes a word for.
func revision(ts *testscript.TestScript, repository, name string) string {
	id, err := exec.Command("git", "-C", ts.MkAbs(repository), "rev-parse", "--verify", name).Output()
	ts.Check(err)
	return strings.TrimSpace(string(id))
}

// gittuf has somebody authorise, as gittuf has it, that a ref moves to a tree: NAME with
// their SSH key, and NAME@HOST with their identity at Sigstore.
func gittuf(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 5 {
		ts.Fatalf("usage: gittuf NAME REPOSITORY REF TREE FILE")
	}
	tree := revision(ts, args[1], args[3])
	statement := attestationtest.Statement([]attestationtest.Subject{{Name: "_", Digest: map[string]string{"gitTree": tree}}},
		layout.AuthorizationV02, map[string]any{"targetRef": args[2], "fromID": strings.Repeat("0", 40), "targetID": tree})
	statement = []byte(strings.Replace(string(statement), `"_type"`, `"type"`, 1))
	sign := gittufBySSH
	if strings.Contains(args[0], "@") {
		sign = gittufBySigstore
	}
	envelope, err := sign(args[0], statement)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), envelope.JSON(), 0o600))
}

func gittufBySigstore(email string, statement []byte) (*attestationtest.GittufEnvelope, error) {
	sigstore, err := sameSigstore()
	if err != nil {
		return nil, err
	}
	return sigstore.Gittuf(statement, attestationtest.SignRequest{As: attestationtest.Person(email, login)})
}

func gittufBySSH(name string, statement []byte) (*attestationtest.GittufEnvelope, error) {
	signer, err := handOf(name)
	if err != nil {
		return nil, err
	}
	signature, err := sshSignature(signer, dsse.PAE(attestationtest.GittufPayloadType, statement))
	if err != nil {
		return nil, err
	}
	return &attestationtest.GittufEnvelope{
		PayloadType: attestationtest.GittufPayloadType, Payload: base64.StdEncoding.EncodeToString(statement),
		Signatures: []attestationtest.GittufSignature{{KeyID: ssh.FingerprintSHA256(signer.PublicKey()), Sig: base64.StdEncoding.EncodeToString(signature)}},
	}, nil
}

// handOf is somebody's SSH key, the same in every run.
func handOf(name string) (ssh.Signer, error) {
	seed := sha256.Sum256([]byte(name))
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
}
