package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/inspection"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// allowInspections is the flag that lets a layout's commands run.
const allowInspections = "allow-inspections"

// inspectionFlags are those of verify for the inspections of a layout of in-toto 1.0.
type inspectionFlags struct {
	allow   bool
	folder  string
	timeout time.Duration
}

func (f *inspectionFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.allow, allowInspections, false, "run the commands of the layout's inspections, in a scratch copy of --inspection-dir")
	flags.StringVar(&f.folder, "inspection-dir", "", "folder `DIR` that inspections look at (default: the working directory)")
	flags.DurationVar(&f.timeout, "inspection-timeout", inspection.DefaultTimeout, "end an inspection's command after `DURATION`, such as 5m")
}

// timed tells whether a time other than the default was given.
func (f inspectionFlags) timed() bool { return f.timeout != inspection.DefaultTimeout }

func (f inspectionFlags) check() error {
	switch {
	case f.timeout <= 0:
		return usage("give a duration such as 90s", "--inspection-timeout is %s", f.timeout)
	case f.timed() && !f.allow:
		return usage("add --"+allowInspections+", or leave it out", "--inspection-timeout goes with --%s: nothing else runs a command", allowInspections)
	}
	return nil
}

// loosenings are the flags given that demand less.
func (f inspectionFlags) loosenings() []string {
	if f.allow {
		return []string{"--" + allowInspections}
	}
	return nil
}

// inspections carries out what a layout wants inspected, for one artifact in hand
// or none.
type inspections struct {
	inspector *inspection.Inspector
	// undecided is why an inspection could not be carried out at all.
	undecided error
	// ran are those that ran a command, by their names.
	ran []string
	// lookedInHand tells that the result is that of this artifact alone.
	lookedInHand bool
}

func (f inspectionFlags) start(env Env, inHand *artifact.Artifact) (*inspections, error) {
	config := inspection.Config{Folder: ".", AllowCommands: f.allow, Timeout: f.timeout, Path: env.Getenv("PATH")}
	if f.folder != "" {
		config.Folder = f.folder
	}
	if inHand != nil {
		config.InHand = *inHand
	}
	inspector, err := inspection.New(config)
	return &inspections{inspector: inspector}, err
}

// inspect is what the layout's judgement calls for each inspection.
func (i *inspections) inspect(ctx context.Context) layout.Inspect {
	return func(asked layout.Inspection) (layout.Inspected, *verdict.Finding) {
		if len(asked.Run) > 0 && asked.Run[0] == inspection.VerifyArtifact {
			i.lookedInHand = true
		}
		record, err := i.inspector.Run(ctx, asked.Run)
		if !inspection.IsBuiltIn(asked.Run) && !errors.Is(err, inspection.ErrNotAllowed) {
			i.ran = append(i.ran, inspectionName(asked))
		}
		failure, failed := errors.AsType[*inspection.Failure](err)
		switch {
		case errors.Is(err, inspection.ErrNotAllowed):
			return layout.Inspected{}, forbidden(asked)
		case failed:
			return layout.Inspected{}, &verdict.Finding{
				ID: verdict.InspectionFailed, Found: failure.Found + lastWords(record), Expected: "an inspection that succeeds", Next: failure.Next,
			}
		case err != nil:
			i.undecided = errors.Join(i.undecided, err)
			return layout.Inspected{}, &verdict.Finding{
				ID: verdict.InspectionFailed, Found: err.Error(), Expected: "a folder that can be inspected", Next: "name another one with --inspection-dir",
			}
		}
		return layout.Inspected{Materials: digestsByName(record.Materials), Products: digestsByName(record.Products), Note: inspected(asked)}, nil
	}
}

// forbidden shows the command, so that it can be read before it is allowed.
func forbidden(asked layout.Inspection) *verdict.Finding {
	return &verdict.Finding{
		ID: verdict.InspectionForbidden, Found: fmt.Sprintf("the layout wants %q run", asked.Run), Expected: "permission to run it",
		Next: "read the command; if you trust it, allow it with --" + allowInspections,
	}
}

// lastWords is the end of what a command had to say, for the report.
func lastWords(record inspection.Record) string {
	const most = 400
	for _, output := range []inspection.Output{record.Stderr, record.Stdout} {
		text := strings.TrimSpace(string(output.Kept))
		if len(text) > most {
			text = "…" + text[len(text)-most:]
		}
		if text != "" {
			return "; it said: " + strings.ToValidUTF8(text, "\ufffd")
		}
	}
	return ""
}

// inspected is the report's note about an inspection that was carried out.
func inspected(asked layout.Inspection) string {
	name := inspectionName(asked)
	if inspection.IsBuiltIn(asked.Run) {
		return fmt.Sprintf("inspection %s: %s, which executes nothing", name, strings.Join(asked.Run, " "))
	}
	return fmt.Sprintf("inspection %s: ran %q in a scratch copy, exit code 0", name, asked.Run)
}

// inspectionName is an inspection's name behind those of the steps around it.
func inspectionName(asked layout.Inspection) string {
	return strings.Join(slices.Concat(asked.Path, []string{asked.Name}), "/")
}

func digestsByName(artifacts inspection.Artifacts) map[string]map[string]string {
	all := make(map[string]map[string]string, len(artifacts))
	for name, set := range artifacts {
		digests := make(map[string]string, len(set))
		for algorithm, value := range set {
			digests[string(algorithm)] = value
		}
		all[name] = digests
	}
	return all
}
