package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/gitrepo"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/report"
)

// layoutNewInput is what the caller says of a new layout.
type layoutNewInput struct {
	template   string
	repository string
	id         string
	authors    []string
	issuer     string
	keys       []string
	threshold  int
	workflow   string
	ref        string
	root       string
	subjects   []string
	expires    string
	output     string
	force      bool
}

// The layouts that can be made.
const (
	authorAndBuilder = "author-and-builder"
	builderOnly      = "builder-only"
)

const layoutNewHelp = `Write a layout for the common case: a workflow builds releases, and authors vouch for
the commit that it builds from.

On a terminal, what no flag says is asked for. Elsewhere --repo must be given, and
--author or --author-key unless --template is builder-only.

What is written has comments, lints clean, and is for you to read and change. A file
that is there is not written over without --force. For other cases start from one of
the layouts in layouts/.

Exit codes: 0 written, 1 refused, 2 wrong usage, 3 could not be written.`

const layoutNewExamples = `  # Ask for everything
  signatus layout new

  # Two of three authors, and the workflow release.yml on main
  signatus layout new --repo github.com/acme/app --repo-id 1234567 --threshold 2 \
    --author alice@example.com --author bob@example.com --author-key carol.pub --output release.yml

  # The workflow alone, on any tag
  signatus layout new --template builder-only --repo github.com/acme/app --ref 'refs/tags/*'`

// newLayoutNew is the verb.
func newLayoutNew(env Env) *cobra.Command {
	var in layoutNewInput
	cmd := &cobra.Command{
		Use:     "new",
		Short:   "Write a layout, from flags or answers",
		Long:    layoutNewHelp,
		Example: layoutNewExamples,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return layoutNew(env, in)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.template, "template", authorAndBuilder, "what to demand, `author-and-builder|builder-only`")
	flags.StringVar(&in.repository, "repo", "", "the source repository, as `URL` or github.com/OWNER/NAME (default, on a terminal: this clone's origin)")
	flags.StringVar(&in.id, "repo-id", "", "GitHub's `NUMBER` for the repository, which survives a rename: gh api repos/OWNER/NAME --jq .id")
	flags.StringArrayVar(&in.authors, "author", nil, "an author by `EMAIL`, who signs with that identity (repeatable)")
	flags.StringVar(&in.issuer, "author-issuer", githubLogin, "the `URL` of the issuer that vouches for the authors' addresses")
	flags.StringArrayVar(&in.keys, "author-key", nil, "an author by the public key in `FILE`: an SSH .pub file, an armoured OpenPGP key, or PEM (repeatable)")
	flags.IntVar(&in.threshold, "threshold", 0, "how many of the authors must have signed, `N` (default: all)")
	flags.StringVar(&in.workflow, "workflow", "release.yml", "the `FILE` below .github/workflows that builds releases")
	flags.StringVar(&in.ref, "ref", "refs/heads/main", "the `REF` that it must run on, for example refs/tags/*")
	flags.StringVar(&in.root, "root", "sigstore", "the trusted root of all identities, `sigstore|github`")
	flags.StringArrayVar(&in.subjects, "subject", nil, "a `PATTERN` for the artifacts' names, as the builder gives them (repeatable; default: any)")
	flags.StringVar(&in.expires, "expires", "", "the `DATE` on which the layout ends, at most two years ahead (default: in a year)")
	flags.StringVar(&in.output, "output", "layout.yml", "the `FILE` to write")
	flags.BoolVar(&in.force, "force", false, "replace the file if there is one")
	choices(cmd, "template", authorAndBuilder, builderOnly)
	choices(cmd, "root", "sigstore", "github")
	return cmd
}

// githubLogin vouches for people who log in at Sigstore with GitHub.
const githubLogin = "https://github.com/login/oauth"

// layoutNew learns what to demand, writes it, and says what to do next.
func layoutNew(env Env, in layoutNewInput) error {
	if err := in.check(); err != nil {
		return err
	}
	if err := in.ask(env); err != nil {
		return err
	}
	composition, err := in.composition(env)
	if err != nil {
		return err
	}
	text, err := layout.Compose(composition)
	if err != nil {
		return &exitError{code: ExitDenied, err: err, next: "correct the value, or write the layout by hand: docs/layout.md"}
	}
	if in.taken(env) {
		return &exitError{code: ExitDenied, err: fmt.Errorf("there is a file %s already", in.output), next: "name another with --output, or replace it with --force"}
	}
	err = report.WriteFile(in.output, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return undecided("", err) // which names the next step
	}
	return in.tell(env)
}

func (in layoutNewInput) check() error {
	switch {
	case in.template != authorAndBuilder && in.template != builderOnly:
		return usage("use --template author-and-builder or builder-only; for others copy one of the layouts in layouts/", "there is no template %q", in.template)
	case in.template == builderOnly && len(in.authors)+len(in.keys)+in.threshold > 0:
		return usage("leave one of them out", "--template builder-only demands no author, and --author, --author-key and --threshold do")
	case in.threshold < 0:
		return usage("give 1 or more, or leave it out", "--threshold is %d", in.threshold)
	}
	return nil
}

// taken reports whether there is a file already, which is not to be lost.
func (in layoutNewInput) taken(env Env) bool {
	_, err := fs.Stat(env.FS, in.output)
	return err == nil && !in.force
}

// origin is the repository that the working directory is a clone of; empty for none.
func origin() string {
	repository, err := gitrepo.Find(".")
	if err != nil {
		return ""
	}
	name, err := repository.Origin()
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(name.Text, "git+https://")
}

// composition brings what the caller said into the form that a layout has it in.
func (in layoutNewInput) composition(env Env) (layout.Composition, error) {
	c := layout.Composition{
		RepositoryID: in.id, Threshold: in.threshold, Workflow: strings.TrimPrefix(in.workflow, ".github/workflows/"), Ref: in.ref, Root: in.root,
		Subjects: in.subjects, Expires: env.Now.AddDate(1, 0, 0).UTC().Truncate(24 * time.Hour), Now: env.Now,
		Verify: "signatus verify ARTIFACT --layout " + in.output,
	}
	repository, err := repositoryName(in.repository)
	if err != nil {
		return c, err
	}
	c.Repository = repository
	if strings.Trim(in.id, "0123456789") != "" {
		return c, usage("ask for it: gh api repos/OWNER/NAME --jq .id", "--repo-id %s is no number", in.id)
	}
	if in.expires != "" {
		if c.Expires, err = time.Parse(time.DateOnly, in.expires); err != nil {
			return c, usage("write it as 2027-03-01", "--expires %s is no date", in.expires)
		}
	}
	if report.Clean(c.Verify) != c.Verify {
		c.Verify = "" // a file's name cannot be shown
	}
	for _, address := range in.authors {
		if !strings.Contains(address, "@") { // nobody could sign with it
			return c, usage("give the address that the issuer vouches for, as alice@example.com", "--author %s is no address", address)
		}
		c.Authors = append(c.Authors, layout.ComposedAuthor{Identity: address, Issuer: in.issuer})
	}
	for _, file := range in.keys {
		key, err := evidence.Read(env.FS, file, maxKeyFile)
		if err != nil {
			return c, undecided("check --author-key", fmt.Errorf("reading key %s: %w", file, err))
		}
		name := filepath.Base(file)
		c.Authors = append(c.Authors, layout.ComposedAuthor{Name: strings.TrimSuffix(name, filepath.Ext(name)), Key: key})
	}
	if c.Threshold == 0 {
		c.Threshold = len(c.Authors)
	}
	if c.Threshold > len(c.Authors) {
		return c, usage("name more authors, or lower the threshold", "--threshold is %d, with %s", c.Threshold, count(len(c.Authors), "author"))
	}
	return c, nil
}

// repositoryName is the rule name of a repository, without git+https://.
func repositoryName(given string) (string, error) {
	url := given
	if !strings.Contains(given, "://") && !strings.Contains(given, "@") {
		url = "https://" + given
	}
	name, err := artifact.GitRemote(url)
	if err != nil {
		return "", usage("write it as github.com/OWNER/NAME", "--repo %s is no repository: %w", given, err)
	}
	return strings.TrimPrefix(name.Text, "git+https://"), nil
}

// tell says what to do with it.
func (in layoutNewInput) tell(env Env) error {
	lines := []string{"wrote " + in.output, "  next: read what it demands", "    signatus layout show " + in.output}
	if in.template == authorAndBuilder {
		lines = append(lines, "  then each author vouches for a commit", "    signatus attest --commit HEAD --step author")
	}
	if len(in.keys) > 0 {
		lines = append(lines, "  or signs the commit itself, as with an SSH or OpenPGP key", "    git commit -S")
	}
	lines = append(lines, "  and whoever uses a release verifies it", "    signatus verify ARTIFACT --layout "+in.output)
	if in.id == "" {
		lines = append(lines, "  note: without --repo-id, whoever gets the repository's name gets its releases allowed")
	}
	if err := report.Prose(env.Stdout, lines); err != nil {
		return undecided("the layout was written", err)
	}
	return nil
}

// errUnsaid says what must be given where nobody can be asked.
func errUnsaid(flag string) error {
	return usage("give it, or run this on a terminal to be asked", "%w", errors.New(flag+" is not given"))
}
