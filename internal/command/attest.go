package command

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
)

// attestInput is what the caller asks of attest.
type attestInput struct {
	subjects  subjectFlags
	says      predicateFlags
	who       credentialFlags
	instance  instanceFlags
	out       outputFlags
	report    reportFlags
	guards    guardFlags
	suggested string
}

const attestHelp = `Sign build outputs with the workflow's own identity, or a commit with its author's.

PATH is a file or a glob: * and ? stay within a folder, ** crosses folders. What is
signed is a statement about them:

  SLSA provenance   by default, from the claims of the job's identity token, which
                    are held against the certificate before anything is logged
  an in-toto link   with --step NAME, and for a commit by default (step author)
  any predicate     with --predicate FILE --predicate-type URI

In a job of GitHub Actions with "permissions: id-token: write" the job signs. For
people a browser opens, or with --oidc-flow device another device does; --key signs
with a private key and without a network.

A bundle is appended to PATH.sigstore.jsonl, where verify finds it; several files
share attestation.sigstore.jsonl, and a commit's is commit-ID.sigstore.json. It was
opened and verified by then: what does not verify is not written.

Exit codes: 0 signed, 1 refused, 2 wrong usage, 3 could not be done now.`

const attestExamples = `  # In a workflow: what it built, with SLSA provenance
  signatus attest dist/app-linux-amd64
  signatus attest 'dist/*' --suggest-layout release.yml

  # The author's word on a commit
  signatus attest --commit HEAD
  signatus attest --commit v1.2.0 --repo https://github.com/acme/app --oidc-flow device

  # An image and an SBOM
  signatus attest --subject ghcr.io/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
    --predicate bom.json --predicate-type https://cyclonedx.org/bom

  # A list of checksums, with a key, on a machine without a network
  signatus attest --checksums SHA256SUMS --key release.pem --step build`

// newAttest is the verb.
func newAttest(env Env) *cobra.Command {
	var in attestInput
	cmd := &cobra.Command{
		Use:     "attest [PATH|GLOB...]",
		Short:   "Sign build outputs or a commit",
		Long:    attestHelp,
		Example: attestExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			in.subjects.patterns = args
			return attest(cmd.Context(), env, in)
		},
	}
	flags := cmd.Flags()
	in.subjects.register(flags)
	in.says.register(flags)
	in.who.register(flags)
	in.instance.register(flags)
	in.out.register(flags)
	in.guards.register(flags)
	flags.StringVar(&in.suggested, "suggest-layout", "", "write to `FILE` the layout that would allow what was signed, and nobody else's")
	in.report.register(flags)
	return cmd
}

// attest finds the subjects, learns who signs, says what is true of them, signs,
// verifies what it made, writes it and reports.
func attest(ctx context.Context, env Env, in attestInput) error {
	if err := in.check(); err != nil {
		return err
	}
	found, err := in.subjects.find(env)
	if err != nil {
		return err
	}
	at, err := in.instance.load(ctx, env, in.who.key != "")
	if err != nil {
		return err
	}
	who, err := in.who.open(ctx, env, at)
	if err != nil {
		return err
	}
	doc := report.Signed{Tool: env.Version, At: env.Now, Notes: slices.Concat(found.notes, who.notes()), Loosenings: in.guards.given(), Warnings: at.warnings()}
	defer env.tell(&doc)
	head, err := in.guards.check(env, guarded{who: who, at: at, commit: found.commit}, &doc)
	if err != nil {
		return err
	}
	subjects, err := found.hash(ctx, env)
	if err != nil {
		return err
	}
	said, err := in.says.predicate(env, saying{who: who, commit: found.commit, otherHead: head, sha512: in.subjects.sha512})
	if err != nil {
		return err
	}
	statements, err := in.out.plan(env, found, subjects)
	if err != nil {
		return err
	}
	signing := &signing{env: env, at: at, who: who, said: said, doc: &doc}
	signed, err := signing.all(ctx, statements)
	if err != nil {
		return err
	}
	suggested, err := in.suggest(env, signing, signed)
	if err != nil {
		return err
	}
	if err := signing.write(ctx, signed); err != nil {
		return err
	}
	if err := in.writeLayout(suggested, &doc); err != nil {
		return err
	}
	return in.report.signed(env, doc)
}

// check refuses flags that contradict each other.
func (in attestInput) check() error {
	inputs := slices.Concat(in.subjects.patterns, in.subjects.checksums, in.instance.roots.files, in.says.byproducts, []string{in.says.predicateFile, in.instance.config, in.who.key})
	if err := in.report.check(inputs...); err != nil {
		return err
	}
	for flag, file := range map[string]string{"bundle": in.out.bundle, "suggest-layout": in.suggested} {
		if file != "" && slices.Contains(inputs, file) {
			return usage("choose another place for it", "--%s %s would overwrite an input", flag, file)
		}
	}
	if in.out.bundle != "" && in.out.bundle == in.suggested {
		return usage("choose two files", "--bundle and --suggest-layout name one file")
	}
	for _, check := range []func() error{in.subjects.check, in.who.check, in.instance.check, in.out.check} {
		if err := check(); err != nil {
			return err
		}
	}
	if in.suggested != "" && in.guards.otherHead {
		return usage("leave one of them out", "--suggest-layout and --allow-other-head: a bundle with another head cannot pass a layout that joins on the commit")
	}
	return in.says.check(in.subjects.commit != "")
}

// suggest makes the layout that would allow what was signed.
func (in attestInput) suggest(env Env, s *signing, bundles []made) ([]byte, error) {
	if in.suggested == "" {
		return nil, nil
	}
	public, err := s.who.public()
	if err != nil {
		return nil, err
	}
	first := bundles[0].verified
	suggestion := layout.Suggestion{
		Signer: first.Signer(), Key: public, Root: first.Root(), PredicateType: s.said.predicateType, Step: s.said.step,
		Expires: env.Now.AddDate(1, 0, 0), Now: env.Now,
	}
	for _, b := range bundles {
		suggestion.Subjects = append(suggestion.Subjects, b.subjects...)
	}
	data, err := layout.Suggest(suggestion)
	if err != nil {
		return nil, &exitError{code: ExitDenied, err: err, next: "leave --suggest-layout out, and write the layout by hand: docs/layout.md"}
	}
	return data, s.checkLayout(data, bundles)
}

// writeLayout puts the suggested layout into its file.
func (in attestInput) writeLayout(data []byte, doc *report.Signed) error {
	if data == nil {
		return nil
	}
	doc.Layout = in.suggested
	err := report.WriteFile(in.suggested, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return undecided("", fmt.Errorf("the bundles were written; %w", err))
	}
	return nil
}

// interrupted is what the caller ended.
func interrupted(ctx context.Context, doing string) error {
	return undecided("run it again; nothing was written", fmt.Errorf("%s: interrupted: %w", doing, context.Cause(ctx)))
}
