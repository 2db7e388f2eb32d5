package command

import (
	"fmt"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/layout"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// maxLayoutFile bounds a layout's file with the signatures around it: base64,
// certificates and log entries.
const maxLayoutFile = 4 * layout.MaxBytes

// readLayout reads a layout's file, signed or not.
func readLayout(env Env, name string) ([]byte, error) {
	data, err := evidence.Read(env.FS, name, maxLayoutFile)
	if err == nil && len(data) > layout.MaxBytes && !attestation.HoldsLayout(data) {
		err = fmt.Errorf("more than %d MiB, which is the most that is read of a layout", layout.MaxBytes>>20)
	}
	return data, err
}

// layoutText is the text of a layout's file as it stands, whoever signed it, and
// what it is called: as the file, or as the payload in it.
func layoutText(name string, data []byte) (text []byte, where string, finding *verdict.Finding) {
	if !attestation.HoldsLayout(data) {
		return data, name, nil
	}
	envelope, refused := attestation.ReadLayoutEnvelope(name, data)
	if refused != nil {
		f := refused.Finding()
		return nil, name, &f
	}
	return envelope.Unverified(), name + " payload", nil
}
