// Package identity says who signed: a workflow, a person or a key. It compares
// identities field by field and matches them against exact values or anchored,
// segment-wise patterns. It verifies nothing: a Signer is only as good as the
// place it was read from.
package identity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Signer is who made a signature: either a certificate's identity (Issuer, SAN
// and Extensions) or a public key (Key). The zero value is nobody.
type Signer struct {
	// Issuer is the OIDC issuer that vouched for the identity, an exact URL.
	// GitHub's release attestations carry none: it is then empty.
	Issuer string
	// SAN is the certificate's only subject alternative name.
	SAN string
	// SANKind says which general name SAN was: URI, Email or OtherName.
	SANKind SANKind
	// Extensions are the Fulcio extensions of the certificate by their names.
	Extensions Extensions
	// Key is the fingerprint of a long-lived public key, "sha256:" and the hex
	// digest of its SubjectPublicKeyInfo; empty for a certificate.
	Key string
	// Authority is the fingerprint of the SSH authority that certified Key for the
	// Principals; both are empty where a key signed in its own name.
	Authority  string
	Principals []string
}

// SANKind is the kind of general name in a certificate's SAN extension.
type SANKind string

// The kinds of names Fulcio writes.
const (
	URI       SANKind = "uri"
	Email     SANKind = "email"
	OtherName SANKind = "othername"
)

// IsZero reports whether s names nobody.
func (s Signer) IsZero() bool { return s.SAN == "" && s.Key == "" }

// Equal reports whether two signers are the same in every field.
func (s Signer) Equal(o Signer) bool {
	return s.Issuer == o.Issuer && s.SAN == o.SAN && s.SANKind == o.SANKind && s.Key == o.Key &&
		s.Authority == o.Authority && slices.Equal(s.Principals, o.Principals) && maps.Equal(s.Extensions, o.Extensions)
}

// IsWorkload reports whether the certificate was issued to a CI job: it carries
// at least one of the extensions that Fulcio fills from a build's claims
// (1.3.6.1.4.1.57264.1.2-.6 and .9-.23). What such a signer says about its own
// source is then judged by the certificate, not by the statement.
func (s Signer) IsWorkload() bool {
	for name := range s.Extensions {
		switch name {
		case Issuer, TokenSubject:
		default:
			return true
		}
	}
	return false
}

// Source is the commit that a CI job ran on, as its certificate proves it.
type Source struct {
	Repository string // URI, for example https://github.com/acme/app
	Commit     string // git object id, 40 or 64 hex digits
	Ref        string // for example refs/heads/main; may be empty
}

// Source returns what the certificate proves about the job's source. Current
// certificates carry it in .12, .13 and .14; those of before 2023 in .5, .3 and
// .6, where the repository is an owner/name on github.com.
func (s Signer) Source() (Source, bool) {
	src := Source{
		Repository: s.Extensions[SourceRepositoryURI],
		Commit:     s.Extensions[SourceRepositoryDigest],
		Ref:        s.Extensions[SourceRepositoryRef],
	}
	if src.Repository == "" && s.Extensions[GitHubWorkflowRepository] != "" {
		src.Repository = "https://github.com/" + s.Extensions[GitHubWorkflowRepository]
	}
	if src.Commit == "" {
		src.Commit = s.Extensions[GitHubWorkflowSHA]
	}
	if src.Ref == "" {
		src.Ref = s.Extensions[GitHubWorkflowRef]
	}
	return src, src.Repository != "" && src.Commit != ""
}

// BuilderURI is the workflow that signed: .9, or on older certificates, which
// lack it, the SAN that Fulcio made from the same claim.
func (s Signer) BuilderURI() string {
	if uri := s.Extensions[BuildSignerURI]; uri != "" {
		return uri
	}
	if s.IsWorkload() && s.SANKind == URI {
		return s.SAN
	}
	return ""
}

// Trigger is the event that started the job (.20, or .2 on older certificates).
func (s Signer) Trigger() string {
	if t := s.Extensions[BuildTrigger]; t != "" {
		return t
	}
	return s.Extensions[GitHubWorkflowTrigger]
}

// String names the signer in one line for a report:
// "release.yml@refs/heads/main of acme/app (GitHub Actions)",
// "alice@example.com (https://accounts.google.com)" or "key sha256:1f2e…".
func (s Signer) String() string {
	switch {
	case s.IsZero():
		return "nobody"
	case s.Authority != "":
		return fmt.Sprintf("%s (key %s, certified by %s)", strings.Join(s.Principals, ", "), shorten(s.Key), shorten(s.Authority))
	case s.Key != "":
		return "key " + shorten(s.Key)
	}
	name := s.SAN
	if repo, file, ok := splitWorkflow(s.SAN); ok {
		name = file + " of " + repo
	}
	if s.Issuer == "" {
		return name + " (no issuer)"
	}
	return name + " (" + issuerName(s.Issuer) + ")"
}

// splitWorkflow takes https://github.com/acme/app/.github/workflows/x.yml@ref
// apart into acme/app and x.yml@ref.
func splitWorkflow(san string) (repo, file string, ok bool) {
	rest, ok := strings.CutPrefix(san, "https://github.com/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/.github/workflows/")
}

func issuerName(issuer string) string {
	if issuer == GitHubActionsIssuer {
		return "GitHub Actions"
	}
	return issuer
}

// shorten keeps the algorithm and 16 digits of a fingerprint.
func shorten(key string) string {
	if alg, hex, ok := strings.Cut(key, ":"); ok && len(hex) > 16 {
		return alg + ":" + hex[:16] + "…"
	}
	return key
}

// GitHubActionsIssuer is the issuer of tokens for jobs on github.com.
const GitHubActionsIssuer = "https://token.actions.githubusercontent.com"
