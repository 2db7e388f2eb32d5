package command

import (
	"errors"
	"slices"
	"strings"
)

// several are errors of one run, each with a next step of its own.
type several struct{ errs []error }

// together joins errors that are to be told one after the other; nil for none.
func together(errs ...error) error {
	var all []error
	for _, err := range errs {
		if more, ok := errors.AsType[*several](err); ok {
			all = append(all, more.errs...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	all = slices.Clip(all)
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &several{all}
}

func (e *several) Error() string {
	var all []string
	for _, err := range e.errs {
		all = append(all, err.Error())
	}
	return strings.Join(all, "\n")
}

func (e *several) Unwrap() []error { return e.errs }
