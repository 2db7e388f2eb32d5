package attestation_test

import (
	"bytes"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// FuzzObject hands in git objects: whatever opens says what its author signed, with
// not a byte changed.
func FuzzObject(f *testing.F) {
	d := newDesk(f)
	alice := attestationtest.Person("alice@example.com", "https://github.com/login/oauth")
	payloads := [][]byte{theCommit().Raw(), theTag().Raw()}
	put := []func([]byte) []byte{theCommit().Signed, theTag().Signed}
	for i, payload := range payloads {
		gitsigned, err := d.Gitsign(attestationtest.GitsignRequest{Payload: payload, As: alice, Entry: true, Timestamp: i == 0})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(put[i](gitsigned))
		f.Add(put[i](d.ssh(f, payload, attestationtest.SSHRequest{})))
		f.Add(payload)
	}
	evil := []byte("tree " + theCommit().Tree + "\ntree ")
	f.Add(bytes.Replace(theCommit().Signed(d.ssh(f, payloads[0], attestationtest.SSHRequest{})), []byte("tree "), evil, 1))
	key := sshKey(f, d.key)
	f.Fuzz(func(t *testing.T, data []byte) {
		found, _ := attestation.Candidates("x.commit", data)
		for _, c := range found {
			for _, open := range []func() (*attestation.Verified, error){
				func() (*attestation.Verified, error) { return attestation.Open(c, d.root) },
				func() (*attestation.Verified, error) { return attestation.OpenWithKey(c, key, nil) },
			} {
				v, err := open()
				if (v == nil) == (err == nil) {
					t.Fatalf("opened as %v, %v", v, err)
				}
				if v == nil || v.GitObject() == nil {
					continue
				}
				payload := v.GitObject().Payload
				if !bytes.Equal(payload, payloads[0]) && !bytes.Equal(payload, payloads[1]) {
					t.Errorf("%q opened as %+v", data, v.Statement())
				}
			}
		}
	})
}
