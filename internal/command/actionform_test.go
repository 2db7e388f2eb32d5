package command

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/actions"
)

// TestFlagsWithPaths: of each flag it is known whether it takes a path, which a step
// translates and holds to the workspace. One that speaks of a file and is not among them
// is to say so in its placeholder.
func TestFlagsWithPaths(t *testing.T) {
	t.Parallel()
	want := map[actions.Form]string{
		actions.Path: "allowed-signers bundle byproduct checksums git inspection-dir key layout layout-key link-dir output push-token " +
			"registry-password-file sbom signing-config suggest-layout vsa vsa-key",
		actions.AfterName: "store trusted-root",
		actions.MaybePath: "identity-token predicate push vars",
	}
	got := map[actions.Form][]string{}
	for _, verb := range verbsOfSteps(Env{}) {
		for name, flag := range verb.Flags {
			if flag.Form != actions.NoPath && !slices.Contains(got[flag.Form], name) {
				got[flag.Form] = append(got[flag.Form], name)
			}
		}
	}
	for form := range maps.Keys(want) {
		slices.Sort(got[form])
		if diff := cmp.Diff(strings.Fields(want[form]), got[form]); diff != "" {
			t.Errorf("form %d (-want +got):\n%s", form, diff)
		}
	}
	for _, cmd := range []*cobra.Command{newAttest(Env{}), newVerify(Env{})} {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			placeholder, _ := pflag.UnquoteUsage(f)
			if regexp.MustCompile(`FILE|DIR|FOLDER|PATH`).MatchString(placeholder) && form(f) == actions.NoPath {
				t.Errorf("--%s takes %s, and no step would translate it", f.Name, placeholder)
			}
		})
	}
}

// TestFormsToCome are the forms of flags that are planned.
func TestFormsToCome(t *testing.T) {
	t.Parallel()
	for usage, want := range map[string]actions.Form{
		"keep it in `file|notes|github|oci|release[=TAG]|dir=FOLDER`": actions.AfterName,
		"the image `NAME@sha256:HEX`":                                 actions.NoPath,
		"fetch from `github|release[=TAG]|oci`":                       actions.NoPath,
		"read `FOLDER`":                                               actions.Path,
	} {
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.StringArray("x", nil, usage)
		if got := form(flags.Lookup("x")); got != want {
			t.Errorf("%s: got %d, expected %d", usage, got, want)
		}
	}
}
