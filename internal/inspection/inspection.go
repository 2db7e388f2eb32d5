// Package inspection carries out the inspections of a classic in-toto layout:
// commands, in a scratch copy of a folder and only where its caller allows them,
// and built-in ones that execute nothing. It never changes the folder itself,
// starts no shell, and judges no rule: it records what was there before and after.
//
// A command is no more confined than that. It runs with the rights of whoever
// runs the verification and may reach whatever they may reach, which is why it
// needs permission.
package inspection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
)

// DefaultTimeout is how long one command may run unless the caller says otherwise.
const DefaultTimeout = 60 * time.Second

// Config says what to inspect, and how far an inspection may go.
type Config struct {
	// Folder is inspected; required. It is read and never written.
	Folder string
	// AllowCommands permits inspections that execute something. Without it only
	// the built-in ones run.
	AllowCommands bool
	// Timeout of each command: DefaultTimeout if zero.
	Timeout time.Duration
	// Path is where commands are looked for, in the form of the variable PATH.
	// Entries that are not absolute are passed over.
	Path string
	// InHand is the artifact that is being verified; without digests for none.
	InHand artifact.Artifact
	// Scratch is the folder in which scratch copies are made: the system's own
	// for temporary files if empty.
	Scratch string
	// Limits bound the folder, its copy and what archives hold: DefaultLimits
	// if zero.
	Limits Limits
}

// Limits bound one folder or archive.
type Limits struct {
	Entries int   // files, folders and links
	Bytes   int64 // of content
}

// DefaultLimits takes what releases and source trees have, and no more than a
// machine can hash within a minute.
func DefaultLimits() Limits { return Limits{Entries: 100_000, Bytes: 4 << 30} }

// Artifacts are the materials or products of an inspection, by name.
type Artifacts map[string]artifact.DigestSet

// Record is what an inspection did.
//
// "This field will be used to spawn a new process in the verification system to
// create a new piece of link metadata that correspond to the inspection steps"
// (in-toto 1.0, 4.3.2): materials before and products after it (TestRunRecords).
type Record struct {
	Materials, Products Artifacts
	Stdout, Stderr      Output // of a command
	ExitCode            int
}

// ErrNotAllowed is returned for a command that needs a permission which was not
// given. Nothing was executed.
var ErrNotAllowed = errors.New("the inspection runs a command, and commands are not allowed")

// Failure is an inspection that was carried out and does not hold, or cannot be
// carried out as the layout has it. Any other error means that nobody can tell.
type Failure struct {
	Found string // what went wrong
	Next  string // what to do
}

// Error implements error.
func (f *Failure) Error() string { return f.Found }

func fail(next, format string, args ...any) error {
	return &Failure{Found: fmt.Sprintf(format, args...), Next: next}
}

// Inspector carries out the inspections of one verification. As in in-toto, one
// sees what those before it left behind, so they share a scratch copy, which is
// made for the first command and lives until Close. It is not safe for
// concurrent use.
type Inspector struct {
	config  Config
	scratch *scratch // nil until a command needs it
}

// New returns an inspector. A configuration without a folder is an error.
func New(config Config) (*Inspector, error) {
	if config.Folder == "" {
		return nil, errors.New("preparing inspections: no folder is named")
	}
	if config.Timeout < 0 || config.Limits.Entries < 0 || config.Limits.Bytes < 0 {
		return nil, errors.New("preparing inspections: a limit is negative")
	}
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Limits = cmp.Or(config.Limits, DefaultLimits())
	return &Inspector{config: config}, nil
}

// Run carries out one inspection, named by the words of its "run". With a
// Failure the record has what is known of the command.
func (i *Inspector) Run(ctx context.Context, run []string) (Record, error) {
	switch {
	case len(run) == 0 || run[0] == "":
		return Record{}, fail("have the layout name a command", "the inspection has no command")
	case IsBuiltIn(run):
		return i.builtIn(ctx, run)
	case !i.config.AllowCommands:
		return Record{}, ErrNotAllowed
	}
	return i.command(ctx, run)
}

// IsBuiltIn tells whether an inspection executes nothing and so needs no permission.
func IsBuiltIn(run []string) bool { return len(run) > 0 && strings.HasPrefix(run[0], builtInPrefix) }

// command runs a command in the scratch copy.
func (i *Inspector) command(ctx context.Context, run []string) (Record, error) {
	if i.scratch == nil {
		var err error
		if i.scratch, err = newScratch(ctx, i.config); err != nil {
			return Record{}, err
		}
	}
	materials, err := recordFolder(ctx, i.scratch.work(), i.config.Limits)
	if err != nil {
		return Record{}, err
	}
	record, err := i.process(ctx, run)
	record.Materials = materials
	if err != nil {
		return record, err
	}
	if record.Products, err = recordFolder(ctx, i.scratch.work(), i.config.Limits); err != nil {
		return record, err
	}
	return record, nil
}

// Close removes the scratch copy.
func (i *Inspector) Close() error {
	if i.scratch == nil {
		return nil
	}
	err := i.scratch.remove()
	i.scratch = nil
	return err
}
