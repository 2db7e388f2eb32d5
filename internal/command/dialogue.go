package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/signatus-dev/signatus/internal/report"
)

// dialogue asks a person at a terminal, one line a question, with the answer that an
// empty line stands for shown in brackets. It asks again where an answer will not do.
type dialogue struct {
	env   Env
	lines *bufio.Reader
}

// maxAnswers is how often one question is asked, and maxAnswer bounds a line in bytes.
const (
	maxAnswers = 5
	maxAnswer  = 4096
)

// question is one question. check may be nil.
type question struct {
	text     string
	standard string
	check    func(string) error
}

func (d *dialogue) ask(q question) (string, error) {
	for range maxAnswers {
		prompt := report.Clean(q.text)
		if q.standard != "" {
			prompt += " [" + report.Clean(q.standard) + "]"
		}
		if _, err := fmt.Fprint(d.env.Stderr, prompt+": "); err != nil {
			return "", undecided("run it on a terminal", err)
		}
		line, err := d.line()
		if err != nil {
			return "", err
		}
		if line == "" {
			line = q.standard
		}
		if q.check != nil {
			err = q.check(line)
		}
		if err == nil {
			return line, nil
		}
		d.env.say("  %s", report.Clean(err.Error()))
	}
	return "", undecided("run it again, or say it with a flag", fmt.Errorf("asking %q: no answer would do", q.text))
}

// line reads one line. The end of the input is no answer.
func (d *dialogue) line() (string, error) {
	var line []byte
	for {
		b, err := d.lines.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSpace(string(line)), nil
		case err != nil:
			return "", undecided("run it again, or say everything with flags", fmt.Errorf("reading the answer: %w", err))
		case b == '\n':
			return strings.TrimSpace(string(line)), nil
		case len(line) == maxAnswer:
			return "", undecided("run it again", errors.New("reading the answer: it has no end"))
		}
		line = append(line, b)
	}
}

// ask asks for what no flag has said, where there is somebody to ask.
func (in *layoutNewInput) ask(env Env) error {
	if !env.StderrIsTerminal {
		switch {
		case in.repository == "":
			return errUnsaid("--repo")
		case in.template == authorAndBuilder && len(in.authors)+len(in.keys) == 0:
			return errUnsaid("--author or --author-key")
		}
		return nil
	}
	if in.repository != "" && (in.template == builderOnly || len(in.authors)+len(in.keys) > 0) {
		return nil // all is said that must be
	}
	d := &dialogue{env: env, lines: bufio.NewReader(env.Stdin)}
	env.say("A layout says who must have signed what. An empty line takes what is in brackets.")
	for _, ask := range []func(*dialogue) error{in.askSource, in.askAuthors, in.askBuilder, in.askFile} {
		if err := ask(d); err != nil {
			return err
		}
	}
	return nil
}

func (in *layoutNewInput) askSource(d *dialogue) (err error) {
	if in.repository == "" {
		in.repository, err = d.ask(question{text: "Which repository is built from", standard: origin(), check: func(s string) error {
			_, err := repositoryName(s)
			return err
		}})
	}
	if err == nil && in.id == "" {
		in.id, err = d.ask(question{text: "GitHub's number for it, which survives a rename: gh api repos/OWNER/NAME --jq .id (empty: leave it out)", check: func(s string) error {
			if _, err := strconv.ParseUint(s, 10, 64); s != "" && err != nil {
				return errors.New("it is a number, such as 728493015")
			}
			return nil
		}})
	}
	return err
}

func (in *layoutNewInput) askAuthors(d *dialogue) error {
	if in.template == builderOnly || len(in.authors)+len(in.keys) > 0 {
		return nil
	}
	answer, err := d.ask(question{text: "Who vouches for a commit? E-mail addresses, or files of public keys (empty: the builder's word is enough)", check: in.takeAuthors})
	switch {
	case err != nil:
		return err
	case answer == "":
		in.template = builderOnly
		return nil
	}
	if len(in.authors) > 0 {
		in.issuer, err = d.ask(question{text: "Who vouches for these addresses", standard: in.issuer})
		if err != nil {
			return err
		}
	}
	people := len(in.authors) + len(in.keys)
	if people < 2 || in.threshold > 0 {
		return nil
	}
	_, err = d.ask(question{text: "How many of them must have signed", standard: strconv.Itoa(people), check: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > people {
			return fmt.Errorf("it is a number from 1 to %d", people)
		}
		in.threshold = n
		return nil
	}})
	return err
}

// takeAuthors takes words for addresses where they have an @, and else for files.
func (in *layoutNewInput) takeAuthors(answer string) error {
	in.authors, in.keys = nil, nil
	for _, word := range strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }) {
		if strings.Contains(word, "@") {
			in.authors = append(in.authors, word)
		} else {
			in.keys = append(in.keys, word)
		}
	}
	return nil
}

func (in *layoutNewInput) askBuilder(d *dialogue) (err error) {
	in.workflow, err = d.ask(question{text: "Which workflow builds releases", standard: in.workflow})
	if err == nil {
		in.ref, err = d.ask(question{text: "On which ref (refs/tags/* for any tag)", standard: in.ref, check: func(s string) error {
			if !strings.HasPrefix(s, "refs/heads/") && !strings.HasPrefix(s, "refs/tags/") {
				return errors.New("it begins with refs/heads/ or refs/tags/")
			}
			return nil
		}})
	}
	return err
}

func (in *layoutNewInput) askFile(d *dialogue) (err error) {
	in.output, err = d.ask(question{text: "Where to write the layout", standard: in.output, check: func(s string) error {
		other := *in
		if other.output = s; other.taken(d.env) {
			return fmt.Errorf("there is a file %s already", s)
		}
		return nil
	}})
	return err
}
