package command

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/signer"
)

// classicDraft is a layout of in-toto 1.0 on its way to one more signature.
type classicDraft struct {
	document layoutFile
	envelope *attestation.Envelope // the same, read
	place    string                // where it goes
	now      time.Time
	key      signer.MetadataKey
	public   attestation.InTotoKey
	by       identity.Signer
	keyID    string
}

// signClassic reads the layout and its signatures, adds one, verifies what came of it,
// and writes it in place of the old.
func (in layoutSignInput) signClassic(env Env, document layoutFile) error {
	if err := in.checkClassic(); err != nil {
		return err
	}
	d, err := in.readClassic(env, document)
	if err != nil {
		return err
	}
	if err := d.firstTime(); err != nil {
		return err
	}
	signed, count, err := d.sign()
	if err != nil {
		return err
	}
	err = report.WriteFile(d.place, func(w io.Writer) error {
		_, err := w.Write(signed)
		return err
	})
	if err != nil {
		return undecided("", err) // which names the next step
	}
	return d.tell(env, count)
}

// checkClassic refuses whoever is no key.
//
// A certificate of Fulcio's lives for ten minutes, and neither a Metablock nor in-toto's
// readers have a place for what proves when one signed.
func (in layoutSignInput) checkClassic() error {
	switch {
	case in.who.key == "":
		return usage("name the private key, a PEM file, with --key", "%s is a layout of in-toto 1.0, which is signed with keys: it has no place for what proves when an identity signed", in.file)
	case in.instance.given() || in.guards.publicLog:
		return usage("leave out --instance, --signing-config, --rekor-version and --allow-public-log", "%s is a layout of in-toto 1.0: its signatures are logged nowhere", in.file)
	case in.keyID != signer.KeyIDGolang && in.keyID != signer.KeyIDPython:
		return usage("use --key-id golang or python", "unknown --key-id %q", in.keyID)
	}
	return nil
}

// readClassic finds a layout without a problem, and the key. Who signs vouches for all of
// it: it is held to what strict verification demands, --compat or not.
func (in layoutSignInput) readClassic(env Env, document layoutFile) (*classicDraft, error) {
	envelope, refused := attestation.ReadEnvelope(document.name, document.data)
	if refused != nil {
		return nil, &exitError{code: ExitDenied, err: refused, next: refused.Finding().Next}
	}
	if problems := describeClassic(env, document.name, document.data).problems; len(problems) > 0 {
		return nil, hasProblems(in.file, problems[0].Finding)
	}
	place, err := in.signedPlace(env)
	if err != nil {
		return nil, err
	}
	d := &classicDraft{document: document, envelope: envelope, place: place, now: env.Now}
	if err := d.open(env, in); err != nil {
		return nil, err
	}
	return d, nil
}

// open reads the key.
func (d *classicDraft) open(env Env, in layoutSignInput) error {
	data, err := evidence.Read(env.FS, in.who.key, maxKeyFile)
	if err != nil {
		return undecided("check "+in.who.keyFlag(), fmt.Errorf("reading key %s: %w", in.who.key, err))
	}
	if d.key, err = signer.ParseMetadataKey(data); err != nil {
		return &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", in.who.key, err), next: "give the private key, in PEM: -----BEGIN PRIVATE KEY-----"}
	}
	encoded, err := d.key.PublicKey()
	if err != nil {
		return err
	}
	if d.public, err = attestation.ParseInTotoKey(encoded); err != nil {
		return err
	}
	d.by = d.public.Signer()
	d.keyID, err = d.key.ID(in.keyID)
	return err
}

// firstTime refuses a key that has signed already, under whichever id: twice would look
// like two. A signature that names the key and does not verify stays as it is, and in
// front of a new one it would be the one that in-toto's readers find.
func (d *classicDraft) firstTime() error {
	if signed, _ := d.verify(d.envelope); signed != nil {
		return &exitError{code: ExitDenied, err: fmt.Errorf("%s has signed this layout already", d.by), next: "have somebody else sign it"}
	}
	for _, form := range []string{signer.KeyIDGolang, signer.KeyIDPython} {
		id, err := d.key.ID(form)
		if err != nil {
			return err
		}
		if d.envelope.NamesKey(id) {
			return &exitError{
				code: ExitDenied, err: fmt.Errorf("%s has a signature of the key %.16s… that does not verify: the layout was changed since", d.document.name, id),
				next: "take that signature out of the file, and have everybody else who signed before sign again",
			}
		}
	}
	return nil
}

func (d *classicDraft) verify(e *attestation.Envelope) (*attestation.Signed, *attestation.Refusal) {
	return e.Verify(attestation.Trusted{Keys: []attestation.InTotoKey{d.public}, Now: d.now})
}

// sign adds the signature, and reads what came of it as a stranger would: it holds the
// same layout, one signature more than before, and this one's.
func (d *classicDraft) sign() (signed []byte, count int, err error) {
	value, err := d.key.Sign(d.envelope.Signable())
	if err != nil {
		return nil, 0, err
	}
	signed, err = d.envelope.Add(d.document.data, attestation.Added{KeyID: d.keyID, Value: value})
	if err != nil {
		return nil, 0, err
	}
	refuse := func(err error) ([]byte, int, error) {
		return nil, 0, &exitError{code: ExitDenied, err: fmt.Errorf("verifying what was signed, which was not written: %w", err)}
	}
	envelope, refused := attestation.ReadEnvelope(d.place, signed)
	if refused != nil {
		return refuse(refused)
	}
	verified, refused := d.verify(envelope)
	switch {
	case refused != nil:
		return refuse(refused)
	case envelope.Signatures() != d.envelope.Signatures()+1 || string(verified.Payload()) != string(d.envelope.Unverified()):
		return refuse(errors.New("it is read as another layout, or without a signature that there was"))
	}
	return signed, envelope.Signatures(), nil
}

// tell says what was signed, by whom, and how to ask for it.
func (d *classicDraft) tell(env Env, signatures int) error {
	lines := []string{
		"signed: " + d.document.name, fmt.Sprintf("  by %s, whose id is %.16s…", d.by, d.keyID),
		fmt.Sprintf("  in %s, which has %s now", d.place, count(signatures, "signature")),
	}
	if err := report.Prose(env.Stdout, lines); err != nil {
		return undecided("the layout was signed and written", err)
	}
	// To be copied: not broken into lines.
	if _, err := fmt.Fprintf(env.Stdout, "  verify with  %s\n", report.Clean("--layout "+d.place+" --layout-key FILE, which has its public key")); err != nil {
		return undecided("the layout was signed and written", err)
	}
	return nil
}
