package verdict

import (
	"strconv"
	"strings"
)

// predicateWords are what people call a predicate type.
type predicateWords struct {
	name   string // in a list
	phrase string // in a sentence
}

// predicates are the well-known predicate types. It is the one such table.
func predicates() map[string]predicateWords {
	return map[string]predicateWords{
		"layout":                                                          {"sublayout", "a layout of its own, which must be satisfied"},
		"https://slsa.dev/provenance/v1":                                  {"SLSA provenance v1", "SLSA provenance v1"},
		"https://slsa.dev/provenance/v0.2":                                {"SLSA provenance v0.2", "SLSA provenance v0.2"},
		"https://slsa.dev/provenance/v0.1":                                {"SLSA provenance v0.1", "SLSA provenance v0.1"},
		"https://slsa.dev/verification_summary/v1":                        {"SLSA VSA v1", "a verification summary"},
		"https://slsa.dev/verification_summary/v0.2":                      {"SLSA VSA v0.2", "a verification summary"},
		"https://in-toto.io/attestation/link/v0.3":                        {"in-toto link v0.3", "an in-toto link"},
		"https://in-toto.io/Link/v1":                                      {"in-toto link", "an in-toto link"},
		"https://in-toto.io/Layout/v1":                                    {"in-toto layout", "an in-toto layout"},
		"https://in-toto.io/attestation/release/v0.1":                     {"release v0.1", "a release"},
		"https://in-toto.io/attestation/release/v0.2":                     {"release v0.2", "a release"},
		"https://in-toto.io/attestation/test-result/v0.1":                 {"test result v0.1", "a test result"},
		"https://in-toto.io/attestation/vulns/v0.1":                       {"vulnerability scan v0.1", "a vulnerability scan"},
		"https://in-toto.io/attestation/vulns/v0.2":                       {"vulnerability scan v0.2", "a vulnerability scan"},
		"https://in-toto.io/attestation/scai/v0.3":                        {"SCAI report v0.3", "a SCAI report"},
		"https://github.com/npm/attestation/tree/main/specs/publish/v0.1": {"npm publish v0.1", "an npm publish attestation"},
		"https://docs.pypi.org/attestations/publish/v1":                   {"PyPI publish v1", "a PyPI publish attestation"},
		"https://gitsign.sigstore.dev/predicate/git/v0.1":                 {"signed commit", "the commit itself"},
		"https://gitsign.sigstore.dev/predicate/tag/v0.1":                 {"signed tag", "a tag of the commit"},
		"https://gittuf.dev/reference-authorization/v0.1":                 {"gittuf authorization v0.1", "a gittuf authorization"},
		"https://gittuf.dev/reference-authorization/v0.2":                 {"gittuf authorization v0.2", "a gittuf authorization"},
		"https://gittuf.dev/github-pull-request-approval/v0.1":            {"gittuf approval v0.1", "a gittuf approval"},
		"https://sigstore.dev/cosign/sign/v1":                             {"cosign signature v1", "a cosign signature"},
		"https://cyclonedx.org/bom":                                       {"CycloneDX SBOM", "a CycloneDX SBOM"},
		"https://spdx.dev/Document":                                       {"SPDX SBOM", "an SPDX SBOM"},
		"https://spdx.dev/Document/v2.3":                                  {"SPDX SBOM v2.3", "an SPDX SBOM"},
	}
}

// PredicateName gives the short name of a well-known predicate type. Others are
// shown as they are, and in quotes unless they are URLs, so that no statement can
// call itself by one of those names. It is empty for none.
func PredicateName(uri string) string {
	switch words, ok := predicates()[uri]; {
	case ok:
		return words.name
	case uri == "", isURL(uri):
		return uri
	default:
		return strconv.Quote(uri)
	}
}

// PredicatePhrase is what a sentence calls a predicate type: "an in-toto link", or
// "a statement" for one that is not known.
func PredicatePhrase(uri string) string {
	if words, ok := predicates()[uri]; ok {
		return words.phrase
	}
	return "a statement"
}

// isURL reports whether uri is a web address of nothing but the characters of
// RFC 3986, without the comma, which ends a column here.
func isURL(uri string) bool {
	rest, ok := strings.CutPrefix(uri, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(uri, "http://")
	}
	return ok && strings.Trim(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+;=%") == ""
}
