package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
	"github.com/signatus-dev/signatus/internal/vsa"
)

// summaryFlags say whether verify states its verdict for others, as whom and of what.
type summaryFlags struct {
	file     string
	verifier string
	resource string
	levels   []string
	who      credentialFlags
	instance instanceFlags
	guards   guardFlags
}

func (f *summaryFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "vsa", "", "state the verdict for others: append a signed verification summary (SLSA VSA v1) to `FILE`")
	flags.StringVar(&f.verifier, "vsa-verifier-id", "", "the `URI` that the summary names as verifier (default: the job's own workflow)")
	flags.StringVar(&f.resource, "vsa-resource", "", "the `URI` of the resource that the summary is about (default: pkg:generic/NAME, or the digest or image as given)")
	flags.StringArrayVar(&f.levels, "vsa-level", nil, "a `LEVEL` that the summary states of what a layout of in-toto 1.0 allows; an attestation layout grants its own (repeatable)")
	f.who.registerIdentity(flags)
	f.who.flag = "vsa-key"
	flags.StringVar(&f.who.key, "vsa-key", "", "sign the summary with a private key, a PEM `FILE`, in place of an identity")
	f.instance.registerServices(flags)
	f.guards.registerPublicLog(flags)
	choices(cmd, "oidc-flow", flowAuto, flowAmbient, flowBrowser, flowDevice)
	choices(cmd, "instance", instanceAuto, instancePublicGood, instanceGitHub, instanceCustom)
	choices(cmd, "rekor-version", "1", "2")
}

// given reports whether anything is asked that goes with a summary.
func (f *summaryFlags) given() bool {
	return f.verifier != "" || f.resource != "" || len(f.levels) > 0 || f.who.given() || f.instance.given() || f.guards.publicLog
}

// check refuses a summary that would say more than was verified, or nothing.
func (f *summaryFlags) check(env Env, in verifyInput) error {
	switch {
	case f.file == "" && f.given():
		return usage("say where the summary goes with --vsa FILE", "--vsa-verifier-id, --vsa-resource, --vsa-level, --vsa-key and the flags of who signs go with --vsa")
	case f.file == "":
		return nil
	case in.layout == "":
		return usage("name the layout with --layout FILE", "--vsa goes with --layout: a summary names the policy by its digest")
	case in.step != "":
		return usage("leave one of them out", "--vsa and --step: a summary says that the whole layout is satisfied")
	}
	for flag, text := range map[string]string{"vsa-verifier-id": f.verifier, "vsa-resource": f.resource} {
		if text != "" {
			if err := vsa.CheckURI(text); err != nil {
				return usage("give an absolute URI such as https://example.com/release-verifier", "--%s: %w", flag, err)
			}
		}
	}
	if err := vsa.CheckLevels(f.levels); err != nil {
		return usage("give levels such as SLSA_BUILD_LEVEL_3, each track once, and values of your own", "--vsa-level: %w", err)
	}
	if err := errors.Join(f.who.check(), f.instance.check()); err != nil {
		return err
	}
	if f.who.key != "" && f.verifier == "" {
		return usage("say who verifies with --vsa-verifier-id URI", "--vsa-key alone: a key has no name that a summary could give its verifier")
	}
	return f.checkFiles(env, in)
}

// checkFiles refuses a summary that would go where something else is or goes.
func (f *summaryFlags) checkFiles(env Env, in verifyInput) error {
	var files clashes
	files.reads("the artifact", in.artifacts...)
	files.reads("--bundle", in.bundles...)
	files.reads("--checksums", in.checksums)
	files.reads("--layout", in.layout)
	files.reads("--layout-key", in.signers.files()...)
	files.reads("--vsa-key", f.who.key)
	files.reads("--signing-config", f.instance.config)
	files.reads("--identity-token", f.who.token)
	files.writes("--vsa", f.file)
	files.writes("--output", in.out.output)
	if err := files.check(); err != nil {
		return err
	}
	if err := evidence.Writable(f.file); err != nil {
		return undecided("name another file with --vsa", err)
	}
	if _, err := fs.Stat(env.FS, f.file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	found, err := evidence.Named(env.FS, []string{f.file})
	if err != nil || len(found.Refused) > 0 || len(found.Candidates) == 0 {
		return &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already, and it is none of bundles", f.file), next: "name another file with --vsa: a summary is appended to bundles, and to nothing else"}
	}
	return nil
}

// summarising states the verdicts of one run. Nil states none.
type summarising struct {
	flags    summaryFlags
	env      Env
	at       instance
	who      *credential
	verifier string
}

// prepare finds out who signs, before anything is judged: nobody waits for a verdict
// that nobody can state.
func (f *summaryFlags) prepare(ctx context.Context, env Env, roots rootFlags) (*summarising, error) {
	if f.file == "" {
		return nil, nil
	}
	f.instance.roots = roots
	offer, err := f.instance.load(ctx, env, f.who.key != "")
	if err != nil {
		return nil, err
	}
	who, err := f.who.open(ctx, env, opening{offer: offer})
	if err != nil {
		return nil, err
	}
	at, err := offer.choose(who)
	if err != nil {
		return nil, err
	}
	s := &summarising{flags: *f, env: env, at: at, who: who, verifier: f.verifier}
	if err := f.guards.checkVisibility(env, guarded{who: who, at: at}); err != nil {
		return nil, err
	}
	if who.job == nil {
		if s.verifier == "" {
			return nil, usage("say who verifies with --vsa-verifier-id URI", "the summary needs a verifier's id, and who signs is no job of GitHub Actions")
		}
		return s, nil
	}
	server, err := who.job.ServerURL()
	if err != nil {
		return nil, undecided("run it in a job of GitHub Actions", err)
	}
	s.verifier = cmp.Or(s.verifier, server+"/"+who.job.JobWorkflowRef)
	return s, nil
}

// grounds are what a summary says of the policy beside its digest: the levels that are
// granted, and what the digest does not say.
type grounds struct {
	levels      []string
	relaxations []string // of a layout of in-toto 1.0
	inspections []string // that ran a command
}

// grantedBy are the grounds of each verdict by an attestation layout.
func grantedBy(l *layout.Layout) func(int) *grounds {
	return func(int) *grounds { return &grounds{levels: l.VerifiedLevels()} }
}

// grantsItsOwn refuses levels of the caller's: such a layout says itself what it grants.
func (f *summaryFlags) grantsItsOwn() error {
	if len(f.levels) == 0 {
		return nil
	}
	return usage("write them into the layout, as verifiedLevels", "--vsa-level goes with a layout of in-toto 1.0: an attestation layout grants its levels itself")
}

// state signs a summary of each verdict, opens it, and appends them all to the file.
// What is undecided has no result to state, nor has a verdict without grounds: no policy
// could be applied.
func (s *summarising) state(ctx context.Context, on func(int) *grounds, doc *report.Document) error {
	if s == nil {
		return nil
	}
	var bundles []made
	var stated []report.Summary
	for i, v := range doc.Verdicts {
		var given *grounds
		if on != nil {
			given = on(i)
		}
		if given == nil || v.Outcome() == verdict.Undecided || len(v.Artifact.Digest) == 0 {
			doc.Warnings = append(doc.Warnings, fmt.Sprintf("no verification summary of %s: nothing was decided that one could state", v.Artifact))
			continue
		}
		summary := s.summarise(given, doc, v)
		bundle, err := s.sign(ctx, v.Artifact, summary)
		if err != nil {
			return unstated(v, err)
		}
		bundles = append(bundles, bundle)
		stated = append(stated, report.Summary{
			File: s.flags.file, Artifact: v.Artifact.Given, Result: summary.Result, Resource: summary.ResourceURI,
			Levels: summary.Levels, Verifier: summary.VerifierID, Signer: bundle.verified.Signer().String(), Instance: s.at.shown(),
		})
	}
	if len(bundles) == 0 {
		return nil
	}
	if err := evidence.Append(ctx, s.flags.file, contents(bundles)...); err != nil {
		return undecided("", err)
	}
	s.env.tellFile(vsaFile, s.flags.file)
	if err := holds(s.env.FS, s.flags.file, bundles); err != nil {
		return undecided("", err)
	}
	doc.Summaries = stated
	return nil
}

// unstated says that the verdict stands and was not stated. A summary has a key flag of
// its own, and whoever gives one says who verifies.
func unstated(v verdict.Verdict, err error) error {
	what, next, known := strings.Cut(err.Error(), "; next: ")
	code := ExitUndecided
	if failed, ok := errors.AsType[*exitError](err); ok {
		if code = failed.code; !known {
			next = failed.next
		}
	}
	next = strings.NewReplacer(
		"sign with a key", "sign with --vsa-key FILE and --vsa-verifier-id URI", "no bundle was made", "the verdict stands, and no summary was written",
	).Replace(next)
	return &exitError{code: code, err: fmt.Errorf("stating the verdict on %s: %s", v.Artifact, what), next: next}
}

// summarise says what the verdict is, and nothing that was not verified: the levels
// are those that were granted, the inputs the statements that counted.
func (s *summarising) summarise(given *grounds, doc *report.Document, v verdict.Verdict) vsa.Summary {
	summary := vsa.Summary{
		VerifierID: s.verifier, VerifierVersion: map[string]string{"signatus": s.env.Version}, TimeVerified: s.env.Now,
		ResourceURI: cmp.Or(s.flags.resource, resourceOf(v.Artifact)), Result: vsa.Failed,
		Policy: vsa.Policy{
			URI: policyURI(doc.Layout.Name), Digest: artifact.DigestSet{artifact.SHA256: doc.Layout.SHA256}, Parameters: doc.Parameters,
			Relaxations: given.relaxations, Inspections: given.inspections,
		},
	}
	if v.Allowed() {
		summary.Result, summary.Levels = vsa.Passed, given.levels
	}
	for _, e := range v.Evidence {
		input := vsa.Input{Digest: artifact.DigestSet{artifact.SHA256: e.SHA256}}
		known := slices.ContainsFunc(summary.Inputs, func(other vsa.Input) bool { return other.Digest.Equal(input.Digest) })
		if used := e.Counted || !v.Allowed(); e.Verified && used && e.SHA256 != "" && !known && len(summary.Inputs) < vsa.MaxInputs {
			summary.Inputs = append(summary.Inputs, input)
		}
	}
	return summary
}

// sign makes the bundle, and reads it again as whoever relies on it would.
func (s *summarising) sign(ctx context.Context, a artifact.Artifact, summary vsa.Summary) (made, error) {
	predicate, err := vsa.Build(summary)
	if err != nil {
		return made{}, &exitError{code: ExitDenied, err: err, next: "correct --vsa-resource or --vsa-verifier-id"}
	}
	signing := &signing{env: s.env, at: s.at, who: s.who, said: said{predicateType: vsa.V1, predicate: predicate}, doc: &report.Signed{}}
	bundle, err := signing.one(ctx, planned{}, []artifact.Subject{subjectInHand(a, summary.ResourceURI)})
	if err != nil {
		if ctx.Err() != nil {
			return made{}, interrupted(ctx, "signing")
		}
		return made{}, signingError(err)
	}
	read, err := vsa.Read(vsa.V1, bundle.verified.Statement().Predicate)
	if err == nil && (read.Result != summary.Result || !slices.Equal(read.Levels, levelsOf(summary))) {
		err = errors.New("it is read as another result than was meant")
	}
	if err != nil {
		return made{}, &exitError{code: ExitDenied, err: fmt.Errorf("reading the summary that was signed, which was not written: %w", err)}
	}
	return bundle, nil
}

// levelsOf are the levels as they are written.
func levelsOf(s vsa.Summary) []string {
	if s.Result == vsa.Failed {
		return []string{vsa.Failed}
	}
	return s.Levels
}

// subjectInHand names the artifact as a statement does. A commit is known by its
// repository, which is the resource where that is one.
func subjectInHand(a artifact.Artifact, resource string) artifact.Subject {
	subject := artifact.Subject{Name: cmp.Or(a.Name, a.Given), Digest: a.Digest, Source: a.Given}
	if a.Digest[artifact.GitCommit] != "" {
		if name, err := artifact.ParseName(resource); err == nil && name.Git {
			subject.Name, subject.URI = name.Text, resource
		}
	}
	return subject
}

// resourceOf names an artifact that nobody gave a URI: a package URL without a
// registry for a file, and what the caller typed for a digest or an image.
func resourceOf(a artifact.Artifact) string {
	if vsa.CheckURI(a.Given) == nil && a.Name == "" {
		return a.Given
	}
	return "pkg:generic/" + url.PathEscape(cmp.Or(a.Name, "artifact"))
}

// policyURI is the layout's place relative to where it was verified. A path of this
// machine says nothing to others, and is left at the file's name.
func policyURI(name string) string {
	if filepath.IsAbs(name) {
		name = filepath.Base(name)
	}
	return (&url.URL{Path: filepath.ToSlash(filepath.Clean(name))}).String()
}
