package command

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// verifyInput is what the caller asks of verify.
type verifyInput struct {
	artifacts  []string
	checksums  string
	bundles    []string
	git        string
	who        signerFlags
	layout     string
	signers    signatoryFlags
	fromHead   bool
	parameters []string
	minVersion int
	step       string
	subject    string
	explain    bool
	tag        string
	classic    classicFlags
	summary    summaryFlags
	roots      rootFlags
	out        reportFlags
}

const verifyHelp = `Verify that each ARTIFACT was signed by those who must have signed it.

ARTIFACT is a file, "-" for standard input, a digest (sha256:HEX, sha384:HEX,
sha512:HEX, gitCommit:HEX, gitTree:HEX, gitTag:HEX) or an image by digest
(oci://NAME@sha256:HEX).

Say who must have signed: a layout (--layout), or in its place one identity
(--certificate-identity with --certificate-oidc-issuer), one key (--key) or those of
an allowed signers file (--allowed-signers). A commit or a tag may be its own
evidence: give the raw object as --bundle (git cat-file commit ID > ID.commit).
Without --bundle, bundles are looked for beside the artifact: ARTIFACT.sigstore.jsonl,
ARTIFACT.sigstore.json, ARTIFACT.sigstore, ARTIFACT.intoto.jsonl; and there and in
the working directory: attestation.sigstore.jsonl, attestation.sigstore.json,
commit-*.sigstore.json and commit-*.sigstore.jsonl. What authors said of the commits
that these name is looked for in the git repository that the artifact lies in: in
refs/notes/attestations, one bundle a line, and where a step takes them, the commits'
own signatures and signed tags. --git looks in another repository, and also where
--bundle is given.

Exit codes: 0 allowed, 1 denied, 2 wrong usage, 3 could not decide.`

const verifyExamples = `  # The author's word and the builder's, over one commit
  signatus verify app-linux-amd64 --layout layouts/author-and-builder.yml \
    --param repo=github.com/acme/app --param repoId=1234567 \
    --param author=alice@example.com --param workflow=release.yml

  # One workflow, no layout
  signatus verify app-linux-amd64 --bundle app-linux-amd64.sigstore.json \
    --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # A digest, on a machine without a network
  signatus verify sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
    --bundle evidence/ --layout release.yml --trusted-root trusted_root.json --offline

  # Why: what was in the queue of each rule, and what it took out
  signatus verify app-linux-amd64 --layout release.yml --explain

  # A commit by its own SSH, OpenPGP or gitsign signature, without a git binary
  signatus verify gitCommit:3f2a9c1d0e5b4a69788796a5b4c3d2e1f0918273 \
    --bundle 3f2a9c1.commit --allowed-signers allowed_signers

  # A signed tag, which must be the one that it was served as
  signatus verify gitTag:8d1c0f7e6b5a49382716f5e4d3c2b1a09f8e7d6c --tag-name v1.0.0 \
    --bundle v1.0.0.tag --key alice.gpg.asc

  # A signed layout of in-toto 1.0, its links in a folder, no artifact
  signatus verify --layout root.layout --layout-key alice.pub --link-dir links/ --param version=1.2

  # The same, and the commands of its inspections are trusted to run
  signatus verify app.tar.gz --layout root.layout --layout-key alice.pub --link-dir links/ \
    --allow-inspections --inspection-timeout 5m

  # The same, read as in-toto's own implementations do where its specification is silent
  signatus verify --layout root.layout --layout-key alice.pub --link-dir links/ --compat in-toto-1.0

  # A signed layout: by both of these, and no older than version 4
  signatus verify app-linux-amd64 --layout release.signed.jsonl --min-layout-version 4 \
    --layout-key alice.pub --layout-identity bob@example.com \
    --layout-issuer https://github.com/login/oauth

  # For whoever reviews, and for code scanning
  signatus verify app-linux-amd64 --layout release.yml --format markdown >> "$GITHUB_STEP_SUMMARY"
  signatus verify app-linux-amd64 --layout release.yml --format sarif --output signatus.sarif

  # State the verdict for others: a verification summary, signed by this job
  signatus verify app-linux-amd64 --layout release.yml --vsa app-linux-amd64.vsa.json \
    --vsa-resource https://example.com/releases/app

  # A commit, before anything is built from it
  signatus verify gitCommit:3f2a9c1d0e5b4a69788796a5b4c3d2e1f0918273 --step author \
    --layout release.yml --bundle commit-3f2a9c1d0e5b4a69788796a5b4c3d2e1f0918273.sigstore.json

  # The builder's word from a file, the author's from the notes of a clone
  git -C app fetch origin refs/notes/attestations:refs/notes/attestations
  signatus verify app-linux-amd64 --bundle app-linux-amd64.sigstore.json --git app \
    --layout release.yml`

// newVerify is the verb.
func newVerify(env Env) *cobra.Command {
	var in verifyInput
	cmd := &cobra.Command{
		Use:     "verify [ARTIFACT...]",
		Short:   "Verify artifacts against a layout, an identity or a key",
		Long:    verifyHelp,
		Example: verifyExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			in.artifacts = args
			return verify(cmd.Context(), env, in)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&in.bundles, "bundle", nil, "`FILE` or directory with bundles, JSON or JSONL, in place of those beside the artifact (repeatable)")
	flags.StringVar(&in.git, "git", "", "look for authors' words in the git repository in or around `DIR` (default: the one that the artifact lies in, unless there is --bundle)")
	flags.StringVar(&in.checksums, "checksums", "", "verify each artifact that `FILE` lists, as sha256sum or sha512sum writes it")
	flags.StringVar(&in.layout, "layout", "", "layout `FILE`: who must have signed what; an attestation layout, or a signed layout of in-toto 1.0")
	flags.BoolVar(&in.fromHead, layoutFromHead, false, "in a run for a pull request or merge group, trust the working tree's --layout, --layout-key, --key and --trusted-root, not the base commit's")
	flags.StringArrayVar(&in.parameters, "param", nil, "value `NAME=VALUE` of a layout parameter (repeatable)")
	flags.IntVar(&in.minVersion, "min-layout-version", 0, "refuse a layout whose version is below `N`")
	flags.StringVar(&in.step, "step", "", "check only the step `NAME` and what it matches")
	flags.StringVar(&in.subject, "subject-name", "", "demand that the statement calls the artifact `NAME`")
	flags.BoolVar(&in.explain, "explain", false, "tell what every artifact rule found and did; the JSON report always tells")
	flags.StringVar(&in.tag, "tag-name", "", "demand that the artifact is a signed tag of this `NAME`")
	in.signers.register(flags)
	in.classic.register(cmd)
	in.summary.register(cmd)
	in.who.register(flags)
	in.roots.register(flags)
	in.out.registerVerdict(flags)
	choices(cmd, "format", in.out.formats...)
	return cmd
}

// verify finds evidence, opens it, judges each artifact and reports.
func verify(ctx context.Context, env Env, in verifyInput) error {
	if err := in.check(env); err != nil {
		return err
	}
	parameters, err := parseParameters(in.parameters)
	if err != nil {
		return err
	}
	trusted := trustedFS(env, in.fromHead)
	document, err := in.readLayout(env.reading(trusted))
	if err != nil {
		return err
	}
	if document.classic(in.classic.given()) {
		if in.summary.file != "" {
			return usage("verify without --vsa", "--vsa goes with an attestation layout: what a classic layout binds is not stated in a summary yet")
		}
		return verifyClassic(ctx, env, classicRun{input: in, document: document, parameters: parameters, trusted: trusted})
	}
	if err := in.classic.refuse(); err != nil {
		return err
	}
	targets, err := parseTargets(env, in.artifacts, in.checksums)
	if err != nil {
		return err
	}
	roots, err := in.roots.load(ctx, env.reading(trusted))
	if err != nil {
		return err
	}
	summary, err := in.summary.prepare(ctx, env, in.roots)
	if err != nil {
		return err
	}
	doc := report.Document{Tool: env.Version, Judged: env.Now, Parameters: parameters, Warnings: roots.warnings, Roots: reportRoots(roots), Loosenings: in.loosenings()}
	demanded, findings, err := in.demand(env.reading(trusted), roots, document, &doc)
	if err != nil {
		return err
	}
	doc.Layout.Trust += trusted.origin(cmp.Or(in.layout, in.who.key, in.who.allowed))
	if len(findings) > 0 {
		doc.Verdicts = refuseAll(targets, findings)
		return in.finish(ctx, env, finishing{doc: &doc, summary: summary})
	}
	missing, err := demandedRoots(demanded, roots)
	if err != nil {
		return err
	}
	judge := &judge{env: env, in: in, layout: demanded, roots: roots, parameters: parameters, doc: &doc}
	if err := judge.openGit(); err != nil {
		return err
	}
	if err := judge.all(ctx, targets); err != nil {
		return err
	}
	if doc.Outcome() != verdict.Allowed {
		doc.Warnings = append(doc.Warnings, missing...)
	}
	return in.finish(ctx, env, finishing{doc: &doc, layout: demanded, summary: summary})
}

// finishing is a run whose verdicts stand.
type finishing struct {
	doc     *report.Document
	layout  *layout.Layout // nil where it is wrong
	summary *summarising
}

// finish states the verdicts for others, where that is asked for, and reports them.
// A verdict that does not allow decides the exit code, whatever becomes of the rest.
func (in verifyInput) finish(ctx context.Context, env Env, f finishing) error {
	unstated := f.summary.state(ctx, f.layout, f.doc)
	err := in.out.write(env, *f.doc)
	if unstated != nil && err != nil {
		env.explain(unstated)
		return err
	}
	return cmp.Or(err, unstated)
}

// check refuses flags that contradict each other or say nobody.
func (in verifyInput) check(env Env) error {
	inputs := slices.Concat(in.artifacts, in.bundles, in.roots.files, in.signers.files(), []string{in.checksums, in.layout, in.who.key, in.who.allowed})
	if err := in.out.check(inputs...); err != nil {
		return err
	}
	if err := in.summary.check(env, in); err != nil {
		return err
	}
	if in.layout == "" {
		switch {
		case len(in.parameters) > 0:
			return usage("name the layout with --layout FILE", "--param goes with --layout")
		case in.minVersion > 0:
			return usage("name the layout with --layout FILE", "--min-layout-version goes with --layout")
		case in.step != "":
			return usage("name the layout with --layout FILE", "--step goes with --layout")
		case in.signers.any():
			return usage("name the layout with --layout FILE", "--layout-key, --layout-identity, --layout-issuer and --layout-threshold go with --layout")
		}
		return in.who.check(", or name a layout with --layout FILE")
	}
	switch {
	case in.who.any():
		return usage("choose one of them", "--layout and an identity or key on the command line: a layout says by itself who must sign")
	case in.who.predicateType != "":
		return usage("leave it out", "--predicate-type goes with an identity or key: a layout says by itself which types count")
	case in.minVersion < 0:
		return usage("give the lowest version that you accept, 1 or more", "--min-layout-version is %d", in.minVersion)
	}
	return in.signers.check()
}

// loosenings are the flags given that demand less.
func (in verifyInput) loosenings() []string {
	var given []string
	if in.fromHead {
		given = append(given, "--"+layoutFromHead)
	}
	return append(given, in.summary.guards.given()...)
}

// parseParameters reads --param NAME=VALUE.
func parseParameters(given []string) (map[string]string, error) {
	parameters := map[string]string{}
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usage("write --param NAME=VALUE", "--param %s is not NAME=VALUE", p)
		}
		if _, twice := parameters[name]; twice {
			return nil, usage("give each parameter once", "--param %s is given twice", name)
		}
		parameters[name] = value
	}
	return parameters, nil
}

// layoutFile is the layout as it was found; the zero value is none.
type layoutFile struct {
	name string
	data []byte
}

// readLayout reads the layout once: it may come from a pipe.
func (in verifyInput) readLayout(env Env) (layoutFile, error) {
	if in.layout == "" {
		return layoutFile{}, nil
	}
	data, err := readLayout(env, in.layout)
	if err != nil {
		return layoutFile{}, undecided(nextAfter(err, "check --layout"), fmt.Errorf("reading layout %s: %w", in.layout, err))
	}
	return layoutFile{name: in.layout, data: data}, nil
}

// report says which layout it is, and so far only that the caller named it.
func (f layoutFile) report() report.Layout {
	sum := sha256.Sum256(f.data)
	return report.Layout{Name: f.name, SHA256: hex.EncodeToString(sum[:]), Trust: "named on the command line"}
}

// demand reads the layout, or builds the one-step layout of simple mode. What
// is wrong with a layout's content is returned as findings.
func (in verifyInput) demand(env Env, roots *loadedRoots, document layoutFile, doc *report.Document) (*layout.Layout, []verdict.Finding, error) {
	if in.layout == "" {
		l, warnings, err := in.who.layout(env, roots)
		if err != nil {
			return nil, nil, err
		}
		doc.Warnings = append(doc.Warnings, warnings...)
		doc.Layout = report.Layout{Trust: in.who.describe()}
		return l, nil, nil
	}
	doc.Layout = document.report()
	opened, finding, err := in.signers.open(env, document.data, opensLayout{name: in.layout, roots: roots})
	switch {
	case err != nil:
		return nil, nil, err
	case finding != nil:
		doc.Layout.Trust = "not taken: it is not signed as was asked"
		return nil, []verdict.Finding{*finding}, nil
	}
	doc.Layout.Trust = opened.trust
	l, findings := layout.Parse(in.layout, opened.text, env.Now)
	if l != nil {
		doc.Layout.Version, doc.Layout.Expires = l.Version(), l.Expires()
	}
	return l, findings, nil
}

// refuseAll gives every artifact the same findings: no artifact can be judged by
// a layout that is wrong. What only a newer version could read is undecided.
func refuseAll(targets []target, findings []verdict.Finding) []verdict.Verdict {
	tooNew := slices.ContainsFunc(findings, func(f verdict.Finding) bool {
		return f.ID == verdict.LayoutTooNew || f.ID == verdict.NotSupportedYet
	})
	var out []verdict.Verdict
	for _, t := range targets {
		v := verdict.Verdict{Artifact: artifact.Artifact{Given: t.given, Name: t.name, Digest: t.digest}}
		for _, f := range findings {
			if tooNew {
				v = v.Undecide(f)
			} else {
				v = v.Deny(f)
			}
		}
		out = append(out, v)
	}
	return out
}

// demandedRoots gives a warning for each root that the layout names and nobody
// loaded; it is worth telling where something is not allowed. Where none of them
// is loaded, nothing can be decided.
func demandedRoots(l *layout.Layout, roots *loadedRoots) (warnings []string, err error) {
	var missing []string
	for _, name := range l.Roots() {
		if len(roots.named(name)) == 0 {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == 0:
		return nil, nil
	case len(missing) == len(l.Roots()) && len(l.Keys()) == 0:
		return nil, undecided(fmt.Sprintf("give --trusted-root %s=FILE", missing[0]),
			fmt.Errorf("the layout trusts the root %s, which is not loaded; loaded are: %s", missing[0], strings.Join(roots.set.Names(), ", ")))
	}
	for _, name := range missing {
		warnings = append(warnings, fmt.Sprintf("no trusted root %s is loaded: functionaries under it cannot count; next: give --trusted-root %s=FILE", name, name))
	}
	return warnings, nil
}

// judge decides the artifacts of one run.
type judge struct {
	env        Env
	in         verifyInput
	layout     *layout.Layout
	roots      *loadedRoots
	parameters map[string]string
	doc        *report.Document
	clones     clones
}

// all judges each artifact alone. Bundles that the caller named serve them all
// and are opened once.
func (j *judge) all(ctx context.Context, targets []target) error {
	var shared *gathered
	if len(j.in.bundles) > 0 {
		found, err := evidence.Named(j.env.FS, j.in.bundles)
		if err != nil {
			return undecided("check --bundle", err)
		}
		if shared, err = j.gather(ctx, found, j.clones.named, objectsInHand(targets...)); err != nil {
			return err
		}
	}
	for _, t := range targets {
		g := shared
		if g == nil {
			var err error
			found := evidence.Beside(j.env.FS, t.beside)
			if g, err = j.gather(ctx, found, j.clones.of(t, &found), objectsInHand(t)); err != nil {
				return err
			}
		}
		a, err := t.hash(ctx, j.env, g.algorithms)
		if err := hashFailure(ctx, t, err); err != nil {
			return err
		}
		v := j.one(a, err, g)
		if j.doc.Verdicts = append(j.doc.Verdicts, v); !v.Allowed() {
			j.doc.Warnings = union(j.doc.Warnings, g.history.warnings())
		}
	}
	return nil
}

// gathered is evidence that has been opened.
type gathered struct {
	opened
	algorithms []artifact.Algorithm // that the subjects need, and the deny list
	history    history
}

// gather opens what was found, and then what the clone has about the commits that
// are in hand or that the opened statements name.
func (j *judge) gather(ctx context.Context, found evidence.Found, at *clone, inHand gitObjects) (*gathered, error) {
	all, err := j.open(ctx, found)
	if err != nil {
		return nil, err
	}
	g := &gathered{opened: all}
	if at != nil {
		inHand.commits = at.withTwins(union(inHand.commits, layout.Commits(all.verified)))
		noted, lacking := at.find(inHand, j.layout.AsksForObjects())
		noted.Candidates = without(noted.Candidates, found.Candidates)
		more, err := j.open(ctx, noted)
		if err != nil {
			return nil, err
		}
		g.verified, g.refused = slices.Concat(g.verified, more.verified), slices.Concat(g.refused, more.refused)
		if len(layout.Sublayouts(j.input(g.verified))) > 0 { // whose evidence may lie in either place
			both, err := openWithin(ctx, slices.Concat(found.Candidates, noted.Candidates), j.roots, j.input(nil))
			if err != nil {
				return nil, err
			}
			g.verified, g.refused = both.verified, slices.Concat(both.refused, found.Refused, noted.Refused)
		}
		g.history = at.history(union(inHand.commits, layout.Commits(more.verified)))
		g.history.lacking = lacking
	}
	g.algorithms = algorithmsOf(g.verified, j.layout)
	return g, nil
}

// open opens candidates, and tells where they were looked for.
func (j *judge) open(ctx context.Context, found evidence.Found) (opened, error) {
	for _, p := range found.Looked {
		place := report.Place{Name: p.Path, Found: p.Bundles}
		if !slices.Contains(j.doc.Searched, place) { // several artifacts share places
			j.doc.Searched = append(j.doc.Searched, place)
		}
	}
	all, err := openWithin(ctx, found.Candidates, j.roots, j.input(nil))
	all.refused = append(all.refused, found.Refused...)
	return all, err
}

// input is what is known before any artifact is judged.
func (j *judge) input(verified []*attestation.Verified) layout.Input {
	return layout.Input{Layout: j.layout, Parameters: j.parameters, Now: j.env.Now, Verified: verified}
}

// algorithmsOf lists what the artifact must be hashed with, so that it is read
// once: always SHA-256, and each other algorithm that a subject or the deny list has.
func algorithmsOf(verified []*attestation.Verified, l *layout.Layout) []artifact.Algorithm {
	needed := []artifact.Algorithm{artifact.SHA256}
	add := func(alg artifact.Algorithm) {
		hashable := alg == artifact.SHA384 || alg == artifact.SHA512
		if hashable && !slices.Contains(needed, alg) {
			needed = append(needed, alg)
		}
	}
	for _, alg := range l.DigestAlgorithms() {
		add(alg)
	}
	for _, v := range verified {
		for _, s := range v.Statement().Subjects {
			for alg := range s.Digest {
				add(alg)
			}
		}
	}
	return needed
}

// one judges one artifact. With unread, it could not be read, which is undecided:
// the others are still judged.
func (j *judge) one(a artifact.Artifact, unread error, g *gathered) verdict.Verdict {
	if unread != nil {
		return unreadArtifact(a, unread)
	}
	return layout.Check(layout.Input{
		Layout: j.layout, Parameters: j.parameters, Artifact: a, Verified: g.verified, Refused: g.refused,
		Now: j.env.Now, MinVersion: j.in.minVersion, Step: j.in.step, SubjectName: j.in.subject, TagName: j.in.tag,
		Trace: j.in.explain || j.in.out.format == "json",
		Trees: g.history.trees, Changed: g.history.changed, Fetch: g.history.fetch,
	})
}

// hashFailure is an error that ends the run; one of the artifact alone does not.
func hashFailure(ctx context.Context, t target, err error) error {
	if ctx.Err() != nil {
		return undecided("run it again", fmt.Errorf("hashing %s: %w", t.given, context.Cause(ctx)))
	}
	if bug, ok := errors.AsType[*panicError](err); ok {
		return bug
	}
	return nil
}

// unreadArtifact is the verdict about an artifact that could not be read.
func unreadArtifact(a artifact.Artifact, why error) verdict.Verdict {
	v := verdict.Verdict{Artifact: a}
	return v.Undecide(verdict.Finding{
		ID: verdict.ArtifactUnreadable, Where: a.Given, Expected: "a file that can be read", Found: why.Error(),
		Next: "check the path and its permissions",
	})
}

// reportRoots lists the trusted roots for a report.
func reportRoots(roots *loadedRoots) []report.Root {
	var out []report.Root
	for _, r := range roots.set {
		out = append(out, report.Root{Name: r.Name, Source: r.Source, SHA256: r.SHA256, Date: r.Date})
	}
	return out
}
