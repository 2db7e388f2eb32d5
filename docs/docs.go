// Package docs holds the pages that the program itself quotes, so that what it
// says of a finding is what the documentation says.
package docs

import _ "embed"

// Findings is findings.md, which has a section for every finding.
//
//go:embed findings.md
var Findings string
