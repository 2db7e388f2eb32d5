package command

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestation"
)

// again takes over a signed layout: where it is, or into a file of its own.
func (in layoutSignInput) again(env Env, d *layoutDraft, data []byte) error {
	place, err := in.signedPlace(env)
	if err != nil {
		return err
	}
	d.place = place
	return d.keep(in.file, data)
}

// signedPlace is where a layout goes that has a form for signatures already: where it
// is, or into a file of its own.
func (in layoutSignInput) signedPlace(env Env) (string, error) {
	if in.output == "" || filepath.Clean(in.output) == filepath.Clean(in.file) {
		return in.file, nil
	}
	if _, err := fs.Stat(env.FS, in.output); err == nil && !in.force {
		return "", &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already", in.output), next: "sign the layout where it is, without --output, or replace that file with --force"}
	}
	return in.output, nil
}

// join reads the signed layout that is there already, if it is of the same text.
func (in layoutSignInput) join(env Env, d *layoutDraft) error {
	if filepath.Clean(d.place) == filepath.Clean(in.file) {
		return usage("choose another place for it", "--output %s would overwrite the layout", in.output)
	}
	there, err := readLayout(env, d.place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return undecided("check the path and its permissions", fmt.Errorf("reading %s: %w", d.place, err))
	}
	if !attestation.HoldsLayout(there) {
		return &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already, and it is no signed layout", d.place), next: "name another file with --output"}
	}
	envelope, refused := attestation.ReadLayoutEnvelope(d.place, there)
	switch {
	case refused == nil && string(envelope.Unverified()) == string(d.payload):
		return d.keep(d.place, there)
	case in.force:
		return nil
	case refused != nil:
		return &exitError{code: ExitDenied, err: refused, next: "name another file with --output, or replace it with --force"}
	}
	return &exitError{
		code: ExitDenied, err: fmt.Errorf("%s is another layout than %s, signed by others already", d.place, in.file),
		next: "name another file with --output, or begin anew in its place with --force",
	}
}

// keep takes over the signatures that there are.
func (d *layoutDraft) keep(name string, data []byte) error {
	envelope, refused := attestation.ReadLayoutEnvelope(name, data)
	if refused != nil {
		return &exitError{code: ExitDenied, err: refused}
	}
	d.old, d.signed = data, envelope
	return nil
}

// signedName is what a layout's file is called when it is signed: release.yml
// becomes release.signed.jsonl.
func signedName(file string) string {
	for _, suffix := range []string{".yml", ".yaml", ".json"} {
		if base, ok := strings.CutSuffix(file, suffix); ok && filepath.Base(file) != suffix {
			return base + ".signed.jsonl"
		}
	}
	return file + ".signed.jsonl"
}
