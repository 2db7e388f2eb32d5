package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/signer"
)

// layoutSignInput is what the caller asks of layout sign.
type layoutSignInput struct {
	file     string
	output   string
	force    bool
	keyID    string
	who      credentialFlags
	instance instanceFlags
	guards   guardFlags
}

const layoutSignHelp = `Sign a layout, or add a signature to one that others have signed.

What is signed is the layout in JSON, without its comments; parameters stay as they
are. A key signs a DSSE envelope, an identity a Sigstore bundle, and both may stand
in one file, one a line, over the same bytes. No signature of anybody else is ever
dropped, and whoever has signed already is refused. A layout with problems is not
signed.

A layout of in-toto 1.0 is signed too, a Metablock or a DSSE envelope: where it is, with
--key alone, which may also be an RSA key.

Without --output, release.yml is signed into release.signed.jsonl, and a signed
layout is signed where it is. What is written has been verified.

  signatus verify ARTIFACT --layout release.signed.jsonl --layout-key alice.pub

Exit codes: 0 signed, 1 refused, 2 wrong usage, 3 could not be done now.`

const layoutSignExamples = `  # The first of two, with a key
  signatus layout sign release.yml --key alice.pem

  # The second, with an identity: a browser opens
  signatus layout sign release.signed.jsonl

  # A layout of in-toto 1.0, for those who verify with in-toto in Python
  signatus layout sign root.layout --key alice.pem --key-id python

  # Whoever verifies says whose signatures it takes
  signatus verify app --layout release.signed.jsonl --layout-threshold 2 --layout-key alice.pub \
    --layout-identity bob@example.com --layout-issuer https://github.com/login/oauth`

// newLayoutSign is the verb.
func newLayoutSign(env Env) *cobra.Command {
	var in layoutSignInput
	cmd := &cobra.Command{
		Use:     "sign FILE",
		Short:   "Sign a layout, or add a signature",
		Long:    layoutSignHelp,
		Example: layoutSignExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.file = args[0]
			return layoutSign(cmd.Context(), env, in)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.output, "output", "", "write the signed layout to `FILE` (default: beside the layout, as NAME.signed.jsonl)")
	flags.BoolVar(&in.force, "force", false, "begin a new signed layout where --output has one of another text")
	flags.StringVar(&in.keyID, "key-id", signer.KeyIDGolang, "how a signature of a layout of in-toto 1.0 names its key: `golang|python`, as in-toto-golang and securesystemslib before 1.0, or as that since")
	choices(cmd, "key-id", signer.KeyIDGolang, signer.KeyIDPython)
	in.who.register(flags)
	in.instance.register(flags)
	in.guards.registerPublicLog(flags)
	choices(cmd, "oidc-flow", flowAuto, flowAmbient, flowBrowser, flowDevice)
	choices(cmd, "instance", instanceAuto, instancePublicGood, instanceGitHub, instanceCustom)
	choices(cmd, "rekor-version", "1", "2")
	return cmd
}

// layoutSign reads what is to be signed and what is signed already, signs, verifies
// what came of it, and writes it in place of the old.
func layoutSign(ctx context.Context, env Env, in layoutSignInput) error {
	if err := errors.Join(in.who.check(), in.instance.check()); err != nil {
		return err
	}
	data, err := readLayout(env, in.file)
	if err != nil {
		return undecided("check the path and its permissions", fmt.Errorf("reading layout %s: %w", in.file, err))
	}
	if document := (layoutFile{name: in.file, data: data}); document.classic(false) {
		return in.signClassic(env, document)
	}
	if in.keyID != signer.KeyIDGolang {
		return usage("leave it out", "--key-id goes with a layout of in-toto 1.0, and %s is none", in.file)
	}
	draft, err := in.read(env, data)
	if err != nil {
		return err
	}
	offer, err := in.instance.load(ctx, env, in.who.key != "")
	if err != nil {
		return err
	}
	if draft.who, err = in.who.open(ctx, env, opening{offer: offer}); err != nil {
		return err
	}
	if draft.at, err = offer.choose(draft.who); err != nil {
		return err
	}
	if err := in.guards.checkVisibility(env, guarded{who: draft.who, at: draft.at}); err != nil {
		return err
	}
	signed, err := draft.sign(ctx, env)
	if err != nil {
		return err
	}
	err = report.WriteFile(draft.place, func(w io.Writer) error {
		_, err := w.Write(signed.text)
		return err
	})
	if err != nil {
		return undecided("", err) // which names the next step
	}
	return draft.tell(env, in, signed)
}

// layoutDraft is a layout on its way to one more signature.
type layoutDraft struct {
	payload []byte
	old     []byte                      // the signed file so far; empty for none
	signed  *attestation.LayoutEnvelope // the same, read; nil for none
	place   string                      // where it goes
	now     time.Time
	who     *credential
	at      instance
}

// read finds the layout's text, without a problem, and the signatures there are.
func (in layoutSignInput) read(env Env, data []byte) (_ *layoutDraft, err error) {
	d := &layoutDraft{place: in.output, now: env.Now}
	text, where, finding := layoutText(in.file, data)
	if finding != nil {
		return nil, &exitError{code: ExitDenied, err: errors.New(finding.String()), next: finding.Next}
	}
	payload, problems := layout.Payload(where, text, env.Now)
	if len(problems) > 0 {
		return nil, hasProblems(in.file, problems[0].Finding)
	}
	d.payload = payload
	if attestation.HoldsLayout(data) {
		d.payload = text // others have signed these bytes
		err = in.again(env, d, data)
	} else {
		d.place = cmp.Or(in.output, signedName(in.file))
		err = in.join(env, d)
	}
	return d, err
}

func hasProblems(file string, first fmt.Stringer) error {
	return &exitError{
		code: ExitDenied, err: fmt.Errorf("the layout has problems, the first is %s", first),
		next: "see them all with  signatus layout lint " + file,
	}
}

// signedLayout is what came of it.
type signedLayout struct {
	text   []byte
	result *signer.Result
	by     attestation.LayoutSigner
	count  int
}

// sign adds the signature, and opens what came of it as a stranger would.
func (d *layoutDraft) sign(ctx context.Context, env Env) (*signedLayout, error) {
	if d.who.key != nil {
		by, err := d.who.key.Signer()
		if err != nil {
			return nil, err
		}
		if err := d.firstTime(by); err != nil {
			return nil, err
		}
	}
	s := &signing{env: env, at: d.at, who: d.who}
	result, err := signer.Sign(ctx, signer.Request{
		Content: signer.Statement(d.payload), Services: d.at.services,
		Token: d.who.source(), Key: d.who.key, CheckCertificate: d.checkCertificate(),
	}, signer.Options{HTTP: env.HTTP, Now: env.Now, UserAgent: "signatus/" + env.Version, Again: s.again})
	if ctx.Err() != nil {
		return nil, interrupted(ctx, "signing")
	}
	if refused, ok := errors.AsType[*exitError](err); ok { // by firstTime, with a next step of its own
		return nil, refused
	}
	if err != nil {
		return nil, signingError(err)
	}
	text, err := d.add(result.Bundle)
	if err != nil {
		return nil, err
	}
	signed := &signedLayout{text: text, result: result}
	if err := d.verify(signed); err != nil {
		return nil, &exitError{
			code: ExitDenied, err: fmt.Errorf("verifying what was signed, which was not written: %w", err),
			next: "give the trusted root of the instance that signs with --trusted-root FILE",
		}
	}
	return signed, nil
}

// checkCertificate also refuses whoever has signed already, before it is logged again.
func (d *layoutDraft) checkCertificate() func(identity.Signer) error {
	expected := d.who.checkCertificate()
	if expected == nil {
		return nil
	}
	return func(s identity.Signer) error {
		if err := expected(s); err != nil {
			return err
		}
		return d.firstTime(s)
	}
}

// firstTime refuses somebody who has signed already: twice would look like two.
func (d *layoutDraft) firstTime(by identity.Signer) error {
	if d.signed == nil {
		return nil
	}
	who, err := d.asked(by)
	if err != nil {
		return err
	}
	if signed, _ := d.signed.Open(who); signed != nil {
		return &exitError{code: ExitDenied, err: fmt.Errorf("%s has signed this layout already", by), next: "have somebody else sign it"}
	}
	return nil
}

// asked is what a stranger asks for who wants this signer's signature.
func (d *layoutDraft) asked(by identity.Signer) (attestation.Signatories, error) {
	who := attestation.Signatories{All: []attestation.Signatory{{Identity: by.SAN, Issuer: by.Issuer}}, Threshold: 1, Roots: d.at.roots.ready, Now: d.now}
	if by.Key != "" {
		key, err := d.who.publicKey()
		if err != nil {
			return who, err
		}
		who.All = []attestation.Signatory{{Key: &key}}
	}
	return who, nil
}

// verify reads the new file as a stranger would: it holds the layout, one signature
// more than before, and this one's.
func (d *layoutDraft) verify(signed *signedLayout) error {
	envelope, refused := attestation.ReadLayoutEnvelope(d.place, signed.text)
	if refused != nil {
		return refused
	}
	before := 0
	if d.signed != nil {
		before = d.signed.Signatures()
	}
	if signed.count = envelope.Signatures(); signed.count != before+1 {
		return fmt.Errorf("it has %s, expected %d", count(signed.count, "signature"), before+1)
	}
	who, err := d.asked(signed.result.Signer)
	if err != nil {
		return err
	}
	opened, finding := envelope.Open(who)
	if finding != nil {
		return errors.New(finding.String())
	}
	if string(opened.Payload()) != string(d.payload) {
		return errors.New("it is read as another layout")
	}
	signed.by = opened.Signers()[0]
	return nil
}

// tell says what was signed, by whom, and how to ask for it.
func (d *layoutDraft) tell(env Env, in layoutSignInput, signed *signedLayout) error {
	by := "by " + signed.by.Signer.String()
	if signed.by.Root != "" {
		by += ", under the root " + signed.by.Root
	}
	lines := []string{fmt.Sprintf("signed: %s", in.file), "  " + by, fmt.Sprintf("  in %s, which has %s now", d.place, count(signed.count, "signature"))}
	for _, e := range signed.result.Entries {
		lines = append(lines, fmt.Sprintf("  logged at %s, index %d", e.Log, e.Index))
	}
	ask := d.at.shell([]string{"--layout", d.place}) + " --layout-key FILE, which has its public key"
	if signed.by.Signer.Key == "" {
		ask = d.at.shell([]string{"--layout", d.place, "--layout-identity", signed.by.Signer.SAN, "--layout-issuer", signed.by.Signer.Issuer})
	}
	notes := append(d.at.warnings(), in.guards.given()...)
	if instance := d.at.line(); instance != "" {
		notes = append([]string{instance}, notes...)
	}
	for _, note := range notes {
		lines = append(lines, "  note: "+note)
	}
	if err := report.Prose(env.Stdout, lines); err != nil {
		return undecided("the layout was signed and written", err)
	}
	// To be copied: not broken into lines.
	if _, err := fmt.Fprintf(env.Stdout, "  verify with  %s\n", report.Clean(ask)); err != nil {
		return undecided("the layout was signed and written", err)
	}
	return nil
}
