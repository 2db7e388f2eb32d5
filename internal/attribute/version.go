package attribute

import (
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// versionMatches reports whether a tag is of the wanted version, of which as
// much counts as is given: v1.2 takes v1.2, v1.2.0 and v1.2.3, v1 all of them.
// A tag without a minor or patch version has zero there: v14.0 takes v14. Where
// the patch is given, a pre-release must be equal. Build metadata never counts.
//
// "Prerelease is validated as part of patch validation and must be equal. Build
// is discarded" (slsa-verifier, verifiers/internal/gha, VerifyVersionedTag).
// TestVersionMatches shows it.
func versionMatches(tag, wanted string) (bool, error) {
	if !semver.IsValid(wanted) {
		return false, fmt.Errorf("versionMatches: %q is not a semantic version such as v1, v1.2 or v1.2.3", wanted)
	}
	if !semver.IsValid(tag) {
		return false, nil
	}
	switch wanted, _, _ := strings.Cut(wanted, "+"); strings.Count(numbers(wanted), ".") {
	case 0:
		return semver.Major(tag) == semver.Major(wanted), nil
	case 1:
		return semver.MajorMinor(tag) == semver.MajorMinor(wanted), nil
	default:
		// Canonical fills in what is missing and drops the build metadata.
		return semver.Canonical(tag) == semver.Canonical(wanted), nil
	}
}

// numbers leaves out a pre-release, which may hold dots.
func numbers(version string) string {
	core, _, _ := strings.Cut(version, "-")
	return core
}
