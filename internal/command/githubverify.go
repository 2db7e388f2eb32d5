package command

import (
	"net/url"
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/identity"
)

// slsaProvenance is the predicate type that GitHub's client demands where it is told no
// other.
const slsaProvenance = "https://slsa.dev/provenance/v1"

// githubCommand is how GitHub's own client verifies the first of the bundle's subjects;
// empty where it cannot.
func (s *signing) githubCommand(m made) string {
	signer := m.verified.Signer()
	source, _ := signer.Source()
	_, repository, _ := atGitHub(source.Repository)
	find, known := m.toGitHub(repository)
	if s.who.key != nil || !known {
		return ""
	}
	return githubVerify{signer: signer, file: m.file, image: m.image, find: find, predicateType: s.said.predicateType, roots: s.at.files}.command()
}

// githubVerify is what GitHub's client is asked.
type githubVerify struct {
	signer        identity.Signer
	file, image   string   // one of them
	find          []string // flags that tell where the bundle is
	predicateType string
	roots         []string // files of trusted roots, as they were named
}

// command is empty where that client cannot ask so: it knows files and images, signed by a
// workflow of a repository at GitHub, and one file of trusted roots.
//
// Source: https://cli.github.com/manual/gh_attestation_verify
func (v githubVerify) command() string {
	source, proven := v.signer.Source()
	host, repository, ok := atGitHub(source.Repository)
	if !proven || !ok || len(v.roots) > 1 || len(v.roots) == 1 && strings.Contains(v.roots[0], "=") {
		return ""
	}
	target := v.file
	switch {
	case v.image != "":
		target = "oci://" + v.image
	case target == "":
		return ""
	case strings.HasPrefix(target, "-"):
		target = "./" + target
	}
	args := append([]string{"gh", "attestation", "verify", target, "--repo", repository}, v.find...)
	args = append(args, "--cert-identity", v.signer.SAN)
	if v.signer.Issuer != identity.GitHubActionsIssuer {
		args = append(args, "--cert-oidc-issuer", v.signer.Issuer)
	}
	if host != "github.com" {
		args = append(args, "--hostname", host)
	}
	if v.predicateType != slsaProvenance {
		args = append(args, "--predicate-type", v.predicateType)
	}
	for _, r := range v.roots {
		args = append(args, "--custom-trusted-root", r)
	}
	for i := range args {
		args[i] = shell(args[i])
	}
	return strings.Join(args, " ")
}

// toGitHub tells GitHub's client where the bundle is: in a file, in the image's registry,
// or where it looks by itself, with the attestations of the repository.
func (m made) toGitHub(repository string) (flags []string, known bool) {
	switch {
	case m.shown.Path != "":
		return []string{"--bundle", m.shown.Path}, true
	case slices.Equal(m.find, []string{"--from", fromOCI}):
		return []string{"--bundle-from-oci"}, true
	default:
		return nil, slices.Equal(m.find, []string{"--from", fromGitHub, "--repo", repository})
	}
}

// atGitHub is where a repository is, as GitHub's client names it.
func atGitHub(repository string) (host, name string, ok bool) {
	u, err := url.Parse(repository)
	if err != nil || u.Scheme != "https" || u.Host != "github.com" && !strings.HasSuffix(u.Host, ".ghe.com") {
		return "", "", false
	}
	name = strings.Trim(u.Path, "/")
	return u.Host, name, strings.Count(name, "/") == 1
}
