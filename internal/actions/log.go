package actions

import (
	"io"
	"sync"
)

// Log is a stream of a step that the runner shows and obeys: a line of it may be a
// workflow command, which hides words, or turns off that others are obeyed. What
// is written to a Log is text and never a command, whoever it comes from; the
// commands that are meant go around that, and only this package has the way.
//
// The runner takes two forms for commands, in each line on its own:
//
//	"the message needs to start with the keyword after trim leading space", which
//	is "::" (ActionCommand.cs, TryParseV2)
//	"##[" anywhere (TryParse)
//
// So a line's first colon becomes \u003a where nothing visible stands before it,
// and a bracket behind two number signs \u005b: both as JSON writes them and as
// people can read them. Nothing else changes, and nothing is held back.
//
// Source: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
type Log struct {
	to io.Writer

	mu    sync.Mutex
	empty bool // nothing stands in this line
	blank bool // nothing visible does
	signs int  // number signs that stand last
}

// NewLog is a log that is written to a stream at the beginning of a line.
func NewLog(to io.Writer) *Log {
	return &Log{to: to, empty: true, blank: true}
}

// Write writes text. A line may come in several writes, split anywhere.
func (l *Log) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	safe := make([]byte, 0, len(text))
	for _, b := range text {
		switch {
		case b == ':' && l.blank:
			safe = append(safe, `\u003a`...)
		case b == '[' && l.signs >= 2:
			safe = append(safe, `\u005b`...)
		default:
			safe = append(safe, b)
		}
		l.pass(b)
	}
	if _, err := l.to.Write(safe); err != nil {
		return 0, err
	}
	return len(text), nil
}

// pass remembers a byte. What is not visible in ASCII may be taken for nothing or
// for space by whoever compares as a language does (.NET, for one), and so can a
// rune of several bytes: neither makes a line begin or ends a row of signs.
func (l *Log) pass(b byte) {
	l.empty = false
	switch {
	case b == '\n' || b == '\r':
		l.empty, l.blank, l.signs = true, true, 0
	case b == '#':
		l.blank = false
		l.signs++
	case b > ' ' && b < 0x7f:
		l.blank = false
		l.signs = 0
	case b == ' ' || b == '\t':
		l.signs = 0
	}
}

// command writes workflow commands, whole lines, as they are.
func (l *Log) command(lines string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.empty {
		lines = "\n" + lines
	}
	l.empty, l.blank, l.signs = true, true, 0
	_, err := io.WriteString(l.to, lines)
	return err
}
