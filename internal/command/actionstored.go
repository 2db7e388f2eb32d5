package command

import (
	"strings"

	"github.com/signatus-dev/signatus/internal/actions"
	"github.com/signatus-dev/signatus/internal/report"
)

// The outputs with which actions/attest says what GitHub keeps.
const (
	outputID  = "attestation-id"
	outputURL = "attestation-url"
)

// atGitHub are the outputs of what is kept as attestations of the repository: those of
// several bundles with commas, in their order. GitHub does not tell the number of one
// that was there already.
func (s *step) atGitHub() []actions.Output {
	var ids, urls []string
	for _, kept := range s.stored() {
		if kept.Sink != storeGitHub || kept.Error != "" {
			continue
		}
		if kept.ID != "" {
			ids = append(ids, kept.ID)
		}
		urls = append(urls, kept.URL)
	}
	return []actions.Output{{Name: outputID, Value: strings.Join(ids, ",")}, {Name: outputURL, Value: strings.Join(urls, ",")}}
}

// inFolders are the files of --store dir.
func (s *step) inFolders() (files []string) {
	for _, kept := range s.stored() {
		if kept.Sink == storeDir && kept.Error == "" {
			files = append(files, kept.Where)
		}
	}
	return files
}

// stored is what became of bundles; nothing where none was signed.
func (s *step) stored() []report.Stored {
	if s.signed == nil {
		return nil
	}
	return s.signed.Stored
}
