package attestationtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/proto"
)

// breakBundle changes a genuine bundle.
func (d *draft) breakBundle(b Break) error {
	switch b {
	case BreakPayload, BreakSignature, BreakTwoSignatures:
		return d.breakContent(b)
	case BreakPromise, BreakIntegratedTime, BreakOtherEntry, BreakDuplicateEntry, BreakNoEntry:
		return d.breakEntry(b)
	case BreakInclusionProof, BreakNoInclusionProof, BreakCheckpointKey, BreakCheckpointOrigin:
		return d.breakProof(b)
	case BreakUnknownTSA, BreakOtherTimestamp, BreakTimestampTime, BreakManyTimestamps, BreakNoTimestamp:
		return d.breakTimestamp(b)
	case BreakCertificateChain, BreakEmptyCertificate:
		return d.breakMaterial(b)
	default:
		return errUnknownBreak(b)
	}
}

// breakContent changes the envelope or message signature.
func (d *draft) breakContent(b Break) error {
	envelope, message := d.bundle.GetDsseEnvelope(), d.bundle.GetMessageSignature()
	switch {
	case b == BreakPayload && envelope != nil:
		envelope.Payload = append(envelope.Payload, '\n')
	case b == BreakPayload:
		flipLastBit(message.GetMessageDigest().GetDigest())
	case b == BreakSignature && envelope != nil:
		flipLastBit(envelope.GetSignatures()[0].GetSig())
	case b == BreakSignature:
		flipLastBit(message.GetSignature())
	case b == BreakTwoSignatures && envelope != nil:
		stranger, err := d.instance.stranger()
		if err != nil {
			return err
		}
		key, err := stranger.NewKey("second signature")
		if err != nil {
			return err
		}
		signer, err := newBundleSigner(key.Signer)
		if err != nil {
			return err
		}
		second, err := signer.signPayload(envelope.GetPayloadType(), envelope.GetPayload())
		if err != nil {
			return err
		}
		envelope.Signatures = append(envelope.Signatures, &protodsse.Signature{Sig: second.signature})
	default:
		return errMissing("envelope")
	}
	return nil
}

// breakEntry changes the log entry as a whole, or its promise.
func (d *draft) breakEntry(b Break) error {
	material := d.bundle.GetVerificationMaterial()
	if len(material.GetTlogEntries()) == 0 {
		return errMissing("log entry")
	}
	entry := material.GetTlogEntries()[0]
	switch b {
	case BreakPromise, BreakIntegratedTime:
		return d.breakPromise(b, entry)
	case BreakOtherEntry:
		other, err := d.signOtherContent()
		if err != nil {
			return err
		}
		entry, err := d.logContent(other)
		if err != nil {
			return err
		}
		material.TlogEntries[0] = entry
	case BreakDuplicateEntry:
		material.TlogEntries = append(material.TlogEntries, proto.CloneOf(entry))
	case BreakNoEntry:
		material.TlogEntries = nil
	default:
		return errUnknownBreak(b)
	}
	return nil
}

// breakPromise signs another promise for the entry.
func (d *draft) breakPromise(b Break, entry *protorekor.TransparencyLogEntry) error {
	if entry.GetInclusionPromise() == nil {
		return errMissing("inclusion promise")
	}
	log := d.instance.RekorV1
	if b == BreakPromise {
		stranger, err := d.instance.stranger()
		if err != nil {
			return err
		}
		log = stranger.RekorV1
	} else {
		late, err := d.afterValidity()
		if err != nil {
			return err
		}
		entry.IntegratedTime = late.Unix()
	}
	promise, err := log.promise(entry)
	if err != nil {
		return err
	}
	entry.InclusionPromise = promise
	return nil
}

// breakProof changes the entry's inclusion proof or its checkpoint.
func (d *draft) breakProof(b Break) error {
	entries := d.bundle.GetVerificationMaterial().GetTlogEntries()
	if len(entries) == 0 || entries[0].GetInclusionProof() == nil {
		return errMissing("inclusion proof")
	}
	proof := entries[0].GetInclusionProof()
	state := checkpoint{size: uint64(proof.GetTreeSize()), root: proof.GetRootHash()}
	switch b {
	case BreakNoInclusionProof:
		if d.request.BundleVersion == "0.1" {
			return errors.New("a bundle 0.1 needs no inclusion proof")
		}
		entries[0].InclusionProof = nil
		return nil
	case BreakInclusionProof:
		flipLastBit(proof.GetHashes()[0])
		return nil
	case BreakCheckpointKey:
		stranger, err := d.instance.stranger()
		if err != nil {
			return err
		}
		log := d.instance.checkpointLog(d.request.Entry)
		forger := log.signer
		forger.sign = stranger.checkpointLog(d.request.Entry).signer.sign
		state.origin = log.origin
		proof.Checkpoint.Envelope, err = state.sign(forger)
		return err
	case BreakCheckpointOrigin:
		log := d.instance.checkpointLog(d.request.Entry)
		state.origin = "other." + log.origin
		var err error
		proof.Checkpoint.Envelope, err = state.sign(log.signer)
		return err
	default:
		return errUnknownBreak(b)
	}
}

// checkpointLog returns the log that keeps this kind of entry.
func (s *Sigstore) checkpointLog(kind LogEntry) *checkpointLog {
	if kind == EntryV2 {
		return s.RekorV2.log
	}
	return s.RekorV1.log
}

// breakTimestamp changes the timestamps.
func (d *draft) breakTimestamp(b Break) error {
	material := d.bundle.GetVerificationMaterial()
	if material.GetTimestampVerificationData() == nil {
		return errMissing("timestamp")
	}
	tsa, at, signature := d.instance.TSA, d.request.At, d.signature()
	switch b {
	case BreakNoTimestamp:
		material.TimestampVerificationData = nil
		return nil
	case BreakUnknownTSA:
		stranger, err := d.instance.stranger()
		if err != nil {
			return err
		}
		return d.setTimestamps(stranger.TSA, signature, at)
	case BreakOtherTimestamp:
		other, err := d.signOtherContent()
		if err != nil {
			return err
		}
		return d.setTimestamps(tsa, other.signature, at)
	case BreakTimestampTime:
		late, err := d.afterValidity()
		if err != nil {
			return err
		}
		return d.setTimestamps(tsa, signature, late)
	case BreakManyTimestamps:
		return d.setTimestamps(tsa, signature, slices.Repeat([]time.Time{at}, 33)...)
	default:
		return errUnknownBreak(b)
	}
}

// breakMaterial changes how the bundle holds its certificate.
func (d *draft) breakMaterial(b Break) error {
	certificate, material := d.signer.certificate, d.bundle.GetVerificationMaterial()
	if certificate == nil {
		return errMissing("certificate")
	}
	switch b {
	case BreakCertificateChain:
		if d.request.BundleVersion != "0.3" {
			return fmt.Errorf("a bundle %s may hold a chain", d.request.BundleVersion)
		}
		material.Content = chainMaterial(encodeCertificates(certificate.withChain()...)).Content
	case BreakEmptyCertificate:
		empty := &protocommon.X509Certificate{}
		if material.GetCertificate() == nil {
			material.Content = chainMaterial([]*protocommon.X509Certificate{empty}).Content
			return nil
		}
		material.Content = &protobundle.VerificationMaterial_Certificate{Certificate: empty}
	default:
		return errUnknownBreak(b)
	}
	return nil
}

// signature returns the bundle's first signature.
func (d *draft) signature() []byte {
	if message := d.bundle.GetMessageSignature(); message != nil {
		return message.GetSignature()
	}
	return d.bundle.GetDsseEnvelope().GetSignatures()[0].GetSig()
}

// signOtherContent has the same signer sign something else.
func (d *draft) signOtherContent() (signedContent, error) {
	if d.request.Payload == nil {
		digest := slices.Clone(d.request.MessageDigest)
		flipLastBit(digest)
		return d.signer.signMessageDigest(digest)
	}
	return d.signer.signPayload(d.request.PayloadType, append(slices.Clone(d.request.Payload), ' '))
}

// afterValidity returns an hour after the end of the certificate's validity.
func (d *draft) afterValidity() (time.Time, error) {
	if d.signer.certificate == nil {
		return time.Time{}, errMissing("certificate")
	}
	return d.signer.certificate.Leaf.NotAfter.Add(time.Hour), nil
}

// flipLastBit keeps a signature in DER well-formed.
func flipLastBit(b []byte) { b[len(b)-1] ^= 1 }
