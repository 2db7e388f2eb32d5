package command

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/sshsig"
)

// signerFlags name one signer in place of a layout: simple mode.
type signerFlags struct {
	identity, issuer string
	key              string
	allowed          string
	predicateType    string
}

// maxKeyFile bounds a public key file, in bytes.
const maxKeyFile = 1 << 20

func (f *signerFlags) register(flags *pflag.FlagSet) {
	f.registerIdentity(flags)
	flags.StringVar(&f.allowed, "allowed-signers", "", "who may have signed a git object with an SSH key: a `FILE` as ssh-keygen and git have it")
	flags.StringVar(&f.predicateType, "predicate-type", "", "count statements of the predicate type `URI` only (default: SLSA provenance, message signatures and git's own)")
}

func (f *signerFlags) registerIdentity(flags *pflag.FlagSet) {
	flags.StringVar(&f.identity, "certificate-identity", "", "the signer's exact identity `SAN`: an e-mail address or a workflow's URL")
	flags.StringVar(&f.issuer, "certificate-oidc-issuer", "", "the exact `URL` of the issuer that vouched for the identity")
	flags.StringVar(&f.key, "key", "", "the signer's public key, a `FILE` in PEM or of SSH or OpenPGP")
}

// any reports whether somebody is named.
func (f *signerFlags) any() bool {
	return f.identity != "" || f.issuer != "" || f.key != "" || f.allowed != ""
}

// check demands exactly one signer: who signed is never optional. or is what a
// verb takes in their place.
func (f *signerFlags) check(or string) error {
	switch {
	case f.allowed != "" && (f.key != "" || f.identity != "" || f.issuer != ""):
		return usage("choose one of them", "--allowed-signers names signers by itself, and so does what stands beside it")
	case f.allowed != "":
		return nil
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

// layout builds the one-step layout that the flags stand for, with what is worth a
// warning in what they name.
func (f *signerFlags) layout(env Env, roots *loadedRoots) (l *layout.Layout, warnings []string, err error) {
	options := layout.SimpleOptions{Identity: f.identity, Issuer: f.issuer, Roots: roots.set.Names(), PredicateType: f.predicateType}
	switch {
	case f.key != "":
		key, err := f.readKey(env)
		if err != nil {
			return nil, nil, err
		}
		options.Key = &key
	case f.allowed != "":
		if options.Allowed, warnings, err = f.readAllowed(env); err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, f.everybody(options.Allowed)...)
	}
	if l, err = layout.Simple(options); err != nil {
		return nil, nil, usage("write the exact identity and issuer, or use a layout", "%w", err)
	}
	return l, warnings, nil
}

func (f *signerFlags) readKey(env Env) (attestation.Key, error) {
	data, err := evidence.Read(env.FS, f.key, maxKeyFile)
	if err != nil {
		return attestation.Key{}, undecided(nextAfter(err, "check --key"), fmt.Errorf("reading key %s: %w", f.key, err))
	}
	key, err := attestation.ParseKey(data)
	if err != nil {
		return attestation.Key{}, &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", f.key, err), next: "give a public key: PEM (openssl pkey -in KEY -pubout), a .pub file of SSH, or gpg --armor --export KEY"}
	}
	return key, nil
}

// readAllowed reads the file that the caller names. One that a repository has, or
// that its git config names, is never read by itself. It warns of lines whose keys never
// count.
func (f *signerFlags) readAllowed(env Env) (allowed []sshsig.Allowed, warnings []string, err error) {
	data, err := evidence.Read(env.FS, f.allowed, sshsig.MaxAllowedBytes)
	if err != nil {
		return nil, nil, undecided(nextAfter(err, "check --allowed-signers"), fmt.Errorf("reading allowed signers %s: %w", f.allowed, err))
	}
	allowed, unusable, err := sshsig.ParseAllowed(data)
	if err == nil {
		allowed = slices.DeleteFunc(allowed, func(a sshsig.Allowed) bool {
			return a.Namespaces != nil && !a.Namespaces.Match(sshsig.GitNamespace)
		})
		if len(allowed) == 0 {
			err = fmt.Errorf("nobody in it signs for the namespace %q", sshsig.GitNamespace)
		}
	}
	if err != nil {
		return nil, nil, &exitError{code: ExitDenied, err: fmt.Errorf("%s: %w", f.allowed, err), next: "write it as ssh-keygen(1), ALLOWED SIGNERS, has it: alice@example.com namespaces=\"git\" ssh-ed25519 AAAA…"}
	}
	for _, line := range unusable {
		warnings = append(warnings, fmt.Sprintf("%s line %d counts for nobody, its key is %s: %s", f.allowed, line.Line, line.Key, line.Why))
	}
	return allowed, warnings, nil
}

// everybody warns of lines for any principal at all: whoever has that key is taken
// for whomever they say they are.
func (f *signerFlags) everybody(lines []sshsig.Allowed) (warnings []string) {
	for _, line := range lines {
		if line.Principals.Everybody() {
			warnings = append(warnings, fmt.Sprintf("%s line %d lets the key %s sign as everybody (%s)", f.allowed, line.Line, line.Key, line.Principals))
		}
	}
	return warnings
}

// describe says for the report where the demand came from.
func (f *signerFlags) describe() string {
	switch {
	case f.key != "":
		return "built from --key " + f.key
	case f.allowed != "":
		return "built from --allowed-signers " + f.allowed
	}
	return fmt.Sprintf("built from --certificate-identity %s and --certificate-oidc-issuer %s", f.identity, f.issuer)
}
