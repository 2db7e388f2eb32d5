package report

import (
	"strconv"
	"strings"
)

// predicateName gives the short name of a well-known predicate type. Others are
// shown as they are, and in quotes unless they are URLs, so that no statement
// can call itself by one of the names below. It is empty for none.
func predicateName(uri string) string {
	known := map[string]string{
		"https://slsa.dev/provenance/v1":                                  "SLSA provenance v1",
		"https://slsa.dev/provenance/v0.2":                                "SLSA provenance v0.2",
		"https://slsa.dev/provenance/v0.1":                                "SLSA provenance v0.1",
		"https://slsa.dev/verification_summary/v1":                        "SLSA VSA v1",
		"https://slsa.dev/verification_summary/v0.2":                      "SLSA VSA v0.2",
		"https://in-toto.io/attestation/link/v0.3":                        "in-toto link v0.3",
		"https://in-toto.io/Link/v1":                                      "in-toto link",
		"https://in-toto.io/Layout/v1":                                    "in-toto layout",
		"https://in-toto.io/attestation/release/v0.1":                     "release v0.1",
		"https://in-toto.io/attestation/release/v0.2":                     "release v0.2",
		"https://in-toto.io/attestation/test-result/v0.1":                 "test result v0.1",
		"https://in-toto.io/attestation/vulns/v0.1":                       "vulnerability scan v0.1",
		"https://in-toto.io/attestation/vulns/v0.2":                       "vulnerability scan v0.2",
		"https://in-toto.io/attestation/scai/v0.3":                        "SCAI report v0.3",
		"https://github.com/npm/attestation/tree/main/specs/publish/v0.1": "npm publish v0.1",
		"https://docs.pypi.org/attestations/publish/v1":                   "PyPI publish v1",
		"https://gitsign.sigstore.dev/predicate/git/v0.1":                 "signed commit",
		"https://gitsign.sigstore.dev/predicate/tag/v0.1":                 "signed tag",
		"https://gittuf.dev/reference-authorization/v0.1":                 "gittuf authorization v0.1",
		"https://gittuf.dev/reference-authorization/v0.2":                 "gittuf authorization v0.2",
		"https://gittuf.dev/github-pull-request-approval/v0.1":            "gittuf approval v0.1",
		"layout":                              "sublayout",
		"https://sigstore.dev/cosign/sign/v1": "cosign signature v1",
		"https://cyclonedx.org/bom":           "CycloneDX SBOM",
		"https://spdx.dev/Document":           "SPDX SBOM",
		"https://spdx.dev/Document/v2.3":      "SPDX SBOM v2.3",
	}
	switch name, ok := known[uri]; {
	case ok:
		return name
	case uri == "", isURL(uri):
		return uri
	default:
		return strconv.Quote(uri)
	}
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
