package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/encoding/protojson"
)

// Bounds of a trusted root file.
const (
	MaxFileSize = 4 << 20 // bytes
	MaxRoots    = 64      // over all files
	MaxDepth    = 64      // of nested JSON objects and arrays
)

// mediaTypes01 are the two spellings of version 0.1.
//
// Source: protobuf-specs v0.5.2, sigstore_trustroot.proto, TrustedRoot: "Clients
// MAY choose to also support application/vnd.dev.sigstore.trustedroot.v0.1+json.
// Clients MAY process and parse content with the media type defined in the old
// format". Version 0.2 gives meaning to the operator of a log, which sigstore-go
// v1.3.0 does not read; it is refused rather than half understood.
const (
	mediaTypePrefix = "application/vnd.dev.sigstore.trustedroot"
	mediaType01     = "application/vnd.dev.sigstore.trustedroot.v0.1+json"
)

// VersionError says that a trusted root is of a version this program does not
// know. Whether it would have helped cannot be decided; that is not a refusal.
type VersionError struct{ MediaType string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("expected version 0.1 of a trusted root, found %q; next: upgrade signatus", brief(e.MediaType))
}

// lineError is an error that knows its line, counted from 1.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// document is one JSON object of a file.
type document struct {
	raw  []byte
	line int // where it begins
}

// split cuts data into its JSON objects, and holds the syntax to more than JSON
// asks: no duplicate keys, valid UTF-8, at most [MaxDepth] deep, at most
// [MaxRoots] objects, nothing but objects. Errors are [*lineError].
func split(data []byte) ([]document, error) {
	var docs []document
	line := func(offset int64) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	var start int64
	for {
		token, err := dec.ReadToken()
		end := dec.InputOffset()
		switch {
		case errors.Is(err, io.EOF):
			return docs, nil
		case err != nil:
			if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
				return nil, &lineError{line(syntax.ByteOffset), syntaxProblem(syntax)}
			}
			return nil, &lineError{line(end), err}
		case dec.StackDepth() > MaxDepth:
			return nil, &lineError{line(end), fmt.Errorf("JSON nested deeper than %d", MaxDepth)}
		case dec.StackDepth() == 1 && token.Kind() == '{':
			if len(docs) == MaxRoots {
				return nil, &lineError{line(end), fmt.Errorf("more than %d JSON objects", MaxRoots)}
			}
			start = end - 1
		case dec.StackDepth() == 1 && token.Kind() == '[':
			return nil, &lineError{line(end), errors.New("expected a trusted root or one a line, found a JSON array; next: write its elements one a line (jq -c '.[]')")}
		case dec.StackDepth() == 0 && token.Kind() == '}':
			docs = append(docs, document{data[start:end], line(start)})
		case dec.StackDepth() == 0:
			return nil, &lineError{line(end), fmt.Errorf("expected a JSON object, found a %s", token.Kind())}
		}
	}
}

// syntaxProblem is a syntax error without the offset, which the line replaces.
func syntaxProblem(e *jsontext.SyntacticError) error {
	if errors.Is(e.Err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("duplicate JSON key %q", brief(e.JSONPointer.LastToken()))
	}
	return fmt.Errorf("expected JSON: %w", e.Err)
}

// single returns the one JSON object that data must be.
func single(data []byte) (document, error) {
	docs, err := split(data)
	if err != nil {
		return document{}, err
	}
	if len(docs) != 1 {
		return document{}, fmt.Errorf("expected one JSON object, found %d", len(docs))
	}
	return docs[0], nil
}

// parseOne reads the one trusted root that data must be.
func parseOne(data []byte) (*root.TrustedRoot, error) {
	d, err := single(data)
	if err != nil {
		return nil, err
	}
	return d.parse()
}

// parse reads a trusted root. Errors are [*VersionError] or [*lineError].
func (d document) parse() (*root.TrustedRoot, error) {
	fail := func(format string, args ...any) (*root.TrustedRoot, error) {
		return nil, &lineError{d.line, fmt.Errorf(format, args...)}
	}
	var head map[string]jsontext.Value
	if err := json.Unmarshal(d.raw, &head); err != nil {
		return fail("%w", err)
	}
	var mediaType string
	if v, ok := head["mediaType"]; ok {
		if err := json.Unmarshal(v, &mediaType); err != nil {
			return fail("expected a string as mediaType, found %s", brief(string(v)))
		}
	}
	if !strings.HasPrefix(mediaType, mediaTypePrefix) {
		return fail("%w", notATrustedRoot(mediaType, head))
	}
	if mediaType != root.TrustedRootMediaType01 && mediaType != mediaType01 {
		return nil, &lineError{d.line, &VersionError{mediaType}}
	}
	pb := &prototrustroot.TrustedRoot{}
	if err := protojson.Unmarshal(d.raw, pb); err != nil {
		line, problem := protoProblem(err)
		return nil, &lineError{d.line + line, errors.New(problem)}
	}
	pb.MediaType = root.TrustedRootMediaType01
	if err := check(pb); err != nil {
		return fail("%w", err)
	}
	material, err := root.NewTrustedRootFromProtobuf(pb)
	if err != nil {
		return fail("%s", brief(err.Error()))
	}
	return material, nil
}

// notATrustedRoot names what was handed over instead.
func notATrustedRoot(mediaType string, head map[string]jsontext.Value) error {
	has := func(key string) bool { _, ok := head[key]; return ok }
	is := func(kind string) bool {
		return strings.HasPrefix(mediaType, "application/vnd.dev.sigstore."+kind)
	}
	switch {
	case is("bundle") || has("verificationMaterial"):
		return errors.New("this is a Sigstore bundle, not a trusted root; next: give it with --bundle")
	case is("signingconfig") || has("rekorTlogUrls"):
		return errors.New("this is a signing config, not a trusted root; next: give the trusted_root.json of the same instance")
	case is("clienttrustconfig"):
		return errors.New("this is a client trust config, not a trusted root; next: take the trusted root out of it (jq .trustedRoot)")
	case has("signed") && has("signatures"):
		return errors.New("this is TUF metadata, not a trusted root; next: give the target trusted_root.json of that repository")
	case has("payloadType"):
		return errors.New("this is a DSSE envelope, not a trusted root; next: give it with --bundle")
	case mediaType == "":
		return fmt.Errorf("no mediaType; expected %q; next: make one with `gh attestation trusted-root` or `cosign trusted-root create`", root.TrustedRootMediaType01)
	default:
		return fmt.Errorf("expected mediaType %q, found %q", root.TrustedRootMediaType01, brief(mediaType))
	}
}

// check refuses what sigstore-go would read without complaint: a root under
// which nothing could ever verify, two logs under one id (the last would
// win), and a period that ends before it begins.
func check(pb *prototrustroot.TrustedRoot) error {
	if len(pb.GetTlogs()) == 0 && len(pb.GetTimestampAuthorities()) == 0 {
		return errors.New("neither a transparency log nor a timestamp authority; expected at least one, since nothing else proves a time")
	}
	for _, authorities := range []struct {
		kind string
		list []*prototrustroot.CertificateAuthority
	}{
		{"certificate authority", pb.GetCertificateAuthorities()},
		{"timestamp authority", pb.GetTimestampAuthorities()},
	} {
		for n, ca := range authorities.list {
			if err := checkAuthority(ca); err != nil {
				return fmt.Errorf("%s %d: %w", authorities.kind, n+1, err)
			}
		}
	}
	for _, logs := range []struct {
		kind string
		list []*prototrustroot.TransparencyLogInstance
	}{
		{"transparency log", pb.GetTlogs()},
		{"certificate transparency log", pb.GetCtlogs()},
	} {
		seen := map[string]int{}
		for n, log := range logs.list {
			id := string(log.GetLogId().GetKeyId())
			switch first, dup := seen[id]; {
			case id == "":
				return fmt.Errorf("%s %d: no log id", logs.kind, n+1)
			case dup:
				return fmt.Errorf("%s %d: the log id %s is also that of %s %d; expected each once", logs.kind, n+1, brief(hex.EncodeToString([]byte(id))), logs.kind, first)
			}
			seen[id] = n + 1
			if v := log.GetPublicKey().GetValidFor(); v.GetEnd() != nil && v.GetEnd().AsTime().Before(v.GetStart().AsTime()) {
				return fmt.Errorf("%s %d: its validity ends before it begins", logs.kind, n+1)
			}
		}
	}
	return nil
}

// checkAuthority demands a chain that ends in a CA certificate. A timestamp
// authority whose chain does not is one that sigstore-go takes and then never
// matches.
func checkAuthority(ca *prototrustroot.CertificateAuthority) error {
	chain := ca.GetCertChain().GetCertificates()
	if len(chain) == 0 {
		return errors.New("no certificate chain")
	}
	anchor, err := x509.ParseCertificate(chain[len(chain)-1].GetRawBytes())
	if err != nil {
		return fmt.Errorf("reading the last certificate of the chain: %w", err)
	}
	if !anchor.IsCA {
		return errors.New("the last certificate of the chain is not a CA's; expected leaf or intermediates first, the root last")
	}
	if v := ca.GetValidFor(); v.GetStart() != nil && v.GetEnd() != nil && v.GetEnd().AsTime().Before(v.GetStart().AsTime()) {
		return errors.New("its validity ends before it begins")
	}
	return nil
}

// protoProblem takes protojson's message apart: the line within the document,
// counted from 0, and the rest. protojson varies its white space on purpose, so
// that nobody compares its messages.
func protoProblem(err error) (line int, problem string) {
	problem = strings.TrimLeftFunc(strings.TrimPrefix(err.Error(), "proto:"), unicode.IsSpace)
	var column int
	if n, _ := fmt.Sscanf(problem, "(line %d:%d):", &line, &column); n == 2 {
		_, problem, _ = strings.Cut(problem, "): ")
		line--
	}
	return line, brief(problem)
}

// brief keeps an error readable when the input is not.
func brief(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
