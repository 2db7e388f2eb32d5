package command

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
)

// signerFlags name one signer in place of a layout: simple mode.
type signerFlags struct {
	identity, issuer string
	key              string
	predicateType    string
}

// maxKeyFile bounds a public key file, in bytes.
const maxKeyFile = 64 << 10

func (f *signerFlags) register(flags *pflag.FlagSet) {
	f.registerIdentity(flags)
	flags.StringVar(&f.predicateType, "predicate-type", "", "count statements of the predicate type `URI` only (default: SLSA provenance and message signatures)")
}

func (f *signerFlags) registerIdentity(flags *pflag.FlagSet) {
	flags.StringVar(&f.identity, "certificate-identity", "", "the signer's exact identity `SAN`: an e-mail address or a workflow's URL")
	flags.StringVar(&f.issuer, "certificate-oidc-issuer", "", "the exact `URL` of the issuer that vouched for the identity")
	flags.StringVar(&f.key, "key", "", "the signer's public key, a PEM `FILE`")
}

// any reports whether somebody is named.
func (f *signerFlags) any() bool { return f.identity != "" || f.issuer != "" || f.key != "" }

// check demands exactly one signer: who signed is never optional. or is what a
// verb takes in their place.
func (f *signerFlags) check(or string) error {
	switch {
	case f.key != "" && (f.identity != "" || f.issuer != ""):
		return usage("choose one of them", "--key and --certificate-identity name two signers")
	case f.key != "":
		return nil
	case f.identity == "" && f.issuer == "":
		return usage("give --certificate-identity and --certificate-oidc-issuer, or --key FILE"+or, "nobody is named who must have signed")
	case f.identity == "":
		return usage("give --certificate-identity too, the signer's e-mail address or workflow URL", "--certificate-oidc-issuer alone names nobody: everybody who signs has an issuer")
	case f.issuer == "":
		return usage("give --certificate-oidc-issuer too, for example https://token.actions.githubusercontent.com", "--certificate-identity needs the issuer that vouched for it: anybody can run an issuer")
	}
	return nil
}

// layout builds the one-step layout that the flags stand for.
func (f *signerFlags) layout(env Env, roots *loadedRoots) (*layout.Layout, error) {
	options := layout.SimpleOptions{Identity: f.identity, Issuer: f.issuer, Roots: roots.set.Names(), PredicateType: f.predicateType}
	if f.key != "" {
		key, err := f.readKey(env)
		if err != nil {
			return nil, err
		}
		options.Key = &key
	}
	l, err := layout.Simple(options)
	if err != nil {
		return nil, usage("write the exact identity and issuer, or use a layout", "%w", err)
	}
	return l, nil
}

func (f *signerFlags) readKey(env Env) (attestation.Key, error) {
	data, err := evidence.Read(env.FS, f.key, maxKeyFile)
	if err != nil {
		return attestation.Key{}, undecided(nextAfter(err, "check --key"), fmt.Errorf("reading key %s: %w", f.key, err))
	}
	key, err := attestation.ParseKey(data)
	if err != nil {
		return attestation.Key{}, &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", f.key, err), next: "give a public key in PEM: openssl pkey -in KEY -pubout"}
	}
	return key, nil
}

// describe says for the report where the demand came from.
func (f *signerFlags) describe() string {
	if f.key != "" {
		return "built from --key " + f.key
	}
	return fmt.Sprintf("built from --certificate-identity %s and --certificate-oidc-issuer %s", f.identity, f.issuer)
}
