package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/signer"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// newConformance speaks the protocol of sigstore-conformance, which tests
// clients by running them.
// Source: https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md
func newConformance(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "conformance",
		Short:  "Answer the sigstore-conformance test suite",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage("signatus conformance --help", "conformance needs a command: sign-bundle or verify-bundle")
		},
	}
	cmd.AddCommand(newSignBundle(env), newVerifyBundle(env))
	return cmd
}

// bundleInput is what verify-bundle is asked.
type bundleInput struct {
	bundle  string
	who     signerFlags
	roots   rootFlags
	staging bool
}

func newVerifyBundle(env Env) *cobra.Command {
	var in bundleInput
	cmd := &cobra.Command{
		Use:   "verify-bundle --bundle FILE (--certificate-identity SAN --certificate-oidc-issuer URL | --key FILE) FILE_OR_DIGEST",
		Short: "Verify one bundle over one file or digest",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return verifyBundle(cmd.Context(), env, in, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.bundle, "bundle", "", "the bundle `FILE`")
	flags.BoolVar(&in.staging, "staging", false, "use the staging instance; needs --trusted-root, as none is embedded")
	in.who.registerIdentity(flags)
	in.roots.register(flags)
	return cmd
}

// verifyBundle is simple mode with every predicate type. It says nothing on
// success: the exit code is the answer.
func verifyBundle(ctx context.Context, env Env, in bundleInput, subject string) error {
	if in.bundle == "" {
		return usage("give --bundle FILE", "no bundle")
	}
	if in.staging && len(in.roots.files) == 0 {
		return undecided("give --trusted-root FILE", errors.New("the staging instance's trusted root is not embedded"))
	}
	if err := in.who.check(""); err != nil {
		return err
	}
	roots, err := in.roots.load(ctx, env)
	if err != nil {
		return err
	}
	l, err := in.layout(env, roots)
	if err != nil {
		return err
	}
	found, err := evidence.Named(env.FS, []string{in.bundle})
	if err != nil {
		return undecided("check --bundle", err)
	}
	all, err := openAll(ctx, found.Candidates, roots, demandsOf(l))
	if err != nil {
		return err
	}
	a, err := bundleTarget(env, subject).hash(ctx, env, algorithmsOf(all.verified, l))
	if err != nil {
		return undecided("check the file", fmt.Errorf("reading %s: %w", subject, err))
	}
	v := layout.Check(layout.Input{Layout: l, Artifact: a, Verified: all.verified, Refused: append(all.refused, found.Refused...), Now: env.Now})
	return answer(v)
}

// layout demands one signer, any predicate type, and for a key also what the
// trusted root demands: the suite counts a missing log entry as a failure.
func (in bundleInput) layout(env Env, roots *loadedRoots) (*layout.Layout, error) {
	options := layout.SimpleOptions{Identity: in.who.identity, Issuer: in.who.issuer, Roots: roots.set.Names(), AnyPredicate: true}
	if in.who.key != "" {
		key, err := in.who.readKey(env)
		if err != nil {
			return nil, err
		}
		options.Key, options.KeyRoot = &key, roots.set.Names()[0]
	}
	l, err := layout.Simple(options)
	if err != nil {
		return nil, usage("write the exact identity and issuer", "%w", err)
	}
	return l, nil
}

// bundleTarget reads FILE_OR_DIGEST: "sha256:" and 64 hex digits, unless a file
// of that name exists. Beyond the protocol, the other algorithms are read too:
// npm's statements have a sha512 and nothing else.
func bundleTarget(env Env, subject string) target {
	set, err := artifact.ParseDigest(subject)
	if _, statErr := fs.Stat(env.FS, subject); err == nil && statErr != nil {
		return target{given: subject, digest: set}
	}
	return target{given: subject, path: subject}
}

// answer turns a verdict into the exit code, with the findings on stderr.
func answer(v verdict.Verdict) error {
	if v.Allowed() {
		return nil
	}
	code := ExitDenied
	if v.Outcome() == verdict.Undecided {
		code = ExitUndecided
	}
	var why []string
	for _, f := range v.Findings {
		why = append(why, f.String())
	}
	return &exitError{code: code, err: fmt.Errorf("%s: %s", v.Outcome(), strings.Join(why, "; "))}
}

// signInput is what sign-bundle is asked.
type signInput struct {
	bundle   string
	token    string
	inToto   bool
	staging  bool
	instance instanceFlags
}

func newSignBundle(env Env) *cobra.Command {
	var in signInput
	cmd := &cobra.Command{
		Use:   "sign-bundle --identity-token TOKEN --bundle OUT [--in-toto] FILE",
		Short: "Sign one file, or the in-toto statement in it, into one bundle",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return signBundle(cmd.Context(), env, in, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.bundle, "bundle", "", "write the bundle to `OUT`, in place of what is there")
	flags.StringVar(&in.token, "identity-token", "", "the identity `TOKEN`, a JWT, or a file with one")
	flags.BoolVar(&in.inToto, "in-toto", false, "the file is an in-toto statement: sign it in a DSSE envelope")
	flags.BoolVar(&in.staging, "staging", false, "use the staging instance; needs --signing-config and --trusted-root, as none is embedded")
	in.instance.register(flags)
	return cmd
}

// signBundle signs what it is given and says nothing on success. The suite signs
// what it likes, so that neither attest's guards nor its subjects apply; what does
// not verify is not written here either.
func signBundle(ctx context.Context, env Env, in signInput, file string) error {
	if in.bundle == "" || in.token == "" {
		return usage("give --bundle OUT and --identity-token TOKEN", "no bundle or no identity token")
	}
	if in.staging && (in.instance.config == "" || len(in.instance.roots.files) == 0) {
		return undecided("give --signing-config FILE and --trusted-root FILE", errors.New("the staging instance is not embedded"))
	}
	if err := in.instance.check(); err != nil {
		return err
	}
	content, err := in.content(ctx, env, file)
	if err != nil {
		return err
	}
	offer, err := in.instance.load(ctx, env, false)
	if err != nil {
		return err
	}
	from := credentialFlags{token: in.token, flow: flowAuto, client: defaultAudience}
	who, err := from.open(ctx, env, opening{offer: offer})
	if err != nil {
		return err
	}
	at, err := offer.choose(who)
	if err != nil {
		return err
	}
	signing := &signing{env: env, at: at, who: who}
	result, _, err := signing.sign(ctx, content)
	if err != nil {
		return signingError(err)
	}
	if err := evidence.Replace(in.bundle, result.Bundle); err != nil {
		return undecided("", err)
	}
	return nil
}

// content is the file's digest, or the statement that it holds.
func (in signInput) content(ctx context.Context, env Env, file string) (signer.Content, error) {
	if !in.inToto {
		a, err := target{given: file, path: file}.hash(ctx, env, []artifact.Algorithm{artifact.SHA256})
		if err != nil {
			return signer.Content{}, undecided("check the file", fmt.Errorf("reading %s: %w", file, err))
		}
		return signer.Message(a.Digest), nil
	}
	data, err := evidence.Read(env.FS, file, attestation.MaxStatementSize)
	if err != nil {
		return signer.Content{}, undecided("check the file", fmt.Errorf("reading %s: %w", file, err))
	}
	return signer.Statement(data), nil
}
