package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signatoryFlags say who must have signed the layout. It is for the caller to say:
// a layout that named its own signers would be everybody's.
type signatoryFlags struct {
	keys       []string
	identities []string
	issuers    []string
	threshold  int
	flags      *pflag.FlagSet // tells a threshold of 0 from none
}

func (f *signatoryFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringArrayVar(&f.keys, "layout-key", nil, "demand that the layout is signed with the public key in `FILE`: PEM, or for a layout of in-toto 1.0 also its key JSON or OpenPGP (repeatable)")
	flags.StringArrayVar(&f.identities, "layout-identity", nil, "demand that the layout is signed by exactly the identity `SAN`; goes with --layout-issuer (repeatable)")
	flags.StringArrayVar(&f.issuers, "layout-issuer", nil, "the exact `URL` of the issuer that vouched for the --layout-identity given in the same place (repeatable)")
	flags.IntVar(&f.threshold, "layout-threshold", 0, "how many of the layout's signers are enough, `N` (default: all that are given)")
}

// any reports whether the layout must be signed.
func (f *signatoryFlags) any() bool {
	return len(f.keys)+len(f.identities)+len(f.issuers) > 0 || f.counted()
}

// counted reports whether the caller says how many signers are enough.
func (f *signatoryFlags) counted() bool {
	return f.threshold != 0 || f.flags != nil && f.flags.Changed("layout-threshold")
}

// check refuses what names nobody, or less than it seems to.
func (f *signatoryFlags) check() error {
	given := len(f.keys) + len(f.identities)
	switch {
	case len(f.identities) != len(f.issuers):
		return usage("give one --layout-issuer for each --layout-identity, in the same order", "%d --layout-identity and %d --layout-issuer: anybody can run an issuer", len(f.identities), len(f.issuers))
	case f.counted() && given == 0:
		return usage("name them with --layout-key FILE, or --layout-identity SAN and --layout-issuer URL", "--layout-threshold counts the layout's signers, and none is named")
	case f.counted() && (f.threshold < 1 || f.threshold > given):
		return usage("give a number from 1 to that of the signers", "--layout-threshold is %d, with %s named", f.threshold, count(given, "signer"))
	}
	for i, identity := range f.identities {
		if strings.Contains(identity, "*") || strings.Contains(f.issuers[i], "*") {
			return usage("write the identity and the issuer out", "--layout-identity %s and --layout-issuer %s are exact: a pattern names nobody", identity, f.issuers[i])
		}
	}
	return nil
}

// files are the key files.
func (f *signatoryFlags) files() []string { return f.keys }

// read reads the keys.
func (f *signatoryFlags) read(env Env, roots *loadedRoots) (attestation.Signatories, error) {
	who := attestation.Signatories{Threshold: f.threshold, Roots: roots.ready, Now: env.Now}
	for _, file := range f.keys {
		data, err := evidence.Read(env.FS, file, maxKeyFile)
		if err != nil {
			return who, undecided(nextAfter(err, "check --layout-key"), fmt.Errorf("reading key %s: %w", file, err))
		}
		key, err := attestation.ParseKey(data)
		if err != nil {
			return who, &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", file, err), next: "give a public key in PEM (openssl pkey -in KEY -pubout), an SSH .pub file, or an armoured OpenPGP key"}
		}
		who.All = append(who.All, attestation.Signatory{Key: &key})
	}
	for i, identity := range f.identities {
		who.All = append(who.All, attestation.Signatory{Identity: identity, Issuer: f.issuers[i]})
	}
	switch people := who.People(); {
	case people < len(who.All) && (f.threshold == 0 || f.threshold > people):
		return who, usage("name each signer once, or say with --layout-threshold how many people it takes", "%d signers are named for the layout, and they are %d: one key is one signer, and so is one identity of two issuers", len(who.All), people)
	case f.threshold == 0:
		who.Threshold = people
	}
	return who, nil
}

// layoutBytes are the bytes of a layout that may be parsed, and why they may.
type layoutBytes struct {
	text  []byte
	trust string
}

// open takes a layout's text out of what the caller named: as it stands, or out of
// the signatures around it. What is parsed is what was verified.
func (f *signatoryFlags) open(env Env, data []byte, in opensLayout) (layoutBytes, *verdict.Finding, error) {
	named := "named on the command line"
	if !attestation.HoldsLayout(data) {
		if !f.any() {
			return layoutBytes{data, named}, nil, nil
		}
		return layoutBytes{}, unsigned(in.name), nil
	}
	envelope, refused := attestation.ReadLayoutEnvelope(in.name, data)
	if refused != nil {
		finding := refused.Finding()
		return layoutBytes{}, &finding, nil
	}
	if !f.any() {
		return layoutBytes{envelope.Unverified(), fmt.Sprintf("%s; it carries %s, not checked: nobody said who must have signed it (--layout-key, --layout-identity)", named, count(envelope.Signatures(), "signature"))}, nil, nil
	}
	who, err := f.read(env, in.roots)
	if err != nil {
		return layoutBytes{}, nil, err
	}
	signed, finding := envelope.Open(who)
	if finding != nil {
		return layoutBytes{}, finding, nil
	}
	return layoutBytes{signed.Payload(), "signed by " + signers(signed) + asked(who)}, nil, nil
}

// opensLayout is a layout's file and the roots that its signers may be proven under.
type opensLayout struct {
	name  string
	roots *loadedRoots
}

func unsigned(name string) *verdict.Finding {
	return &verdict.Finding{
		ID: verdict.LayoutUnsigned, Where: name,
		Found: "nobody has signed the layout", Expected: "a DSSE envelope or Sigstore bundle around it, signed by those who are named with --layout-key or --layout-identity",
		Next: "sign it with  signatus layout sign, or leave these flags out if you trust the file as it stands",
	}
}

// signers names who has signed, and since when that is proven.
func signers(l *attestation.SignedLayout) string {
	var names []string
	for _, s := range l.Signers() {
		name := s.Signer.String()
		if s.Root != "" {
			name += " under root " + s.Root
		}
		if len(s.Times) > 0 {
			name += " on " + s.Times[0].Instant.UTC().Format(time.DateOnly)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// asked says how many were asked for, where it was not all.
func asked(who attestation.Signatories) string {
	if all := who.People(); who.Threshold < all {
		return fmt.Sprintf("; %d of %d were asked for", who.Threshold, all)
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
