package actions

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/signatus-dev/signatus/internal/identity"
)

// Annotation is a remark that the runner shows at a line of a file, or beside none.
type Annotation struct {
	Level        string // error, warning or notice
	Title, Text  string
	File         string // relative to the workspace; empty for none
	Line, Column int    // 0 for none
}

// Annotate writes an annotation, as the command that the runner obeys. Its texts may be
// anything: what would end the command or one of its properties is escaped, as the runner
// reads it. Of the file's name, what is there counts and not what is escaped.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
func (l *Log) Annotate(a Annotation) error {
	fields := map[string]string{}
	for name, value := range map[string]string{"title": a.Title, "file": a.File} {
		if value != "" {
			fields[name] = value
		}
	}
	for name, value := range map[string]int{"line": a.Line, "col": a.Column} {
		if value > 0 && a.File != "" {
			fields[name] = strconv.Itoa(value)
		}
	}
	return l.commands(func(to *githubactions.Action) {
		to = to.WithFieldsMap(fields)
		switch a.Level {
		case "error":
			to.Errorf("%s", a.Text)
		case "warning":
			to.Warningf("%s", a.Text)
		default:
			to.Noticef("%s", a.Text)
		}
	})
}

// Fold has the runner fold away what write writes. There are no folds in folds: the
// runner would end the outer one with the inner.
func (l *Log) Fold(title string, write func() error) error {
	if err := l.commands(func(to *githubactions.Action) { to.Group(title) }); err != nil {
		return err
	}
	err := write()
	if ended := l.commands(func(to *githubactions.Action) { to.EndGroup() }); err == nil {
		err = ended
	}
	return err
}

// Hide has the runner hide a secret in the job's log, from here on. Outside of a runner,
// and where the log is a file that somebody keeps, it would show it, and does nothing.
func Hide(getenv func(string) string, log io.Writer, secret identity.Token) error {
	if secret.IsZero() {
		return nil
	}
	if err := (Runner{Getenv: getenv, Commands: log}).mask(secret); err != nil {
		return fmt.Errorf("masking a secret in the job's log: %w", err)
	}
	return nil
}

// commands writes what go-githubactions makes of commands. That panics where it cannot
// write, so that it writes into memory first.
func (l *Log) commands(give func(*githubactions.Action)) error {
	var text strings.Builder
	give(githubactions.New(githubactions.WithWriter(&text)))
	return l.command(text.String())
}
