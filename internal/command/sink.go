package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/report"
)

// sink is one of the places where bundles are kept.
type sink interface {
	// takes tells whether the bundle of a statement has a place there.
	takes(p planned) bool
	// check tells what would be in the way, before anybody is asked to sign.
	check(ctx context.Context) error
	// put keeps the bundles, and tells of each what became of it. It takes nothing away
	// that is there, and does not keep the same bundle twice.
	put(ctx context.Context, bundles []made) []kept
}

// kept is what became of a bundle in one place.
type kept struct {
	report.Stored
	err  error    // why it is not there; nil where it is
	find []string // flags with which verify finds it there
	note string   // what the reader should know; empty for nothing
}

// keeping is where the bundles of a run go.
type keeping struct {
	sinks []sink
	// file is where a bundle goes that another place has not taken.
	file *fileSink
}

// storing is what sinks are made of.
type storing struct {
	found    foundSubjects
	plan     []planned
	registry registryFlags
	repo     string // as --repo names it; empty for the job's, or the origin's
}

// keeping prepares the sinks, those on this machine first: a bundle is safe there while
// others are asked. What is wrong with how others are named is said now; nobody is asked
// yet.
func (f *outputFlags) keeping(env Env, s storing) (keeping, error) {
	k := keeping{file: &fileSink{env: env, asked: f.stores.asks(storeFile)}}
	for _, kind := range stores() {
		for _, asked := range f.stores.all() {
			if asked.kind != kind {
				continue
			}
			sink, err := f.sink(env, asked, s)
			if err != nil {
				return keeping{}, err
			}
			k.sinks = append(k.sinks, sink)
		}
	}
	for _, p := range s.plan {
		if !slices.ContainsFunc(k.sinks, func(s sink) bool { return s.takes(p) }) {
			return keeping{}, usage("attest it apart, or add --store file", "--store oci keeps bundles with images, and %s is none: its bundle would be nowhere", s.found.nameOf(p))
		}
	}
	return k, nil
}

// sink prepares one.
func (f *outputFlags) sink(env Env, asked store, s storing) (sink, error) {
	switch asked.kind {
	case storeFile:
		return &fileSink{env: env, asked: true}, nil
	case storeDir:
		return &dirSink{env: env, folder: asked.argument}, nil
	case storeNotes:
		return f.stores.openNotes(env, s.found)
	case storeOCI:
		return openImages(env, s)
	default:
		return openGitHubSink(env, asked, s)
	}
}

// check has every sink say what would be in the way, so that all of it is said at once.
func (k keeping) check(ctx context.Context) error {
	var gaps []error
	for _, s := range k.sinks {
		gaps = append(gaps, s.check(ctx))
	}
	return together(gaps...)
}

// keep has every sink keep the bundles, whatever becomes of them in another one. A bundle
// that is nowhere on this machine though a sink has failed goes into the file that it
// would have had: it is never lost. The error tells of each sink that failed.
func (s *signing) keep(ctx context.Context, k keeping, bundles []made) error {
	for i := range bundles {
		bundles[i].number = i
		s.doc.Bundles = append(s.doc.Bundles, bundles[i].shown)
	}
	var failed []kept
	for _, sink := range k.sinks {
		mine := slices.DeleteFunc(slices.Clone(bundles), func(m made) bool { return !sink.takes(m.planned) })
		failed = append(failed, s.note(bundles, sink.put(ctx, mine))...)
	}
	s.rescue(ctx, k.file, rescuing{bundles: bundles, failed: failed})
	for _, m := range bundles {
		if m.allowed && m.where != "" {
			m.shown.Verify = s.verifyCommand(m)
			m.shown.VerifyWithGitHub = s.githubCommand(m)
		}
	}
	return failures(bundles, failed)
}

// note enters what became of bundles into the report, and gives what failed.
func (s *signing) note(bundles []made, all []kept) (failed []kept) {
	for _, k := range all {
		m := &bundles[k.Bundle]
		if k.err != nil {
			k.Error, k.Next, _ = strings.Cut(k.err.Error(), "; next: ")
			failed = append(failed, k)
		} else if m.where == "" {
			m.where, m.find = k.Where, k.find
			if k.Sink == storeOCI {
				m.image = k.Where // which is what verify asks the registry about
			}
		}
		switch {
		case k.err != nil:
		case k.Sink == storeFile, k.Sink == storeDir && m.shown.Path == "":
			m.shown.Path = k.Where
		case k.Sink == storeNotes:
			m.shown.Ref = k.Where
		}
		s.doc.Stored = append(s.doc.Stored, k.Stored)
		if k.err == nil && k.note != "" && !slices.Contains(s.doc.Notes, k.note) {
			s.doc.Notes = append(s.doc.Notes, k.note)
		}
	}
	return failed
}

// rescuing are bundles, and where they are not.
type rescuing struct {
	bundles []made
	failed  []kept
}

// lost are those that a sink has not taken, and that are nowhere on this machine.
func (r rescuing) lost() (all []made) {
	for _, m := range r.bundles {
		if m.shown.Path == "" && m.shown.Ref == "" && slices.ContainsFunc(r.failed, func(k kept) bool { return k.Bundle == m.number }) {
			all = append(all, m)
		}
	}
	return all
}

// rescue writes bundles into the file that they would have had, whoever interrupts the
// run; or else, where that cannot be written, into the folder for temporary files.
func (s *signing) rescue(ctx context.Context, file *fileSink, r rescuing) {
	ctx = context.WithoutCancel(ctx)
	if file.asked { // it could not be written
		s.note(r.bundles, file.putAside(ctx, r.lost()))
		return
	}
	s.note(r.bundles, file.put(ctx, r.lost()))
	s.note(r.bundles, file.putAside(ctx, r.lost()))
}

// failures is an error for each sink that failed, which says where the bundle is all the
// same. What is wrong with several bundles is said once.
func failures(bundles []made, failed []kept) error {
	var all []error
	said := map[string]bool{}
	for _, k := range failed {
		if why := k.err.Error(); !said[why] {
			said[why] = true
			all = append(all, undecided("", fmt.Errorf("it is signed%s; %w", bundles[k.Bundle].safe(), k.err)))
		}
	}
	return together(all...)
}

// safe tells what cannot be taken back, and where the bundle is.
func (m made) safe() string {
	var said string
	if len(m.shown.Entries) > 0 {
		said = fmt.Sprintf(" and logged (%s, index %d)", m.shown.Entries[0].Log, m.shown.Entries[0].Index)
	}
	if m.where == "" {
		return said + ", and the bundle is nowhere"
	}
	return said + ", and the bundle is in " + m.where
}
