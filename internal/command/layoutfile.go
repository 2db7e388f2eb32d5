package command

import (
	"bytes"
	"fmt"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxLayoutFile bounds a layout's file with the signatures around it: base64,
// certificates and log entries.
const maxLayoutFile = 4 * layout.MaxBytes

// readLayout reads a layout's file, signed or not.
func readLayout(env Env, name string) ([]byte, error) {
	data, err := evidence.Read(env.FS, name, maxLayoutFile)
	if err == nil && len(data) > layout.MaxBytes && !attestation.HoldsLayout(data) {
		err = fmt.Errorf("more than %d MiB, which is the most that is read of a layout", layout.MaxBytes>>20)
	}
	return data, err
}

// layoutText is the text of a layout's file as it stands, whoever signed it, and
// what it is called: as the file, or as the payload in it.
func layoutText(name string, data []byte) (text []byte, where string, finding *verdict.Finding) {
	if !attestation.HoldsLayout(data) {
		return data, name, nil
	}
	envelope, refused := attestation.ReadLayoutEnvelope(name, data)
	if refused != nil {
		f := refused.Finding()
		return nil, name, &f
	}
	return envelope.Unverified(), name + " payload", nil
}

// describedLayout is a layout as it stands, in either dialect: what it demands, or
// what is wrong with it.
type describedLayout struct {
	where    string // the file, or the payload in it
	shown    layout.Description
	problems []layout.Problem
}

// describeLayout reads a layout that nobody has to have signed.
func describeLayout(env Env, name string, data []byte) describedLayout {
	if (layoutFile{name: name, data: data}).classic(false) {
		return describeClassic(env, name, data)
	}
	text, where, finding := layoutText(name, data)
	if finding != nil {
		return describedLayout{where: name, problems: []layout.Problem{{Finding: *finding}}}
	}
	d := describedLayout{where: where, problems: layout.Lint(where, text, env.Now)}
	if len(d.problems) > 0 {
		return d
	}
	l, findings := layout.Parse(where, text, env.Now)
	for _, f := range findings { // what Lint takes, Parse takes
		d.problems = append(d.problems, layout.Problem{Finding: f})
	}
	if l != nil {
		d.shown = l.Describe()
	}
	return d
}

// describeClassic reads one of in-toto 1.0.
func describeClassic(env Env, name string, data []byte) describedLayout {
	envelope, refused := attestation.ReadEnvelope(name, data)
	if refused != nil {
		return describedLayout{where: name, problems: []layout.Problem{{Finding: refused.Finding()}}}
	}
	before, _, inside := bytes.Cut(data, envelope.Unverified())
	d := describedLayout{where: name}
	if !inside { // a DSSE payload is base64 in its file
		d.where = name + " payload"
	}
	d.shown, d.problems = layout.DescribeClassic(d.where, envelope, env.Now)
	for i, p := range d.problems {
		if !inside || p.Line == 0 {
			continue
		}
		if p.Line == 1 {
			d.problems[i].Column += len(before) - 1 - bytes.LastIndexByte(before, '\n')
		}
		d.problems[i].Line += bytes.Count(before, []byte("\n"))
	}
	return d
}
