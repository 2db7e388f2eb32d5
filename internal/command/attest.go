package command

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
)

// attestInput is what the caller asks of attest.
type attestInput struct {
	subjects  subjectFlags
	registry  registryFlags
	says      predicateFlags
	who       credentialFlags
	instance  instanceFlags
	out       outputFlags
	report    reportFlags
	guards    guardFlags
	suggested string
}

const attestHelp = `Sign build outputs with the workflow's own identity, or a commit with its author's.

PATH is a file or a glob: * and ? stay within a folder, ** crosses folders. --image
reads an image in its registry, and of an index its images too. What is signed is a
statement about them:

  SLSA provenance   by default, from the claims of the job's identity token, which
                    are held against the certificate before anything is logged
  an in-toto link   with --step NAME, and for a commit by default (step author)
  what is in it     with --sbom FILE, a bill of materials
  any predicate     with --predicate FILE --predicate-type URI

In a job of GitHub Actions with "permissions: id-token: write" the job signs. For
people a browser opens, or with --oidc-flow device another device does; --key signs
with a private key and without a network.

A job of a public repository signs with the public-good Sigstore instance, whose logs
anybody can read, and that of any other with GitHub's own, which has none. --instance
names one of the two, --signing-config and --trusted-root name another.

A bundle is appended to PATH.sigstore.jsonl, where verify finds it; several files
share attestation.sigstore.jsonl, and a commit's is commit-ID.sigstore.json. --store
names other places, also several: a folder, a commit's note in refs/notes/attestations,
which --push takes to a remote, GitHub's attestations, an image's registry, a release.
It is opened and verified before it is kept anywhere: what does not verify is not.

Exit codes: 0 signed, 1 refused, 2 wrong usage, 3 could not be done now.`

const attestExamples = `  # In a workflow: what it built, with SLSA provenance
  signatus attest dist/app-linux-amd64
  signatus attest 'dist/*' --suggest-layout release.yml

  # The author's word on a commit
  signatus attest --commit HEAD
  signatus attest --commit v1.2.0 --repo https://github.com/acme/app --oidc-flow device

  # The same, kept in the repository and sent to its remote, where verify finds it
  signatus attest --commit HEAD --store notes --push

  # An image in its registry; of an index also the image of each platform
  signatus attest --image ghcr.io/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

  # The same, kept in the registry and at GitHub, and in a file too
  signatus attest --image ghcr.io/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
    --store oci --store github --store file

  # Beside the files of a release, an asset for each of them
  signatus attest 'dist/*' --store release=v1.2.0 --one-per-subject

  # An image that is not read, and its SBOM
  signatus attest --subject ghcr.io/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
    --sbom bom.json

  # In a public repository, without a log
  signatus attest dist/app --instance github

  # With a Sigstore of one's own
  signatus attest dist/app --signing-config signing_config.json --trusted-root trusted_root.json

  # Anything else that is true of a file
  signatus attest dist/app --predicate result.json --predicate-type https://in-toto.io/attestation/test-result/v0.1

  # By which layout a delivery was made: a sublayout of whoever takes it
  signatus attest library-2.1.0.tar.gz --predicate vendor.yml --predicate-type layout

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
	in.registry.register(flags)
	in.says.register(flags)
	in.who.register(flags)
	in.instance.register(flags)
	in.out.register(flags)
	in.guards.register(flags)
	flags.StringVar(&in.suggested, "suggest-layout", "", "write to `FILE` the layout that would allow what was signed, by its signer and nobody else")
	in.report.register(flags)
	choices(cmd, "oidc-flow", flowAuto, flowAmbient, flowBrowser, flowDevice)
	choices(cmd, "store", stores()...)
	choices(cmd, "build-type", "github", "community")
	choices(cmd, "instance", instanceAuto, instancePublicGood, instanceGitHub, instanceCustom)
	choices(cmd, "rekor-version", "1", "2")
	choices(cmd, "format", "text", "json")
	return cmd
}

// attest finds what it needs, learns who signs, says what is true of the subjects,
// signs, verifies what it made, writes it and reports. What can be wrong on this side
// is found before anybody is asked: what a log has seen cannot be taken back.
func attest(ctx context.Context, env Env, in attestInput) error {
	if err := in.check(); err != nil {
		return err
	}
	if skipped, err := in.preflight(env); skipped || err != nil {
		return err
	}
	found, err := in.subjects.find(ctx, env, in.registry)
	if err != nil {
		return err
	}
	ready, err := in.says.read(env, found.commit)
	if err != nil {
		return err
	}
	plan, err := in.out.plan(env, found)
	if err != nil {
		return err
	}
	if err := in.checkFiles(env, using{found: found, byproducts: ready.byproducts, plan: plan}); err != nil {
		return err
	}
	keeping, err := in.out.keeping(env, storing{found: found, plan: plan, registry: in.registry, repo: in.subjects.repo})
	if err != nil {
		return err
	}
	if err := keeping.check(ctx); err != nil {
		return err
	}
	offer, err := in.instance.load(ctx, env, in.who.key != "")
	if err != nil {
		return err
	}
	who, err := in.who.open(ctx, env, opening{offer: offer, claims: ready.provenance})
	if err != nil {
		return err
	}
	at, err := offer.choose(who)
	if err != nil {
		return err
	}
	doc := report.Signed{Tool: env.Version, At: env.Now, Instance: at.shown(), Notes: slices.Concat(found.notes, who.notes()), Loosenings: in.guards.given(), Warnings: at.warnings()}
	defer env.tell(&doc)
	head, err := in.guards.check(env, guarded{who: who, at: at, commit: found.commit}, &doc)
	if err != nil {
		return err
	}
	subjects, err := found.hash(ctx, env)
	if err != nil {
		return err
	}
	said, err := ready.predicate(env, saying{who: who, otherHead: head, sha512: in.subjects.sha512})
	if err != nil {
		return err
	}
	signing := &signing{env: env, at: at, who: who, said: said, doc: &doc}
	signed, err := signing.all(ctx, plan, subjects)
	if err != nil {
		return err
	}
	failed := signing.keep(ctx, keeping, signed)
	unsuggested := in.suggest(env, signing, signed) // what was signed is to be reported, whatever failed
	return together(failed, unsuggested, in.report.signed(env, doc))
}

// check refuses flags that contradict each other.
func (in attestInput) check() error {
	if err := in.report.check(); err != nil {
		return err
	}
	for _, check := range []func() error{in.checkRemote, in.subjects.check, in.who.check, in.instance.check, in.out.check, in.registry.check} {
		if err := check(); err != nil {
			return err
		}
	}
	if in.out.force && in.out.bundle == "" && in.suggested == "" {
		return usage("leave it out: elsewhere bundles are appended", "--force goes with --bundle or --suggest-layout")
	}
	if err := in.checkStores(); err != nil {
		return err
	}
	if in.guards.otherHead && (in.subjects.commit != "" || in.says.step != "" || in.says.custom()) {
		return usage("leave it out", "--allow-other-head goes with SLSA provenance, which records the other commit")
	}
	if in.suggested != "" && in.guards.otherHead {
		return usage("leave one of them out", "--suggest-layout and --allow-other-head: a bundle with another head cannot pass a layout that joins on the commit")
	}
	return in.says.check(in.subjects.commit != "")
}

// using are the files of a run that are not flags as they stand.
type using struct {
	found      foundSubjects
	byproducts []artifact.File
	plan       []planned
}

// checkFiles refuses files that could not be written, that nobody means to lose, or
// that are something else already.
func (in attestInput) checkFiles(env Env, u using) error {
	var files clashes
	for _, f := range u.found.files {
		files.reads("the artifact", f.Path)
	}
	for _, f := range u.byproducts {
		files.reads("--byproduct", f.Path)
	}
	files.reads("--checksums", in.subjects.checksums...)
	files.reads("--predicate", in.says.predicateFile())
	files.reads("--sbom", in.says.sbom)
	files.reads("--vars", in.says.vars)
	files.reads("--signing-config", in.instance.config)
	files.reads("--identity-token", in.who.token)
	files.reads("--key", in.who.key)
	files.reads("--push-token", in.out.stores.token)
	files.reads("--registry-password-file", in.registry.passwordFile)
	for _, r := range in.instance.roots.files {
		_, file, named := strings.Cut(r, "=")
		if !named {
			file = r
		}
		files.reads("--trusted-root", file)
	}
	for _, p := range u.plan {
		files.writes(bundleFile, p.place.path, p.place.next)
	}
	files.writes("--suggest-layout", in.suggested)
	files.writes("--output", in.report.output)
	if err := files.check(); err != nil {
		return err
	}
	for flag, file := range map[string]string{"suggest-layout": in.suggested, "output": in.report.output} {
		switch {
		case file == "":
		case artifact.IsBundle(filepath.Base(file)):
			return usage("choose another name", "--%s %s has the name of a file of bundles", flag, file)
		default:
			if err := in.checkFile(env, flag, file); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in attestInput) checkFile(env Env, flag, file string) error {
	if _, err := fs.Stat(env.FS, filepath.Dir(file)); err != nil {
		return undecided("make the folder "+filepath.Dir(file)+" first", fmt.Errorf("writing --%s %s: %w", flag, file, artifact.Cause(err)))
	}
	if _, err := fs.Stat(env.FS, file); err == nil && flag == "suggest-layout" && !in.out.force {
		return &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already, and it may be a layout that somebody relies on", file), next: "name another file with --suggest-layout, or replace it with --force"}
	}
	return nil
}

// suggest writes the layout that would allow what was signed.
func (in attestInput) suggest(env Env, s *signing, bundles []made) error {
	if in.suggested == "" {
		return nil
	}
	data, err := s.layout(env, bundles, in.suggested)
	if err == nil {
		err = report.WriteFile(in.suggested, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
	if err != nil {
		return undecided("write it by hand: docs/layout.md", fmt.Errorf("everything is signed and written but the layout; %w", err))
	}
	s.doc.Layout, s.doc.LayoutText = in.suggested, string(data)
	return nil
}

// layout makes the layout, and demands that it allows every subject.
func (s *signing) layout(env Env, bundles []made, file string) ([]byte, error) {
	public, err := s.who.public()
	if err != nil {
		return nil, err
	}
	first := bundles[0].verified
	suggestion := layout.Suggestion{
		Signer: first.Signer(), Key: public, Root: first.Root(), PredicateType: s.said.predicateType, Step: s.said.step,
		Expires: env.Now.AddDate(1, 0, 0), Now: env.Now, Verify: s.verifyWith(bundles[0], file),
	}
	if report.Clean(suggestion.Verify) != suggestion.Verify {
		suggestion.Verify = "" // a file's name cannot be shown
	}
	for _, b := range bundles {
		suggestion.Subjects = append(suggestion.Subjects, b.subjects...)
	}
	data, err := layout.Suggest(suggestion)
	if err != nil {
		return nil, err
	}
	return data, s.checkLayout(data, bundles)
}

// interrupted is what the caller ended.
func interrupted(ctx context.Context, doing string) error {
	return undecided("run it again; nothing was written", fmt.Errorf("%s: interrupted: %w", doing, context.Cause(ctx)))
}
