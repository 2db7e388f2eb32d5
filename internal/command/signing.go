package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/signer"
	"github.com/signatus-dev/signatus/internal/statement"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxSignings is how many bundles are made at once.
const maxSignings = 4

// signing makes the bundles of one run.
type signing struct {
	env  Env
	at   instance
	who  *credential
	said said
	doc  *report.Signed
}

// made is a bundle that was made and verified. It is not written yet.
type made struct {
	planned
	subjects []artifact.Subject
	bundle   []byte
	verified *attestation.Verified
	allowed  bool // by verify, for this signer and type
	shown    *report.SignedBundle

	number int      // its place among the bundles of the run
	where  string   // the first place that has it; empty for nowhere
	find   []string // flags with which verify finds it there
}

// all signs and verifies every statement, or none: nothing is written by then.
func (s *signing) all(ctx context.Context, plan []planned, subjects []artifact.Subject) ([]made, error) {
	bundles := make([]made, len(plan))
	env := s.env
	env.StderrIsTerminal = env.StderrIsTerminal && len(plan) > 1 // of one, there is nothing to count
	bar := newProgress(env, fmt.Sprintf("signing %d statements", len(plan)), int64(len(plan)))
	bar.count = true
	defer bar.done()
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(maxSignings)
	for i, p := range plan {
		group.Go(func() error {
			return guard(func() (err error) {
				if err := groupCtx.Err(); err != nil {
					return err // another one has failed
				}
				if bundles[i], err = s.one(groupCtx, p, subjects[p.from:p.to]); err == nil {
					bar.add(1)
				}
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, interrupted(ctx, "signing")
		}
		if len(plan) > 1 {
			err = fmt.Errorf("signing %d statements, of which none was written: %w", len(plan), err)
		}
		return nil, signingError(err)
	}
	s.judge(bundles)
	return bundles, nil
}

// one signs a statement, and opens what came of it as a stranger would.
func (s *signing) one(ctx context.Context, p planned, subjects []artifact.Subject) (made, error) {
	data, err := statement.New(subjects, s.said.predicateType, s.said.predicate)
	if err != nil {
		return made{}, &exitError{code: ExitDenied, err: err, next: "attest fewer subjects at once, or a smaller predicate"}
	}
	result, verified, err := s.sign(ctx, signer.Statement(data))
	if err != nil {
		return made{}, err
	}
	if err := sameStatement(verified.Statement(), subjects, s.said); err != nil {
		return made{}, &exitError{code: ExitDenied, err: fmt.Errorf("verifying what was signed, which was not written: %w", err)}
	}
	return made{planned: p, subjects: subjects, bundle: result.Bundle, verified: verified, shown: s.show(result, verified, subjects)}, nil
}

// judge tells which bundles verify allows by itself, as the report would say: one with
// another head, or a predicate that contradicts the certificate, is refused. They are
// logged by now, so that nothing here keeps them from being written.
func (s *signing) judge(bundles []made) {
	l, err := s.simple(bundles[0].verified.Signer())
	if err != nil {
		s.doc.Warnings = append(s.doc.Warnings, fmt.Sprintf("signatus verify cannot ask for this signer without a layout: %v", err))
		return
	}
	for i, b := range bundles {
		v := s.check(l, b, b.subjects[0])
		bundles[i].allowed = v.Allowed()
		if !v.Allowed() && len(v.Findings) > 0 {
			s.doc.Warnings = append(s.doc.Warnings, "signatus verify refuses this bundle: "+v.Findings[0].String())
			return // the others are like it
		}
	}
}

// simple is the layout of who verifies without one.
func (s *signing) simple(who identity.Signer) (*layout.Layout, error) {
	options := layout.SimpleOptions{Identity: who.SAN, Issuer: who.Issuer, Roots: s.at.roots.set.Names()}
	if s.who.key != nil {
		key, err := s.who.publicKey()
		if err != nil {
			return nil, err
		}
		options = layout.SimpleOptions{Key: &key}
	}
	if !provenance.Is(s.said.predicateType) {
		options.PredicateType = s.said.predicateType
	}
	return layout.Simple(options)
}

// check judges one subject by a layout.
func (s *signing) check(l *layout.Layout, b made, subject artifact.Subject) verdict.Verdict {
	return layout.Check(layout.Input{
		Layout: l, Artifact: artifact.Artifact{Given: subject.Name, Name: path.Base(subject.Name), Digest: subject.Digest},
		Verified: []*attestation.Verified{b.verified}, Now: s.env.Now,
	})
}

// sign makes a bundle of the content, and opens it as a stranger would.
func (s *signing) sign(ctx context.Context, content signer.Content) (*signer.Result, *attestation.Verified, error) {
	result, err := signer.Sign(ctx, signer.Request{
		Content: content, Services: s.at.services,
		Token: s.who.source(), Key: s.who.key, CheckCertificate: s.who.checkCertificate(),
	}, signer.Options{HTTP: s.env.HTTP, Now: s.env.Now, UserAgent: "signatus/" + s.env.Version, Again: s.again})
	if err != nil {
		return nil, nil, err
	}
	verified, err := s.open(result)
	if err != nil {
		return nil, nil, &exitError{
			code: ExitDenied, err: fmt.Errorf("verifying what was signed, which was not written: %w", err),
			next: "give the trusted root of the instance that signs with --trusted-root FILE",
		}
	}
	return result, verified, nil
}

// again tells whom one waits for, one line each time.
func (s *signing) again(why *signer.ServiceError, wait time.Duration) { s.env.waiting(why, wait) }

// open verifies the bundle under the trusted roots, and holds its signer against
// the one that was expected.
func (s *signing) open(result *signer.Result) (*attestation.Verified, error) {
	candidates, refused := attestation.Candidates("the new bundle", result.Bundle)
	if len(refused) > 0 {
		return nil, refused[0]
	}
	if len(candidates) != 1 {
		return nil, fmt.Errorf("it is %d bundles, expected one", len(candidates))
	}
	verified, err := s.openUnderRoots(candidates[0])
	if err != nil {
		return nil, err
	}
	if !verified.Signer().Equal(result.Signer) {
		return nil, fmt.Errorf("it is signed by %s, expected %s", verified.Signer(), result.Signer)
	}
	if check := s.who.checkCertificate(); check != nil {
		return verified, check(verified.Signer())
	}
	return verified, nil
}

func (s *signing) openUnderRoots(c attestation.Candidate) (*attestation.Verified, error) {
	opening := func(r *attestation.Root) (*attestation.Verified, error) { return attestation.Open(c, r) }
	roots := s.at.roots.ready
	if s.who.key != nil {
		key, err := s.who.publicKey()
		if err != nil {
			return nil, err
		}
		opening = func(r *attestation.Root) (*attestation.Verified, error) { return attestation.OpenWithKey(c, key, r) }
		if len(s.at.services.Rekor)+len(s.at.services.TSA) == 0 {
			roots = []*attestation.Root{nil} // nobody but the key speaks for it
		}
	}
	err := errors.New("no trusted root is loaded")
	for _, r := range roots {
		verified, openErr := opening(r)
		if openErr == nil {
			return verified, nil
		}
		err = openErr
	}
	return nil, err
}

// sameStatement demands that what a stranger reads is what was meant.
func sameStatement(read attestation.Statement, subjects []artifact.Subject, said said) error {
	if read.PredicateType != said.predicateType || len(read.Subjects) != len(subjects) {
		return fmt.Errorf("it is read as %q over %d subjects, expected %q over %d", read.PredicateType, len(read.Subjects), said.predicateType, len(subjects))
	}
	for i, s := range subjects {
		if !read.Subjects[i].Digest.Equal(s.Digest) {
			return fmt.Errorf("its subject %q is read as %s", s.Name, read.Subjects[i].Digest)
		}
	}
	var want jsontext.Value = bytes.Clone(said.predicate)
	if err := want.Compact(); err != nil || !bytes.Equal(want, read.Predicate) {
		return errors.New("its predicate is read as another one")
	}
	return nil
}

// show describes the bundle for the report.
func (s *signing) show(result *signer.Result, verified *attestation.Verified, subjects []artifact.Subject) *report.SignedBundle {
	shown := &report.SignedBundle{
		PredicateType: s.said.predicateType, Signer: verified.Signer(), Root: verified.Root(), Times: verified.Times(),
	}
	if s.said.predicateType == statement.LinkV03 {
		shown.Step = s.said.step
	}
	for _, subject := range subjects {
		shown.Subjects = append(shown.Subjects, report.Subject{Name: subject.Name, URI: subject.URI, Digest: subject.Digest})
	}
	for _, entry := range result.Entries {
		shown.Entries = append(shown.Entries, report.LogEntry{Log: entry.Log, Index: entry.Index})
	}
	for _, f := range s.said.fields {
		shown.Fields = append(shown.Fields, report.Field{Pointer: f.Pointer, Value: f.Value, Proof: f.Proof, Origin: f.Origin})
	}
	return shown
}

// checkLayout demands that a suggested layout allows every subject.
func (s *signing) checkLayout(data []byte, bundles []made) error {
	parsed, findings := layout.Parse("the suggested layout", data, s.env.Now)
	if len(findings) > 0 {
		return &exitError{code: ExitDenied, err: fmt.Errorf("checking the suggested layout: %s", findings[0])}
	}
	for _, b := range bundles {
		for _, subject := range b.subjects {
			if v := s.check(parsed, b, subject); !v.Allowed() {
				return fmt.Errorf("checking the suggested layout: %w", answer(v))
			}
		}
	}
	return nil
}
