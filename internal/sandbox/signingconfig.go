package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/root"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
)

// SigningConfig returns signing_config.json, of the media type
// application/vnd.dev.sigstore.signingconfig.v0.2+json. It names Rekor v2
// before Rekor v1: a signer that knows both takes v2.
func (s *Sandbox) SigningConfig() []byte { return bytes.Clone(s.signingConfig) }

func (s *Sandbox) encodeSigningConfig() ([]byte, error) {
	service := func(url string, version uint32) root.Service {
		return root.Service{
			URL: url, MajorAPIVersion: version, Operator: Domain,
			ValidityPeriodStart: s.sigstore.Now().AddDate(-5, 0, 0),
		}
	}
	var rekors []root.Service
	if s.config.RekorVersion != 1 {
		rekors = append(rekors, service(s.endpoints.RekorV2, 2))
	}
	if s.config.RekorVersion != 2 {
		rekors = append(rekors, service(s.endpoints.RekorV1, 1))
	}
	anyOne := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	config, err := root.NewSigningConfig(root.SigningConfigMediaType02,
		[]root.Service{service(s.endpoints.Fulcio, 1)},
		[]root.Service{service(s.endpoints.Issuer, 1)},
		rekors, anyOne,
		[]root.Service{service(s.endpoints.TSA, 1)}, anyOne)
	if err != nil {
		return nil, fmt.Errorf("writing signing config: %w", err)
	}
	encoded, err := config.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("writing signing config: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, encoded, "", "  "); err != nil {
		return nil, fmt.Errorf("writing signing config: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}
