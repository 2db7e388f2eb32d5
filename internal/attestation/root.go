package attestation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// Root is a trusted root ready for use by many goroutines: what is the same for
// every bundle, the chains above a leaf, is checked once. What it demands of a
// bundle follows from its shape.
//
// "Demands follow the root: CT logs there mean at least one SCT; transparency
// logs, at least one entry; only a TSA, at least one RFC 3161 time; with a
// certificate, always at least one proven time." (docs/layout.md 5)
type Root struct {
	name     string
	material *pinnedMaterial
	verifier *verify.Verifier // for certificates; nil where the root has no authority
}

// NewRoot makes a root of trusted material. It is an error if nothing could
// ever verify under it: no certificate authority, log or timestamp authority at
// all, or certificate authorities without anyone to prove a time.
func NewRoot(name string, material root.TrustedMaterial) (*Root, error) {
	if name == "" {
		return nil, errors.New("making a trusted root: it needs a name")
	}
	if material == nil {
		return nil, fmt.Errorf("making trusted root %q: no material", name)
	}
	for _, ca := range material.FulcioCertificateAuthorities() {
		if fulcio, ok := ca.(*root.FulcioCertificateAuthority); ok && fulcio.Root == nil {
			return nil, fmt.Errorf("making trusted root %q: a certificate authority without a root certificate", name)
		}
	}
	r := &Root{name: name, material: pinMaterial(material)}
	timed := len(r.material.logs) > 0 || len(r.material.timestampers) > 0
	switch {
	case !timed:
		return nil, fmt.Errorf("making trusted root %q: it has no transparency log and no timestamp authority, so no time of signing could be proven", name)
	case len(r.material.authorities) == 0:
		return r, nil
	}
	verifier, err := verify.NewVerifier(r.material, append(r.demands(true), r.sct()...)...)
	if err != nil {
		return nil, fmt.Errorf("making trusted root %q: %w", name, err)
	}
	r.verifier = verifier
	return r, nil
}

// Name is the name that the layout calls the root by.
func (r *Root) Name() string {
	if r == nil {
		return ""
	}
	return r.name
}

// demands gives sigstore-go's options for what the root asks of a bundle. With
// timed false, a log entry is enough and no time is asked for; it is for keys.
func (r *Root) demands(timed bool) []verify.VerifierOption {
	var options []verify.VerifierOption
	switch logged := len(r.material.logs) > 0; {
	case !logged:
		return []verify.VerifierOption{verify.WithSignedTimestamps(1)}
	case timed:
		options = append(options, verify.WithObserverTimestamps(1))
	default:
		options = append(options, verify.WithNoObserverTimestamps())
	}
	return append(options, verify.WithTransparencyLog(1))
}

func (r *Root) sct() []verify.VerifierOption {
	if len(r.material.ctLogs) == 0 {
		return nil
	}
	return []verify.VerifierOption{verify.WithSignedCertificateTimestamps(1)}
}

// screen refuses, without any cryptography, what could not verify under this
// root, so that trying several roots in order costs nothing. It says in a
// person's words what sigstore-go would say after more work.
func (r *Root) screen(e *entity) error {
	next := fmt.Sprintf("was it signed under another Sigstore than %q? Name that one's trusted root with --trusted-root", r.name)
	entries := r.known(e.entries)
	switch logged := len(r.material.logs) > 0; {
	case logged && len(e.entries) == 0:
		return &reason{found: fmt.Sprintf("it has no transparency log entry, and root %q has logs", r.name), expected: "at least one entry", next: next}
	case logged && len(entries) == 0:
		return &reason{found: fmt.Sprintf("it has no entry of a log that root %q trusts", r.name), expected: "an entry of " + r.logNames(), next: next}
	case !logged && len(e.stamps) == 0:
		return &reason{found: fmt.Sprintf("it has no RFC 3161 timestamp, and root %q proves time by nothing else", r.name), expected: "at least one timestamp", next: next}
	case !logged && !r.material.knowsStamp(e.stamps):
		return &reason{found: fmt.Sprintf("it has no timestamp of an authority that root %q trusts", r.name), expected: "at least one", next: next}
	}
	if e.leaf == nil {
		return nil
	}
	if !r.material.knowsStamp(e.stamps) && !slices.ContainsFunc(entries, (*tlog.Entry).HasInclusionPromise) {
		return &reason{
			found:    fmt.Sprintf("nothing that root %q trusts proves when it was signed", r.name),
			expected: "a log entry with an inclusion promise, or a timestamp of one of the root's authorities",
			next:     "have it signed again with a timestamp authority",
		}
	}
	if !r.material.knowsIssuer(e.leaf) {
		return &reason{found: fmt.Sprintf("its certificate was issued by %.120q, which is no authority of root %q", e.leaf.Issuer, r.name), expected: "a certificate of " + r.authorityNames(), next: next}
	}
	return nil
}

// known gives the entries of logs that the root trusts.
func (r *Root) known(entries []*tlog.Entry) []*tlog.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(entry *tlog.Entry) bool {
		_, ok := r.material.logs[hex.EncodeToString([]byte(entry.LogKeyID()))]
		return !ok
	})
}

func (r *Root) logNames() string {
	names := make([]string, 0, len(r.material.logs))
	for _, log := range r.material.logs {
		names = append(names, log.BaseURL)
	}
	slices.Sort(names)
	return listNames(slices.Compact(names))
}

func (r *Root) authorityNames() string {
	var names []string
	for _, ca := range r.material.authorities {
		if pinned, ok := ca.(*pinnedAuthority); ok && pinned.plain.URI != "" && !slices.Contains(names, pinned.plain.URI) {
			names = append(names, pinned.plain.URI)
		}
	}
	return listNames(names)
}

// listNames joins a few names.
func listNames(names []string) string {
	const few = 4
	switch n := len(names); {
	case n == 0:
		return "one of its own"
	case n == 1:
		return names[0]
	case n > few:
		return fmt.Sprintf("%s or %d others", names[0], n-1)
	default:
		s := names[0]
		for _, name := range names[1 : n-1] {
			s += ", " + name
		}
		return s + " or " + names[n-1]
	}
}

// pinnedMaterial is a trusted root whose authorities remember what is fixed.
type pinnedMaterial struct {
	root.TrustedMaterial // for PublicKeyVerifier

	authorities  []root.CertificateAuthority
	timestampers []root.TimestampingAuthority
	logs, ctLogs map[string]*root.TransparencyLog
}

var _ root.TrustedMaterial = (*pinnedMaterial)(nil)

// pinMaterial wraps the authorities whose insides are known and keeps the
// others as they are. The maps are copied, so that what was checked once cannot
// change under the feet of a verification.
func pinMaterial(material root.TrustedMaterial) *pinnedMaterial {
	m := &pinnedMaterial{TrustedMaterial: material, logs: maps.Clone(material.RekorLogs()), ctLogs: maps.Clone(material.CTLogs())}
	for _, ca := range material.FulcioCertificateAuthorities() {
		if fulcio, ok := ca.(*root.FulcioCertificateAuthority); ok {
			ca = pinAuthority(fulcio)
		}
		m.authorities = append(m.authorities, ca)
	}
	for _, tsa := range material.TimestampingAuthorities() {
		if known, ok := tsa.(*root.SigstoreTimestampingAuthority); ok && known.Root != nil && known.Leaf != nil {
			tsa = pinTimestamper(known)
		}
		m.timestampers = append(m.timestampers, tsa)
	}
	return m
}

func (m *pinnedMaterial) FulcioCertificateAuthorities() []root.CertificateAuthority {
	return m.authorities
}
func (m *pinnedMaterial) TimestampingAuthorities() []root.TimestampingAuthority {
	return m.timestampers
}
func (m *pinnedMaterial) RekorLogs() map[string]*root.TransparencyLog { return m.logs }
func (m *pinnedMaterial) CTLogs() map[string]*root.TransparencyLog    { return m.ctLogs }
