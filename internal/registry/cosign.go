package registry

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The older form, in which cosign before v3 and slsa-github-generator keep attestations:
// the layers of an image at the tag sha256-HEX.att are DSSE envelopes, and what verifies
// them stands in the layers' annotations.
//
// Source: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md and
// specs/ATTESTATION_SPEC.md
const (
	cosignSuffix       = ".att"
	envelopeType       = "application/vnd.dsse.envelope.v1+json"
	cosignCertificate  = "dev.sigstore.cosign/certificate"
	cosignEntry        = "dev.sigstore.cosign/bundle"
	cosignTimestamp    = "dev.sigstore.cosign/rfc3161timestamp"
	bundleTypeOfCosign = "application/vnd.dev.sigstore.bundle+json;version=0.1"
)

// ofCosign reads the attestations of an image in the older form; none where there is no
// such tag.
func (c *Client) ofCosign(ctx context.Context, image Reference) (found []Referrer) {
	tag := fallbackTag(image) + cosignSuffix
	at := image
	err := c.trying(ctx, asking{image: image, doing: "reading the attestations in the tag " + tag + " of " + image.Name()}, func(ctx context.Context) error {
		found = nil
		s, err := c.open(ctx, image, false)
		if err != nil {
			return err
		}
		d, err := s.manifest(ctx, tag)
		if isStatus(err, http.StatusNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		at = image.with(d.descriptor.Digest)
		if len(d.Layers) > MaxReferrers {
			return tooMany()
		}
		for _, layer := range d.Layers {
			if layer.MediaType != envelopeType {
				continue
			}
			envelope, err := s.layer(ctx, layer)
			if err != nil {
				return err
			}
			bundle, err := bundleOf(envelope, layer.Annotations)
			if err != nil {
				err = &Error{Registry: image.Host(), Doing: "reading an attestation in the tag " + tag + " of " + image.Name(), Content: true, Err: err}
			}
			found = append(found, Referrer{Reference: at, Bundle: bundle, Err: err})
		}
		return nil
	})
	if err != nil {
		return []Referrer{{Reference: at, Err: err}}
	}
	return found
}

// logEntry is an entry of Rekor v1 as cosign writes it.
type logEntry struct {
	SignedEntryTimestamp []byte `json:"SignedEntryTimestamp"`
	Payload              struct {
		Body           []byte `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"`
	} `json:"Payload"`
}

// material is a bundle's verification material, with its fields in the order of the
// specification.
type material struct {
	Chain      chain       `json:"x509CertificateChain"`
	Entries    []entry     `json:"tlogEntries"`
	Timestamps *timestamps `json:"timestampVerificationData,omitzero"`
}

type chain struct {
	Certificates []rawBytes `json:"certificates"`
}

type rawBytes struct {
	RawBytes []byte `json:"rawBytes"`
}

type entry struct {
	LogIndex string `json:"logIndex"`
	LogID    struct {
		KeyID []byte `json:"keyId"`
	} `json:"logId"`
	KindVersion struct {
		Kind    string `json:"kind"`
		Version string `json:"version"`
	} `json:"kindVersion"`
	IntegratedTime   string `json:"integratedTime"`
	InclusionPromise struct {
		SignedEntryTimestamp []byte `json:"signedEntryTimestamp"`
	} `json:"inclusionPromise"`
	CanonicalizedBody []byte `json:"canonicalizedBody"`
}

type timestamps struct {
	RFC3161 []struct {
		SignedTimestamp []byte `json:"signedTimestamp"`
	} `json:"rfc3161Timestamps"`
}

// bundleOf makes a Sigstore bundle of an envelope and its layer's annotations. Nothing is
// checked by that: it is opened as any other. Without a certificate the envelope stays
// what it is, which a key can open.
func bundleOf(envelope []byte, annotations map[string]string) ([]byte, error) {
	if annotations[cosignCertificate] == "" {
		return envelope, nil
	}
	block, _ := pem.Decode([]byte(annotations[cosignCertificate]))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("its annotation %s is no certificate in PEM", cosignCertificate)
	}
	m := material{Chain: chain{[]rawBytes{{block.Bytes}}}, Entries: []entry{}}
	if text := annotations[cosignEntry]; text != "" && text != "null" {
		e, err := readEntry([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("its annotation %s: %w", cosignEntry, err)
		}
		m.Entries = append(m.Entries, e)
	}
	if text := annotations[cosignTimestamp]; text != "" && text != "null" {
		var stamp struct {
			SignedRFC3161Timestamp []byte `json:"SignedRFC3161Timestamp"`
		}
		if err := json.Unmarshal([]byte(text), &stamp); err != nil || len(stamp.SignedRFC3161Timestamp) == 0 {
			return nil, fmt.Errorf("its annotation %s is no timestamp", cosignTimestamp)
		}
		m.Timestamps = &timestamps{RFC3161: []struct {
			SignedTimestamp []byte `json:"signedTimestamp"`
		}{{stamp.SignedRFC3161Timestamp}}}
	}
	if !jsontext.Value(bytes.TrimSpace(envelope)).IsValid() {
		return nil, errors.New("it is no DSSE envelope: not JSON")
	}
	return json.Marshal(struct {
		MediaType            string         `json:"mediaType"`
		VerificationMaterial material       `json:"verificationMaterial"`
		Envelope             jsontext.Value `json:"dsseEnvelope"`
	}{bundleTypeOfCosign, m, jsontext.Value(envelope)})
}

// readEntry reads an entry of the log.
func readEntry(text []byte) (entry, error) {
	var have logEntry
	if err := json.Unmarshal(text, &have); err != nil {
		return entry{}, errors.New("it is no entry of a log, a JSON object of that form")
	}
	var body struct {
		Kind    string `json:"kind"`
		Version string `json:"apiVersion"`
	}
	if err := json.Unmarshal(have.Payload.Body, &body); err != nil {
		return entry{}, errors.New("its body is no entry of a log")
	}
	id, err := hex.DecodeString(have.Payload.LogID)
	if err != nil {
		return entry{}, errors.New("its log's id is not hexadecimal")
	}
	var e entry
	e.LogIndex, e.IntegratedTime = strconv.FormatInt(have.Payload.LogIndex, 10), strconv.FormatInt(have.Payload.IntegratedTime, 10)
	e.LogID.KeyID, e.KindVersion.Kind, e.KindVersion.Version = id, body.Kind, body.Version
	e.InclusionPromise.SignedEntryTimestamp, e.CanonicalizedBody = have.SignedEntryTimestamp, have.Payload.Body
	return e, nil
}
