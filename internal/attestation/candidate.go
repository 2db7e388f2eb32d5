package attestation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"golang.org/x/mod/semver"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/signatus-dev/signatus/internal/gitobject"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Candidate is one bundle as it was found. Nothing in it is believed, and
// nothing that it claims can be read from it. The zero value opens as nothing.
type Candidate struct {
	source, digest string
	entity         *entity
}

// Source says where it was found: "app.sigstore.json",
// "app.sigstore.jsonl line 3", "provenance.json attestation 2".
func (c Candidate) Source() string { return c.source }

// Digest is "sha256:" and the hex digest of the candidate's own JSON bytes,
// without white space around them. It tells equal candidates apart.
func (c Candidate) Digest() string { return c.digest }

// Candidates splits a file into candidates. It reads
//
//   - one Sigstore bundle, v0.1 to v0.3, as JSON;
//   - JSON lines, one bundle a line, blank lines allowed;
//   - an attestations document of the npm registry or of GitHub's API,
//     {"attestations":[{"bundle":…}]};
//   - a PEP 740 attestation or provenance object, as PyPI serves them;
//   - a bare DSSE envelope, which a key alone can open, or gittuf's, with a signature
//     through Sigstore;
//   - a raw git commit or tag, as git cat-file prints it.
//
// A piece that cannot be read is returned in refused with its place; the others
// are still returned. Their order is that of the file.
func Candidates(source string, data []byte) (found []Candidate, refused []*Refusal) {
	if gitobject.LooksSigned(data) {
		return one(CandidateOfObject(Object{Source: source, Data: data}))
	}
	if why := notJSON(data); why != nil {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, why)}
	}
	if len(data) > MaxBundleSize {
		if !bytes.Contains(data, []byte("\n")) {
			return nil, []*Refusal{refuse(source, verdict.BundleMalformed, tooLarge(len(data)))}
		}
		return candidateLines(source, data)
	}
	document, err := scanObject(data)
	if err != nil {
		if looksLikeLines(data) {
			return candidateLines(source, data)
		}
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, notRead(err))}
	}
	rest := bytes.TrimSpace(document.rest)
	switch {
	case len(rest) == 0:
		return candidatesOf(source, document)
	case startsLine(document.rest) && !bytes.Contains(document.raw, []byte("\n")):
		return candidateLines(source, data)
	}
	return nil, []*Refusal{refuse(source, verdict.BundleMalformed, trailing(data, bytes.LastIndex(data, rest)))}
}

func tooLarge(size int) error {
	return &reason{found: fmt.Sprintf("%d bytes in one piece", size), expected: fmt.Sprintf("at most %d", MaxBundleSize)}
}

func notRead(err error) error {
	return &reason{found: "reading the bundle", cause: err, expected: "one JSON object with unique keys, in UTF-8", next: "fetch it again; if it is the same, ask its publisher"}
}

func trailing(data []byte, offset int) error {
	return &reason{
		found:    fmt.Sprintf("%s: more data after the document", place(data, int64(offset))),
		expected: "one document, or one bundle a line",
		next:     "keep one bundle a file, or write each on a line of its own (jq -c)",
	}
}

// startsLine reports whether the next thing after white space is on a new line.
func startsLine(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r")
	return len(rest) > 0 && rest[0] == '\n'
}

// looksLikeLines reports whether the text is JSON lines, of which some may be
// broken: there are several lines, and one that is not indented looks like a
// whole object.
func looksLikeLines(data []byte) bool {
	count, whole := 0, false
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, " \t\r\n")
		if len(line) == 0 {
			continue
		}
		count++
		whole = whole || len(line) > 2 && line[0] == '{' && line[len(line)-1] == '}'
		if count > 1 && whole {
			return true
		}
	}
	return false
}

// candidateLines reads JSON lines. Lines are independent of one another and
// parsing them costs more than finding them, so they are read in parallel.
func candidateLines(source string, data []byte) (found []Candidate, refused []*Refusal) {
	type piece struct {
		source string
		line   []byte
		found  []Candidate
		refuse []*Refusal
	}
	var pieces []*piece
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
		case len(pieces) == MaxPieces:
			why := &reason{found: fmt.Sprintf("more than %d lines", MaxPieces), expected: fmt.Sprintf("at most %d bundles in one file", MaxPieces), next: "split the file"}
			return nil, []*Refusal{refuse(source, verdict.BundleMalformed, why)}
		default:
			pieces = append(pieces, &piece{source: fmt.Sprintf("%s line %d", source, number), line: line})
		}
	}
	parallel(len(pieces), func(i int) {
		p := pieces[i]
		p.found, p.refuse = candidateLine(p.source, p.line)
	})
	for _, p := range pieces {
		found, refused = append(found, p.found...), append(refused, p.refuse...)
	}
	return found, refused
}

func candidateLine(source string, line []byte) (found []Candidate, refused []*Refusal) {
	why := notJSON(line)
	if why == nil && len(line) > MaxBundleSize {
		why = tooLarge(len(line))
	}
	if why != nil {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, why)}
	}
	document, err := scanObject(line)
	if err != nil {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, notRead(err))}
	}
	if len(document.rest) > 0 {
		return nil, []*Refusal{refuse(source, verdict.BundleMalformed, trailing(line, len(line)-len(document.rest)))}
	}
	return candidatesOf(source, document)
}

// parallel calls do(0) to do(n-1), on as many goroutines as there are cores.
func parallel(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}

// candidatesOf tells by its keys what kind of document an object is.
func candidatesOf(source string, document object) ([]Candidate, []*Refusal) {
	switch {
	case document.has("attestations") && !document.has("mediaType"):
		return candidatesOfList(source, document)
	case document.has("attestation_bundles"):
		return candidatesOfProvenance(source, document)
	case document.has("verification_material", "envelope") && !document.has("mediaType"):
		return one(candidateOfPEP740(source, document))
	case isEnvelope(document):
		return candidatesOfEnvelope(source, document)
	}
	return one(candidateOf(source, document))
}

func one(c Candidate, refused *Refusal) ([]Candidate, []*Refusal) {
	if refused != nil {
		return nil, []*Refusal{refused}
	}
	return []Candidate{c}, nil
}

const mediaType = "application/vnd.dev.sigstore.bundle"

// candidateOf reads one Sigstore bundle.
func candidateOf(source string, document object) (Candidate, *Refusal) {
	if why := tooNew(document.text("mediaType")); why != nil {
		return Candidate{}, refuse(source, verdict.BundleTooNew, why)
	}
	if isEnvelope(document) {
		c, why := candidateOfEnvelope(source, document)
		if why == nil && len(c.entity.bare.signatures) == 0 {
			return Candidate{}, refuse(source, verdict.BundleMalformed, bareReason())
		}
		return c, why
	}
	if why := notBundle(document); why != nil {
		return Candidate{}, refuse(source, verdict.BundleMalformed, why)
	}
	var pb protobundle.Bundle
	if err := protojson.Unmarshal(document.raw, &pb); err != nil {
		why := &reason{found: "reading the bundle", cause: protoError(err), expected: "the fields of " + mediaType + " up to v0.3", next: "ask its publisher to make it again"}
		return Candidate{}, refuse(source, verdict.BundleMalformed, why)
	}
	return newCandidate(source, document.raw, &pb)
}

func newCandidate(source string, raw []byte, pb *protobundle.Bundle) (Candidate, *Refusal) {
	e, err := newEntity(pb)
	if err != nil {
		why := &reason{found: "reading the bundle", cause: err, next: "ask its publisher to make it again"}
		return Candidate{}, refuse(source, verdict.BundleMalformed, why)
	}
	return Candidate{source: source, digest: digestOf(raw), entity: e}, nil
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// tooNew recognises a bundle's media type of version v0.4 or later.
//
// "application/vnd.dev.sigstore.bundle.v0.3+json … Older versions:
// application/vnd.dev.sigstore.bundle+json;version=0.1, 0.2 and 0.3"
// (sigstore_bundle.proto, Bundle.media_type)
func tooNew(media string) error {
	version, ok := strings.CutPrefix(media, mediaType+".v")
	version, json := strings.CutSuffix(version, "+json")
	if !ok || !json {
		version, ok = strings.CutPrefix(media, mediaType+"+json;version=")
	}
	if !ok || !semver.IsValid("v"+version) || semver.Compare("v"+version, "v0.4") < 0 {
		return nil
	}
	return &reason{found: fmt.Sprintf("this is a bundle of version %.32q", version), expected: "v0.1, v0.2 or v0.3", next: "use a newer signatus"}
}

// protoError takes protobuf's marks off an error: "proto:", a prefix whose
// space is random on purpose, and the line, which is that of the piece only.
func protoError(err error) error {
	text := strings.TrimPrefix(err.Error(), "proto:")
	return errors.New(strings.TrimLeft(text, " \u00a0"))
}
