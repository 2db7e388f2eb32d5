package layout

import (
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/identity"
)

// Composition says what a new layout shall demand: that a workflow of a repository
// builds the artifact, and that authors vouch for the commit that it builds from.
type Composition struct {
	// Repository is the source's rule name without git+https://, which must be of
	// github.com: "github.com/acme/app".
	Repository string
	// RepositoryID is GitHub's number for it; empty leaves it out.
	RepositoryID string
	// Authors vouch for commits; none makes a layout of the builder alone.
	Authors []ComposedAuthor
	// Threshold is how many of the authors it takes, from 1 to all.
	Threshold int
	// Workflow is the file below .github/workflows that builds releases, and Ref where
	// it must run: refs/heads/main, or refs/tags/*.
	Workflow, Ref string
	// Root names the trusted root of identities: "sigstore" or "github".
	Root string
	// Subjects are patterns for the artifacts' names; none means any name.
	Subjects []string
	// Expires is when the layout ends, and Now when it is linted; both must be set.
	Expires, Now time.Time
	// Verify is a command for the head of the file, one line; empty for none.
	Verify string
}

// ComposedAuthor is a person with a Fulcio identity, or with a key.
type ComposedAuthor struct {
	// Name is what reports call the author; empty takes it from the address.
	Name string
	// Identity and Issuer are exact.
	Identity, Issuer string
	// Key is a public key in PEM, of SSH or of OpenPGP, in place of an identity.
	Key []byte
}

// Compose writes the layout as a person would, with comments. It has been read
// again: it lints clean.
func Compose(c Composition) ([]byte, error) {
	text, err := c.write()
	if err != nil {
		return nil, fmt.Errorf("composing a layout: %w", err)
	}
	return text, nil
}

func (c Composition) write() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &composed{Composition: c}
	if err := d.name(); err != nil {
		return nil, err
	}
	d.head()
	d.functionaries()
	d.principals()
	d.steps()
	d.tail()
	text := []byte(d.text.String())
	if problems := Lint("the new layout", text, c.Now); len(problems) > 0 {
		return nil, fmt.Errorf("%s; next: %s", problems[0].Finding, problems[0].Next)
	}
	return text, nil
}

// check refuses what would be read otherwise than it is meant.
func (c Composition) check() error {
	source, err := artifact.GitSource("https://" + c.Repository)
	switch {
	case err != nil:
		return err
	case source.Text != "git+https://"+c.Repository || strings.Count(c.Repository, "/") != 2 || !strings.HasPrefix(c.Repository, "github.com/"):
		return fmt.Errorf("the repository %q is none of github.com/OWNER/NAME, whose workflows have identities that this can write", c.Repository)
	case len(c.Authors) > 0 && (c.Threshold < 1 || c.Threshold > len(c.Authors)):
		return fmt.Errorf("the threshold is %d, with %d authors", c.Threshold, len(c.Authors))
	case c.Workflow == "" || strings.ContainsAny(c.Workflow, "/@"):
		return fmt.Errorf("the workflow %q is no file of .github/workflows, such as release.yml", c.Workflow)
	case !strings.HasPrefix(c.Ref, "refs/heads/") && !strings.HasPrefix(c.Ref, "refs/tags/"):
		return fmt.Errorf("the ref %q is none such as refs/heads/main or refs/tags/*", c.Ref)
	case c.Expires.IsZero() || c.Now.IsZero():
		return errors.New("no expiry, or no time to lint it by")
	}
	texts := append([]string{c.Repository, c.RepositoryID, c.Workflow, c.Ref, c.Root, c.Verify}, c.Subjects...)
	for _, a := range c.Authors {
		texts = append(texts, a.Name, a.Identity, a.Issuer)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) || strings.ContainsAny(text, "{}") {
			return fmt.Errorf("%q holds a character that cannot be seen, or a brace", text)
		}
	}
	if err := exact("repository", c.Repository); err != nil {
		return err
	}
	if err := exact("workflow", c.Workflow); err != nil {
		return err
	}
	for _, a := range c.Authors {
		if err := exact("author", a.Identity); err != nil {
			return err
		}
	}
	_, err = identity.ParsePattern(c.Ref)
	return err
}

// composed is a layout on its way to being written.
type composed struct {
	Composition
	names []string          // of the authors, each once
	keys  []attestation.Key // of the authors; zero for an identity
	text  strings.Builder
}

func (d *composed) say(lines ...string) {
	for _, line := range lines {
		d.text.WriteString(line + "\n")
	}
}

const composedBuilder = "builder"

// name finds a name for each author, which nobody else has.
func (d *composed) name() error {
	for i, a := range d.Authors {
		key := attestation.Key{}
		if len(a.Key) > 0 {
			var err error
			if key, err = attestation.ParseKey(a.Key); err != nil {
				return err
			}
		}
		d.keys = append(d.keys, key)
		base, _, _ := strings.Cut(a.Identity, "@")
		if a.Name != "" {
			base = a.Name
		}
		base = strings.Map(func(r rune) rune {
			if isID(string(r)) && r != '@' {
				return r
			}
			return '-'
		}, base)
		if strings.Trim(base, "-") == "" {
			base = fmt.Sprintf("author-%d", i+1)
		}
		name := base
		for n := 2; name == composedBuilder || slices.Contains(d.names, name); n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		d.names = append(d.names, name)
	}
	return nil
}

func (d *composed) head() {
	what := "# Releases of " + d.Repository + ": a workflow builds them"
	if len(d.Authors) > 0 {
		what += ", and authors vouch for the commit"
	}
	d.say(what+".", "#", "# Written by signatus layout new: read it before you trust it (signatus layout show),",
		"# and keep it where those whom it names cannot change it alone. Whoever changes this",
		"# file changes the verdict.")
	if d.Verify != "" {
		d.say("#", "#   "+d.Verify)
	}
	d.say("_type: layout", "version: 1 # raise it with every change; verifiers can ask for the newest with --min-layout-version",
		"expires: "+quote(d.Expires.UTC().Format(time.RFC3339))+" # review the layout by then", "")
}

func (d *composed) functionaries() {
	d.say("functionaries:")
	for i, a := range d.Authors {
		if d.keys[i].Signer().IsZero() {
			d.say("  "+d.names[i]+"-oidc:", "    keyType: sigstore-oidc", "    scheme: fulcio", "    keyVal:",
				"      root: "+scalar(d.Root), "      issuer: "+quote(a.Issuer)+" # who vouches for the address", "      identity: "+scalar(a.Identity))
			continue
		}
		d.key(d.names[i], a.Key, d.keys[i])
	}
	d.say("  # Who may build: this workflow, in this repository, on this ref. Another workflow or",
		"  # branch, and a fork, has another name.",
		"  release-workflow:", "    keyType: sigstore-oidc", "    scheme: fulcio", "    keyVal:", "      root: "+scalar(d.Root),
		"      issuer: "+quote(identity.GitHubActionsIssuer),
		"      identity: "+quote("https://"+d.Repository+"/.github/workflows/"+d.Workflow+"@"+d.Ref),
		"      extensions:", "        sourceRepositoryURI: "+quote("https://"+d.Repository))
	if d.RepositoryID != "" {
		d.say("        sourceRepositoryIdentifier: " + quote(d.RepositoryID) + " # numeric, survives a rename")
	}
	if !hasWildcard(d.Ref) {
		d.say("        sourceRepositoryRef: " + scalar(d.Ref))
	}
	if strings.HasPrefix(d.Ref, "refs/tags/") {
		d.say("        buildTrigger: [push, release, workflow_dispatch]")
	} else {
		d.say("        buildTrigger: [push, workflow_dispatch]")
	}
	d.say("        runnerEnvironment: github-hosted # without this line, runners of your own may build too", "")
}

func (d *composed) key(name string, given []byte, key attestation.Key) {
	d.say("  " + name + "-key:")
	switch key.Type() {
	case "ssh":
		d.say("    keyType: ssh", "    scheme: sshsig", "    keyVal: {public: "+quote(strings.TrimSpace(string(given)))+"}")
		return
	case "gpg":
		d.say("    keyType: gpg", "    scheme: openpgp")
	default:
		d.say("    keyType: " + key.Type())
		if block, _ := pem.Decode(given); block != nil {
			given = pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})
		}
	}
	d.say("    keyVal:", "      public: |")
	for line := range strings.Lines(strings.TrimSpace(string(given)) + "\n") {
		d.say("        " + strings.TrimRight(line, " \t\r\n"))
	}
}

func (d *composed) principals() {
	d.say("# Who is counted, however they sign.", "principals:")
	for i, name := range d.names {
		way := "-oidc"
		if !d.keys[i].Signer().IsZero() {
			way = "-key"
		}
		d.say(fmt.Sprintf("  %s: {functionaries: [%s%s], kind: person}", name, name, way))
	}
	d.say("  "+composedBuilder+": {functionaries: [release-workflow], kind: workload}", "")
}

func (d *composed) steps() {
	source := "git+https://" + d.Repository
	d.say("steps:")
	if len(d.Authors) > 0 {
		d.author(source)
	}
	d.say("  # The builder's word: the artifact was built from that commit.", "  - name: build", "    expectedMaterials:", "      - REQUIRE "+source)
	if len(d.Authors) > 0 {
		d.say("      - MATCH " + source + " WITH PRODUCTS FROM author # the same commit")
	} else {
		d.say("      - ALLOW * # dependencies, which this layout does not judge")
	}
	d.say("      - DISALLOW *",
		`    expectedProducts: ["CREATE *", "DISALLOW *"]`, "    expectedPredicates:",
		fmt.Sprintf("      - {predicateType: %s, functionaries: [%s], threshold: 1}", quote("https://slsa.dev/provenance/v1"), composedBuilder))
	if len(d.Authors) > 0 {
		d.say("    distinctFrom: [author] # nobody is both")
	}
	d.say("")
}

// author writes the step of those who vouch for the commit, wherever they leave it.
func (d *composed) author(source string) {
	d.say("  # The authors' word: this commit of this repository is good.", "  - name: author", `    expectedMaterials: ["DISALLOW *"]`, "    expectedProducts:",
		"      - REQUIRE "+source, "      - ALLOW "+source, "      - DISALLOW *", "    expectedPredicates:", "      - anyOf:",
		"          - {predicateType: "+quote(LinkV03)+"} # signatus attest --commit REV --step author",
		"          - {predicateType: "+quote(attestation.GitCommitPredicate)+"} # or the commit's own signature",
		"          - {predicateType: "+quote(attestation.GitTagPredicate)+"} # or that of a tag of it",
		"        functionaries: ["+strings.Join(d.names, ", ")+"]", fmt.Sprintf("        threshold: %d", d.Threshold), "")
}

func (d *composed) tail() {
	subjects := d.Subjects
	if len(subjects) == 0 {
		subjects = []string{"*"}
	}
	quoted := make([]string, len(subjects))
	for i, s := range subjects {
		quoted[i] = quote(s)
	}
	d.say("# Which files this layout is about, by the names that the builder gave them.", "subjects:",
		"  - {subject: ["+strings.Join(quoted, ", ")+"], from: build}", "",
		"# Releases that are withdrawn, whoever signed them:",
		`#   - {digest: "sha256:…", reason: "1.4.2 leaks tokens, take 1.4.3"}`, "deny: []")
}
