package command

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// classicFlags are those of verify for a layout of in-toto 1.0.
type classicFlags struct {
	links       string
	compat      string
	inspections inspectionFlags
}

func (f *classicFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.links, "link-dir", "", "folder `DIR` with the links STEP.KEYID.link of a layout of in-toto 1.0 (default: the working directory)")
	flags.StringVar(&f.compat, "compat", "", "read what the specification of `VERSION` leaves open as its implementations do; in-toto-1.0 is the one")
	choices(cmd, "compat", layout.CompatInToto)
	f.inspections.register(flags)
}

// given reports whether the caller expects a layout of in-toto 1.0.
func (f *classicFlags) given() bool { return f.links != "" || f.compat != "" }

// refuse tells that a flag goes with another kind of layout.
func (f *classicFlags) refuse() error {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"link-dir", f.links != ""}, {"compat", f.compat != ""},
		{allowInspections, f.inspections.allow}, {"inspection-dir", f.inspections.folder != ""}, {"inspection-timeout", f.inspections.timed()},
	} {
		if flag.given {
			return usage("name a signed layout of in-toto 1.0, or leave it out", "--%s goes with a layout of in-toto 1.0, and --layout is none", flag.name)
		}
	}
	return nil
}

// classic reports whether the file is a signed layout of in-toto 1.0, whatever
// else may be wrong with it: a Metablock always is, and a DSSE envelope where the
// keys of its payload say so. Where they cannot be read, or do not tell, asked
// decides: the caller gave flags that go with such a layout alone. A layout that
// broke off, or has no signatures, is then refused as what it should have been.
func (f layoutFile) classic(asked bool) bool {
	switch attestation.EnvelopeForm(f.data) {
	case attestation.Metablock:
		return true
	case attestation.DSSE:
	default:
		return asked && !f.namesAttestation()
	}
	envelope, refused := attestation.ReadEnvelope(f.name, f.data)
	switch {
	case refused != nil:
		return asked
	case envelope.ClaimsKeys("functionaries", "principals", "subjects", "version"):
		return false
	}
	return asked || envelope.ClaimsKeys("keys", "inspect", "rootcas")
}

// namesAttestation reports whether a file without an envelope has a key of an
// attestation layout, or of a bundle that holds one.
func (f layoutFile) namesAttestation() bool {
	for _, key := range []string{"functionaries", "principals", "subjects", "verificationMaterial"} {
		if bytes.HasPrefix(f.data, []byte(key+":")) || bytes.Contains(f.data, []byte("\n"+key+":")) || bytes.Contains(f.data, []byte(`"`+key+`"`)) {
			return true
		}
	}
	return false
}

// classicRun is one verification of a layout of in-toto 1.0.
type classicRun struct {
	input      verifyInput
	document   layoutFile
	parameters map[string]string
	trusted    trustedFiles
}

// verifyClassic reads the layout's keys and links, judges, compares each artifact
// with the last step's products, and reports.
func verifyClassic(ctx context.Context, env Env, run classicRun) error {
	if err := run.check(); err != nil {
		return err
	}
	targets, err := run.targets(env)
	if err != nil {
		return err
	}
	keys, err := run.keys(env.reading(run.trusted))
	if err != nil {
		return err
	}
	summary, err := run.input.summary.prepare(ctx, env, run.input.roots)
	if err != nil {
		return err
	}
	doc := report.Document{Tool: env.Version, Judged: env.Now, Parameters: run.parameters, Layout: run.document.report(), Warnings: run.input.passed, Loosenings: run.loosenings(len(keys))}
	envelope, refused := attestation.ReadEnvelope(run.document.name, run.document.data)
	if refused != nil {
		doc.Verdicts = refuseAll(orNone(targets), []verdict.Finding{refused.Finding()})
		return run.input.finish(ctx, env, finishing{doc: &doc, summary: summary})
	}
	links, err := evidence.Links(env.FS, run.linkDir())
	if err != nil {
		return undecided("check --link-dir", err)
	}
	doc.Searched = places(links)
	judged := &judgements{env: env, flags: run.input.classic.inspections, levels: run.input.summary.levels, input: layout.ClassicInput{
		Name: run.document.name, Layout: envelope, Keys: keys, Threshold: run.input.signers.threshold, Links: links,
		Parameters: run.parameters, Now: env.Now, Compat: run.input.classic.compat != "",
		Trace: run.input.explain || run.input.out.format == "json",
	}}
	if doc.Verdicts, err = run.verdicts(ctx, env, targets, judged); err != nil {
		return err
	}
	finished := finishing{doc: &doc, grounds: judged.of, summary: summary}
	if judged.last != nil { // otherwise no artifact could be read
		run.describe(&doc, judged.last)
		if shown, problems := layout.DescribeClassic(run.document.name, envelope, env.Now); len(problems) == 0 {
			finished.draw = shown.Drawn
		}
	}
	return run.input.finish(ctx, env, finished)
}

// check refuses flags that say nothing about a layout of in-toto 1.0.
func (r classicRun) check() error {
	in := r.input
	for _, flag := range []struct {
		name  string
		given bool
	}{{"bundle", len(in.bundles) > 0}, {"git", in.git != ""}, {"from", len(in.from.from) > 0}, {"step", in.step != ""}, {"subject-name", in.subject != ""}, {"min-layout-version", in.minVersion != 0}, {"tag-name", in.tag != ""}} {
		if flag.given {
			return usage("leave it out; the evidence of such a layout is its links, in --link-dir", "--%s goes with an attestation layout, and %s is a layout of in-toto 1.0", flag.name, in.layout)
		}
	}
	switch {
	case len(in.signers.identities) > 0:
		return usage("give the owners' keys with --layout-key", "--layout-identity goes with an attestation layout: %s, of in-toto 1.0, is signed with keys", in.layout)
	case in.summary.file != "" && len(in.artifacts) == 0 && in.checksums == "":
		return usage("name the artifact; it must be a product of the layout's last step", "--vsa without an artifact: a summary is about one, and the links alone bind none")
	case in.classic.compat != "" && in.classic.compat != layout.CompatInToto:
		return usage("write --compat "+layout.CompatInToto, "--compat %s is not known", in.classic.compat)
	}
	return in.classic.inspections.check()
}

// targets are the artifacts, if there are any: such a layout can be checked
// without.
func (r classicRun) targets(env Env) ([]target, error) {
	if len(r.input.artifacts) == 0 && r.input.checksums == "" {
		return nil, nil
	}
	return parseTargets(env, r.input.artifacts, r.input.checksums)
}

// orNone is one verdict about no artifact where there is none.
func orNone(targets []target) []target {
	if len(targets) == 0 {
		return []target{{}}
	}
	return targets
}

func (r classicRun) keys(env Env) ([]attestation.InTotoKey, error) {
	var keys []attestation.InTotoKey
	for _, name := range r.input.signers.keys {
		data, err := evidence.Read(env.FS, name, maxKeyFile)
		if err != nil {
			return nil, undecided(nextAfter(err, "check --layout-key"), fmt.Errorf("reading layout key %s: %w", name, err))
		}
		key, err := attestation.ParseInTotoKey(data)
		if err != nil {
			return nil, &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", name, err), next: "give a public key in PEM, in-toto's key JSON or an armoured OpenPGP key"}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (r classicRun) linkDir() string {
	if r.input.classic.links == "" {
		return "."
	}
	return r.input.classic.links
}

// places lists the folders of links that were read.
func places(folder *attestation.LinkFolder) []report.Place {
	all := []report.Place{{Name: folder.Path, Found: len(folder.Files)}}
	for _, file := range folder.Files {
		if inner := folder.Folders[file.Name]; inner != nil {
			all = append(all, places(inner)...)
		}
	}
	return all
}

func (r classicRun) loosenings(keys int) []string {
	out := append(r.input.loosenings(), r.input.classic.inspections.loosenings()...)
	if n := r.input.signers.threshold; n > 0 && n < keys {
		out = append(out, fmt.Sprintf("--layout-threshold %d of %d layout keys", n, keys))
	}
	return out
}

// describe says who signed the layout, and which relaxations were used.
func (r classicRun) describe(doc *report.Document, result *layout.ClassicResult) {
	doc.Layout.Expires = result.Expires
	if len(result.SignedBy) > 0 {
		doc.Layout.Trust = "in-toto 1.0, signed by " + strings.Join(result.SignedBy, ", ") + ", as --layout-key asks"
	}
	if len(r.input.signers.keys) > 0 {
		doc.Layout.Trust += r.trusted.origin(r.input.layout)
	}
	if r.input.classic.compat == "" {
		return
	}
	if len(result.Relaxed) == 0 {
		doc.Loosenings = append(doc.Loosenings, "--compat "+layout.CompatInToto+", of which nothing was used")
	}
	for _, line := range result.Relaxed {
		doc.Loosenings = append(doc.Loosenings, "--compat "+layout.CompatInToto+", "+line)
	}
}

// verdicts compares each artifact with what the layout's last step made.
func (r classicRun) verdicts(ctx context.Context, env Env, targets []target, judged *judgements) ([]verdict.Verdict, error) {
	if len(targets) == 0 {
		result, err := judged.about(ctx, nil)
		if err != nil {
			return nil, err
		}
		return []verdict.Verdict{result.Verdict(nil)}, nil
	}
	var out []verdict.Verdict
	for _, t := range targets {
		a, err := t.hash(ctx, env, []artifact.Algorithm{artifact.SHA256, artifact.SHA384, artifact.SHA512})
		if err := hashFailure(ctx, t, err); err != nil {
			return nil, err
		}
		if err != nil {
			out = append(out, unreadArtifact(a, err))
			judged.unread()
			continue
		}
		result, err := judged.about(ctx, &a)
		if err != nil {
			return nil, err
		}
		out = append(out, result.Verdict(&a))
	}
	return out, nil
}
