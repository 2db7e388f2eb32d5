package command

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

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
	from       fromFlags
	who        signerFlags
	passed     []string // what globs passed over, as warnings
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

ARTIFACT is a file or a glob as attest has them, "-" for standard input, a digest
(sha256:HEX, sha384:HEX, sha512:HEX, gitCommit:HEX, gitTree:HEX, gitTag:HEX) or an
image by digest (oci://NAME@sha256:HEX).

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
own signatures and signed tags, and gittuf's refs/gittuf/attestations. --git looks in
another repository, and also where --bundle is given. With --from, bundles are fetched
too: those that GitHub keeps as attestations of the repository, the assets of a
release, or what an image's registry says refers to it. The token for GitHub is that
of GH_TOKEN or GITHUB_TOKEN; a public repository needs none. Nothing that is fetched is believed more than a file.

Exit codes: 0 allowed, 1 denied, 2 wrong usage, 3 could not decide.`

const verifyExamples = `  # The author's word and the builder's, over one commit
  signatus verify app-linux-amd64 --layout layouts/author-and-builder.yml \
    --param repo=github.com/acme/app --param repoId=1234567 \
    --param author=alice@example.com --param workflow=release.yml

  # One workflow, no layout
  signatus verify app-linux-amd64 --bundle app-linux-amd64.sigstore.json \
    --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # An image, by the bundles that its registry keeps with it
  signatus verify oci://ghcr.io/acme/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
    --from oci --layout release.yml

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

  # From GitHub: its attestations of the repository, and the assets of a release
  signatus verify app-linux-amd64 --from github --repo acme/app --layout release.yml
  signatus verify app-linux-amd64 --from release=v1.2.0 --repo acme/app --layout release.yml

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
	in.from.register(cmd)
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
	if in.artifacts, in.passed, err = expand(env, in.artifacts); err != nil {
		return err
	}
	trusted := trustedFS(env, in.fromHead)
	document, err := in.readLayout(env.reading(trusted))
	if err != nil {
		return err
	}
	if document.classic(in.classic.given()) {
		return verifyClassic(ctx, env, classicRun{input: in, document: document, parameters: parameters, trusted: trusted})
	}
	if err := cmp.Or(in.classic.refuse(), in.summary.grantsItsOwn()); err != nil {
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
	doc := report.Document{Tool: env.Version, Judged: env.Now, Parameters: parameters, Warnings: slices.Concat(in.passed, roots.warnings), Roots: reportRoots(roots), Loosenings: in.loosenings()}
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
	judge := &judge{env: env, in: in, layout: demanded, roots: roots, parameters: parameters, doc: &doc, said: map[string]evidence.Found{}}
	if err := judge.openGit(); err != nil {
		return err
	}
	if judge.stores, err = in.from.open(env, in.git, in.who.predicateType); err != nil {
		return err
	}
	registries, err := in.from.openRegistry(env, targets)
	if err != nil {
		return err
	}
	judge.stores = append(judge.stores, registries...)
	if err := judge.all(ctx, targets); err != nil {
		return err
	}
	if doc.Outcome() != verdict.Allowed {
		doc.Warnings = append(doc.Warnings, missing...)
	}
	return in.finish(ctx, env, finishing{doc: &doc, grounds: grantedBy(demanded), summary: summary, draw: in.drawing(demanded)})
}

// drawing draws the layout; nil where the caller has named none.
func (in verifyInput) drawing(l *layout.Layout) report.Drawing {
	if in.layout == "" {
		return nil
	}
	return l.Describe().Drawn
}

// finishing is a run whose verdicts stand.
type finishing struct {
	doc     *report.Document
	grounds func(verdict int) *grounds // of a summary of each; nil where the layout is wrong
	summary *summarising
	draw    report.Drawing // nil where there is no layout to draw
}

// finish states the verdicts for others, where that is asked for, and reports them.
// A verdict that does not allow decides the exit code, whatever becomes of the rest.
func (in verifyInput) finish(ctx context.Context, env Env, f finishing) error {
	unstated := f.summary.state(ctx, f.grounds, f.doc)
	env.tellVerdicts(*f.doc, f.draw)
	err := in.out.write(env, *f.doc)
	if unstated != nil && err != nil {
		env.explain(unstated)
		return err
	}
	return cmp.Or(err, unstated)
}

// check refuses flags that contradict each other or say nobody.
func (in verifyInput) check(env Env) error {
	inputs := slices.Concat(in.artifacts, in.bundles, in.roots.files, in.signers.files(), []string{in.from.registry.passwordFile, in.checksums, in.layout, in.who.key, in.who.allowed})
	if err := in.out.check(inputs...); err != nil {
		return err
	}
	if err := in.from.check(in.roots.offline); err != nil {
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

// reportRoots lists the trusted roots for a report.
func reportRoots(roots *loadedRoots) []report.Root {
	var out []report.Root
	for _, r := range roots.set {
		out = append(out, report.Root{Name: r.Name, Source: r.Source, SHA256: r.SHA256, Date: r.Date})
	}
	return out
}
