// Package layouts holds the ready-made layouts, so that programs and tests read
// the files that users copy.
package layouts

import "embed"

// Files are the layouts, by file name.
//
//go:embed *.yml *.layout
var Files embed.FS
