package report

import (
	"cmp"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// physical is where a finding is shown: at the layout's line, or at the artifact.
func (r *sarifRun) physical(d Document, a artifact.Artifact, f verdict.Finding) sarifPhysical {
	file, line, column := place(f.Where)
	switch {
	case line > 0:
		return sarifPhysical{r.fileURI(file), &sarifRegion{line, column}}
	case file != "":
		return sarifPhysical{Artifact: r.fileURI(file)}
	default:
		return sarifPhysical{Artifact: r.artifactURI(d, a)}
	}
}

// place splits "file:line:column". What has no numbers is a file.
func place(where string) (file string, line, column int) {
	rest, last, ok := cutLast(where)
	file, middle, both := cutLast(rest)
	if ok && both {
		line, lineErr := strconv.Atoi(middle)
		column, columnErr := strconv.Atoi(last)
		if lineErr == nil && columnErr == nil && line > 0 && column > 0 && file != "" {
			return file, line, column
		}
	}
	return where, 0, 0
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// artifactURI names an artifact: by its file, or by what the caller typed, which
// for a digest or an image is a URI already. Where none is bound, it is the layout
// that was judged.
func (r *sarifRun) artifactURI(d Document, a artifact.Artifact) sarifURI {
	if !bound(a) {
		return r.fileURI(cmp.Or(d.Layout.Name, "artifact"))
	}
	if a.Name == "" && len(a.Given) <= maxURI {
		if u, err := url.Parse(a.Given); err == nil && u.Scheme != "" {
			return sarifURI{URI: u.String()}
		}
	}
	return r.fileURI(cmp.Or(a.Given, a.Name, "artifact"))
}

// maxURI bounds a location, in bytes before they are escaped.
const maxURI = 2048

// fileURI is a path as a URI reference: from the repository's root where it lies in
// that, so that an alert finds it, or as it was typed.
func (r *sarifRun) fileURI(name string) sarifURI {
	name = name[:min(len(name), maxURI)]
	if within, ok := r.options.relative(name); ok {
		return sarifURI{URI: (&url.URL{Path: within}).String(), Base: sourceRoot}
	}
	if path.IsAbs(name) {
		return sarifURI{URI: (&url.URL{Scheme: "file", Path: path.Clean(name)}).String()}
	}
	return sarifURI{URI: (&url.URL{Path: path.Clean(name)}).String()}
}

// relative is where a file lies from the repository's root, and whether it does.
func (o Options) relative(name string) (string, bool) {
	if o.Relative != nil {
		within, ok := o.Relative(name)
		return path.Clean(filepath.ToSlash(within)), ok
	}
	name = path.Clean(name)
	return name, filepath.IsLocal(name)
}
