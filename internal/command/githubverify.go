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
// empty where it cannot: it knows files and images, signed by a workflow.
//
// Source: https://cli.github.com/manual/gh_attestation_verify
func (s *signing) githubCommand(m made) string {
	signer := m.verified.Signer()
	source, proven := signer.Source()
	host, repository, ok := atGitHub(source.Repository)
	where, known := m.toGitHub(repository)
	if s.who.key != nil || !proven || !ok || !known {
		return ""
	}
	target := m.file
	switch {
	case m.image != "":
		target = "oci://" + m.image
	case target == "":
		return ""
	case strings.HasPrefix(target, "-"):
		target = "./" + target
	}
	args := slices.Concat([]string{"gh", "attestation", "verify", target, "--repo", repository}, where, []string{"--cert-identity", signer.SAN})
	if signer.Issuer != identity.GitHubActionsIssuer {
		args = append(args, "--cert-oidc-issuer", signer.Issuer)
	}
	if host != "github.com" {
		args = append(args, "--hostname", host)
	}
	if s.said.predicateType != slsaProvenance {
		args = append(args, "--predicate-type", s.said.predicateType)
	}
	switch files := s.at.files; {
	case len(files) > 1 || len(files) == 1 && strings.Contains(files[0], "="):
		return "" // it takes one file
	case len(files) == 1:
		args = append(args, "--custom-trusted-root", files[0])
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
