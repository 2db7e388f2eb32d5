package report

import "fmt"

// Stored is what became of a bundle in a place that was asked for.
type Stored struct {
	Bundle int    // which of the bundles, counted from 0
	Sink   string // the kind of place, as --store names it
	Where  string // the place within it: a file, a ref, an image, an attestation of a repository
	ID     string // what the place calls it; empty where it does not
	URL    string // of the page where a person finds it; empty for none
	// Already tells that the very same bundle was there before.
	Already bool
	Error   string // why it is not there; empty where it is
	Next    string // what to do about that
}

type storedView struct {
	Bundle  int    `json:"bundle"`
	Sink    string `json:"sink"`
	Where   string `json:"where"`
	ID      string `json:"id"`
	URL     string `json:"url"`
	Already bool   `json:"already"`
	Error   string `json:"error"`
	Next    string `json:"next"`
}

// maxStored is how many places of a bundle a report that is not verbose names.
const maxStored = 10

// stored tells where the bundle b is beside its file and its note, and where it is not.
func (p *page) stored(d Signed, b int) {
	var there, failed []string
	for _, s := range d.Stored {
		switch {
		case s.Bundle != b:
		case s.Error != "":
			failed = append(failed, clean(s.Error, maxProse)) // which says where
		case s.Where != d.Bundles[b].Path && s.Where != d.Bundles[b].Ref:
			there = append(there, s.text())
		}
	}
	if n := len(there) - maxStored; n > 0 && !p.verbose {
		there = append(there[:maxStored:maxStored], fmt.Sprintf("and in %d more places", n))
	}
	for _, text := range there {
		p.line(2, plain, "", "stored  "+text)
	}
	for _, text := range failed {
		p.line(2, red, "failed", "  "+text)
	}
}

// text names the place.
func (s Stored) text() string {
	text := Clean(s.Where)
	if s.Sink == "oci" {
		text = "with " + text
	}
	if s.URL != "" {
		text += ", " + Clean(s.URL)
	}
	if s.Already {
		text += " (it was there already)"
	}
	return text
}
