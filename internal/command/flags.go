package command

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
)

// choices has a shell complete the values of a flag that takes one of a few.
func choices(cmd *cobra.Command, flag string, values ...string) {
	// It fails only for a flag that is not there, which TestScript would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// onceEach refuses a flag that is given twice and takes one value: a flag that is
// appended to a command must not quietly replace who must have signed.
func onceEach(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list {
			f.Value = &once{Value: f.Value}
		}
	})
	for _, child := range cmd.Commands() {
		onceEach(child)
	}
}

// once is a flag's value that can be set one time.
type once struct {
	pflag.Value
	set bool
}

func (o *once) Set(value string) error {
	if o.set {
		return errors.New("the flag is given twice")
	}
	o.set = true
	return o.Value.Set(value)
}

// refuseValues refuses values that nobody can have meant.
func refuseValues(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			if err == nil {
				err = refuseValue(flags, f, value)
			}
		}
	})
	return err
}

// refuseValue refuses a flag that was given without a value: it is an unset variable of a
// script, and absent never means unchecked. So is one whose value is the name of the next
// flag, as in --commit --step review. And nothing is fetched that is asked for as a file.
func refuseValue(flags *pflag.FlagSet, f *pflag.Flag, value string) error {
	next, dashed := strings.CutPrefix(value, "--")
	kind, _ := pflag.UnquoteUsage(f)
	switch {
	case value == "":
		return usage("give it a value or leave it out; is a variable unset?", "--%s is empty", f.Name)
	case dashed && flags.Lookup(next) != nil:
		return usage("give --"+f.Name+" a value of its own, or leave it out", "--%s has no value: %s follows, which is a flag", f.Name, value)
	case strings.HasSuffix(kind, "FILE") && (strings.Contains(value, "http://") || strings.Contains(value, "https://")):
		return usage("fetch it and name the file", "--%s %s is an address, and the flag takes a file", f.Name, value)
	}
	return nil
}

// wrongFlag is what is said of a flag that the verb does not have, or cannot read.
func wrongFlag(cmd *cobra.Command, err error) error {
	next := "see " + cmd.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if near := actions.Nearest(name, flagNames(cmd)); near != "" {
			next = "did you mean --" + near + "?"
		}
		if here := elsewhere(name); here != "" {
			next = here
		}
	}
	return usage(next, "%w", err)
}

func flagNames(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// elsewhere tells what a flag of cosign, gh, slsa-verifier or in-toto is called here;
// empty where we know of none. docs/migrating.md and docs/slsa.md have the rest.
func elsewhere(name string) string {
	switch name {
	case "certificate-identity-regexp", "certificate-oidc-issuer-regexp", "cert-identity-regex":
		return "write the exact --certificate-identity and --certificate-oidc-issuer, or use a layout, which takes patterns"
	case "cert-identity":
		return "it is called --certificate-identity here"
	case "cert-oidc-issuer":
		return "it is called --certificate-oidc-issuer here"
	case "signer-workflow", "signer-repo":
		return "name the workflow with --certificate-identity https://github.com/OWNER/NAME/.github/workflows/FILE@REF, or use a layout"
	case "signature", "certificate", "provenance-path", "attestations-path":
		return "name the Sigstore bundle with --bundle FILE"
	case "bundle-from-oci":
		return "it is called --from oci here"
	case "custom-trusted-root":
		return "it is called --trusted-root here"
	case "owner":
		return "name the repository with --repo OWNER/NAME"
	case "type":
		return "it is called --predicate-type here, and takes the URI"
	case "source-uri", "source-branch", "source-tag", "source-versioned-tag", "builder-id", "build-workflow-input":
		return "use --layout layouts/slsa.yml with --param; docs/slsa.md has the table"
	case "layout-keys", "verification-keys":
		return "it is called --layout-key here, once for each key"
	case "yes":
		return "leave it out: nothing is asked; what a public log learns, --allow-public-log and --instance say"
	}
	return ""
}
