package inspection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// MaxOutput is how much of each of a command's outputs is kept, in bytes.
const MaxOutput = 64 << 10

// grace is how long a command's output stays open after its end.
const grace = 2 * time.Second

// process runs a command: the words as they are, without a shell, in the scratch
// copy.
//
// "If the return value is 0, then the inspection was successful" (in-toto 1.0,
// 4.3.2.1). It says of 1 to 126 that it was not, and nothing of 127 and above;
// neither do those count as success (TestCommandFails).
func (i *Inspector) process(ctx context.Context, run []string) (Record, error) {
	program, err := i.findProgram(run[0])
	if err != nil {
		return Record{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, i.config.Timeout, errTimeout)
	defer cancel()
	var record Record
	command := exec.CommandContext(limited, program) //nolint:gosec // it is the layout's command, which the caller allowed
	command.Args = run
	command.Dir = i.scratch.work()
	command.Env = i.environment()
	command.Stdout, command.Stderr = &record.Stdout, &record.Stderr
	command.WaitDelay = grace
	groupProcesses(command)
	err = command.Run()
	endGroup(command)
	if command.ProcessState != nil {
		record.ExitCode = command.ProcessState.ExitCode()
	}
	return record, i.outcome(limited, run[0], err)
}

var errTimeout = errors.New("the time is over")

// outcome says what the end of a command means.
func (i *Inspector) outcome(ctx context.Context, name string, err error) error {
	const next = "run the command by hand in a copy of the folder and see why"
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(context.Cause(ctx), errTimeout):
		return fail("allow it more time with --inspection-timeout", "%s did not end within %s", name, i.config.Timeout)
	case ctx.Err() != nil:
		return fmt.Errorf("running inspection %s: %w", name, context.Cause(ctx))
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrWaitDelay):
		return fail("have it wait for what it starts", "%s ended and left processes behind", name)
	case exited && exit.Exited():
		return fail(next, "%s ended with exit code %d, expected 0", name, exit.ExitCode())
	case errors.Is(err, fs.ErrNotExist):
		return fail("install it, or check the layout", "there is no program %s", name)
	}
	return fail(next, "%s could not be run to its end: %v", name, err)
}

// environment is all that a command gets to know: where programs are, an empty
// home, an empty folder for temporary files, and one language and time zone, so
// that output does not depend on the machine. No variable of the caller's is in
// it, and so no token.
func (i *Inspector) environment() []string {
	return []string{
		"PATH=" + strings.Join(absoluteEntries(i.config.Path), string(os.PathListSeparator)),
		"HOME=" + i.scratch.home(),
		"TMPDIR=" + i.scratch.temp(),
		"PWD=" + i.scratch.work(),
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
	}
}

// findProgram finds a command's program: a name with a slash in the scratch copy,
// another one in the path. Programs are never looked for in the folder that is
// inspected: whoever made it would choose what runs (CVE-2023-32076 was of that
// kind).
func (i *Inspector) findProgram(name string) (string, error) {
	if strings.Contains(filepath.ToSlash(name), "/") {
		return name, nil
	}
	for _, dir := range absoluteEntries(i.config.Path) {
		program := filepath.Join(dir, name)
		if info, err := os.Stat(program); err == nil && !info.IsDir() && isExecutable(info) {
			return program, nil
		}
	}
	return "", fail("install it, or check the layout", "there is no program %s in the PATH", name)
}

func absoluteEntries(list string) (absolute []string) {
	for _, dir := range filepath.SplitList(list) {
		if filepath.IsAbs(dir) {
			absolute = append(absolute, dir)
		}
	}
	return absolute
}

func isExecutable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// Output is the beginning of what a command wrote.
type Output struct {
	Kept    []byte
	Dropped int64 // how many bytes followed
}

// Write implements io.Writer. It takes everything, so that a command never waits.
func (o *Output) Write(p []byte) (int, error) {
	room := min(MaxOutput-len(o.Kept), len(p))
	o.Kept = append(o.Kept, p[:room]...)
	o.Dropped += int64(len(p) - room)
	return len(p), nil
}
