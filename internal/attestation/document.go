package attestation

import (
	"encoding/base64"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// candidatesOfList reads {"attestations":[{"bundle":…}]}: the answer of the npm
// registry (/-/npm/v1/attestations/NAME@VERSION, where predicateType stands
// beside each bundle and is not believed) and of GitHub's API
// (/repos/O/R/attestations/DIGEST).
func candidatesOfList(source string, document object) ([]Candidate, []*Refusal) {
	return candidatesOfElements(source, document.get("attestations"), 0, func(source string, element object) (Candidate, *Refusal) {
		bundle, err := scanObject(element.get("bundle"))
		if err != nil {
			why := &reason{found: "the attestation has no bundle", expected: `an object under "bundle"`}
			if element.text("bundle_url") != "" {
				why.next = "fetch the bundle from its bundle_url"
			}
			return Candidate{}, refuse(source, verdict.BundleMalformed, why)
		}
		return candidateOf(source, bundle)
	})
}

// candidatesOfProvenance reads a PEP 740 provenance object, as PyPI serves it
// at /integrity/PROJECT/VERSION/FILE/provenance.
//
// "attestation_bundles: an array of attestation bundle objects … attestations:
// an array of attestation objects" (PEP 740, Provenance Objects). The publisher
// beside them is the index's word and is not believed.
func candidatesOfProvenance(source string, document object) (found []Candidate, refused []*Refusal) {
	if why := pep740Version(document); why != nil {
		return nil, []*Refusal{why.at(source)}
	}
	bundles, err := elements(document.get("attestation_bundles"))
	if err != nil {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, listError("attestation_bundles", err))}
	}
	for _, raw := range bundles {
		bundle, err := scanObject(raw)
		if err != nil {
			refused = append(refused, refuse(source, verdict.BundleMalformed, listError("attestation_bundles", err)))
			continue
		}
		f, r := candidatesOfElements(source, bundle.get("attestations"), len(found)+len(refused), candidateOfPEP740)
		found, refused = append(found, f...), append(refused, r...)
	}
	return found, refused
}

// candidatesOfElements reads each element of a list of attestations; before is
// the number of those that stand before them in the same document.
func candidatesOfElements(source string, list jsontext.Value, before int, read func(string, object) (Candidate, *Refusal)) (found []Candidate, refused []*Refusal) {
	all, err := elements(list)
	if err != nil {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, listError("attestations", err))}
	}
	if len(all) == 0 {
		why := &reason{found: "the document lists no attestations", expected: "at least one", next: "ask the publisher to sign"}
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, why)}
	}
	if len(all) > MaxPieces {
		why := &reason{found: fmt.Sprintf("%d attestations", len(all)), expected: fmt.Sprintf("at most %d in one file", MaxPieces)}
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, why)}
	}
	for i, raw := range all {
		place := fmt.Sprintf("%s attestation %d", source, before+i+1)
		element, err := scanObject(raw)
		if err != nil {
			refused = append(refused, refuse(place, verdict.BundleMalformed, notRead(err)))
			continue
		}
		if c, why := read(place, element); why != nil {
			refused = append(refused, why)
		} else {
			found = append(found, c)
		}
	}
	return found, refused
}

func listError(name string, err error) error {
	return &reason{found: fmt.Sprintf("reading %q", name), cause: err, expected: "a list of attestations"}
}

// candidateOfPEP740 turns a PEP 740 attestation into the bundle it was made of.
//
// "verification_material: { certificate: the base64-encoded DER certificate,
// transparency_entries: one or more transparency log entries }, envelope: {
// statement: the base64-encoded attestation payload, signature: the
// base64-encoded signature over the DSSE pre-authentication encoding }" (PEP
// 740, Attestation objects). The payload's type is in-toto's, as
// pypi-attestations' Attestation.to_bundle sets it.
func candidateOfPEP740(source string, document object) (Candidate, *Refusal) {
	if why := pep740Version(document); why != nil {
		return Candidate{}, why.at(source)
	}
	pb, err := bundleOfPEP740(document)
	if err != nil {
		why := &reason{found: "reading the PEP 740 attestation", cause: err, expected: "version 1 as PyPI serves it", next: "fetch it again from the index"}
		return Candidate{}, refuse(source, verdict.BundleMalformed, why)
	}
	return newCandidate(source, document.raw, pb)
}

func bundleOfPEP740(document object) (*protobundle.Bundle, error) {
	material, err := scanObject(document.get("verification_material"))
	if err != nil {
		return nil, fmt.Errorf("reading verification_material: %w", err)
	}
	envelope, err := scanObject(document.get("envelope"))
	if err != nil {
		return nil, fmt.Errorf("reading envelope: %w", err)
	}
	certificate, err := base64Member(material, "certificate")
	if err != nil {
		return nil, err
	}
	statement, err := base64Member(envelope, "statement")
	if err != nil {
		return nil, err
	}
	signature, err := base64Member(envelope, "signature")
	if err != nil {
		return nil, err
	}
	entries, err := elements(material.get("transparency_entries"))
	if err != nil {
		return nil, fmt.Errorf("reading transparency_entries: %w", err)
	}
	pb := &protobundle.Bundle{
		MediaType: mediaType + ".v0.3+json",
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content: &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: certificate}},
		},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: statement, PayloadType: payloadType, Signatures: []*protodsse.Signature{{Sig: signature}},
		}},
	}
	for i, raw := range entries {
		var entry protorekor.TransparencyLogEntry
		if err := protojson.Unmarshal(raw, &entry); err != nil {
			return nil, fmt.Errorf("reading transparency entry %d: %w", i+1, protoError(err))
		}
		pb.VerificationMaterial.TlogEntries = append(pb.VerificationMaterial.TlogEntries, &entry)
	}
	return pb, nil
}

func base64Member(o object, name string) ([]byte, error) {
	value, err := base64.StdEncoding.Strict().DecodeString(o.text(name))
	if err != nil || len(value) == 0 {
		return nil, fmt.Errorf("reading %s: not base64", name)
	}
	return value, nil
}

// placeless is a refusal that does not know its place yet.
type placeless struct {
	id  verdict.ID
	why error
}

func (p *placeless) at(source string) *Refusal { return refuse(source, p.id, p.why) }

// pep740Version holds "version: the attestation object's version, which is
// always 1".
func pep740Version(document object) *placeless {
	switch version := string(document.get("version")); version {
	case "1":
		return nil
	case "":
		return &placeless{verdict.BundleMalformed, &reason{found: "the PEP 740 object has no version", expected: "version 1"}}
	default:
		return &placeless{verdict.BundleTooNew, &reason{found: fmt.Sprintf("this is a PEP 740 object of version %.16s", version), expected: "version 1", next: "use a newer signatus"}}
	}
}
