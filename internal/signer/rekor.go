package signer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/client/entries"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"
)

// logging says where to log, and what verifies the bundle's signature.
type logging struct {
	version  int
	url      string // base URL
	verifier []byte // a certificate or public key in PEM
}

// knownError says that a log holds an equal entry and did not give it back.
type knownError struct{ *ServiceError }

func (e *knownError) Unwrap() error { return e.ServiceError }

// log uploads the bundle's signature and appends the log's entry to the bundle.
// sigstore-go makes the request and reads the entry; the courier carries both.
func (c *courier) log(ctx context.Context, to logging, bundle *protobundle.Bundle) error {
	where := endpoint{RekorOfV1, to.url}
	options := &sign.RekorOptions{BaseURL: to.url, Version: RekorV1}
	if to.version == RekorV2 {
		where.service = RekorOfV2
		options.Version = RekorV2
		options.ClientV2 = &rekorV2{courier: c, to: where}
	} else {
		options.Client = &rekorV1{courier: c, to: where}
	}
	err := sign.NewRekor(options).GetTransparencyLogEntry(ctx, to.verifier, bundle)
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*knownError](err); ok {
		return known
	}
	if refused, ok := errors.AsType[*ServiceError](err); ok {
		return refused
	}
	return c.garbage(where, http.StatusCreated, err)
}

// entriesURL is the collection of a log's entries.
func entriesURL(base string, version int) string {
	return fmt.Sprintf("%s/api/v%d/log/entries", strings.TrimSuffix(base, "/"), version)
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
}

// rekorV1 is a client of Rekor v1 for sigstore-go.
type rekorV1 struct {
	courier *courier
	to      endpoint
}

var _ sign.RekorClient = (*rekorV1)(nil)

// CreateLogEntry logs an entry. One that the log holds already, such as one whose
// answer was lost on an earlier attempt, is fetched instead.
func (r *rekorV1) CreateLogEntry(params *entries.CreateLogEntryParams, _ ...entries.ClientOption) (*entries.CreateLogEntryCreated, error) {
	body, err := json.Marshal(params.ProposedEntry)
	if err != nil {
		return nil, fmt.Errorf("encoding the entry: %w", err)
	}
	answer, err := r.courier.deliver(params.Context, r.to, call{
		method: http.MethodPost, url: entriesURL(r.to.url, RekorV1), header: jsonHeader(), body: body, conflict: true,
	})
	if err != nil {
		return nil, err
	}
	if answer.status == http.StatusConflict {
		id, err := r.existing(answer)
		if err != nil {
			return nil, err
		}
		// A log that has only just integrated the entry may not find it at once.
		answer, err = r.courier.deliver(params.Context, r.to, call{
			method: http.MethodGet, url: entriesURL(r.to.url, RekorV1) + "/" + id,
			header: jsonHeader(), lagging: true,
		})
		if err != nil {
			return nil, err
		}
	}
	id, entry, err := readV1(answer.body)
	if err != nil {
		return nil, r.courier.garbage(r.to, answer.status, err)
	}
	return &entries.CreateLogEntryCreated{ETag: id, Payload: models.LogEntry{id: entry}}, nil
}

// existing finds the id of the entry that is in the way: in the Location, or in
// the words "an equivalent entry already exists … with UUID …".
func (r *rekorV1) existing(answer reply) (string, error) {
	if id := path.Base(answer.header.Get("Location")); isEntryID(id) {
		return id, nil
	}
	words := strings.FieldsFunc(string(answer.body), func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f')
	})
	for _, word := range words {
		if isEntryID(word) {
			return word, nil
		}
	}
	return "", &ServiceError{
		Service: r.to.service, Host: r.to.host(), Status: answer.status, Attempts: 1,
		Text: r.courier.words(answer.body), Next: "run the command again; it makes another signature",
	}
}

// isEntryID tells a leaf hash, and one behind a tree's id, both in hex.
func isEntryID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && (len(s) == 64 || len(s) == 80)
}

// GetLogEntryByUUID is not used: CreateLogEntry knows no conflict.
func (*rekorV1) GetLogEntryByUUID(*entries.GetLogEntryByUUIDParams, ...entries.ClientOption) (*entries.GetLogEntryByUUIDOK, error) {
	return nil, errors.New("fetching an entry: CreateLogEntry has done it")
}

// readV1 reads the one entry of an answer, and that it has what sigstore-go
// takes for granted.
func readV1(body []byte) (string, models.LogEntryAnon, error) {
	var found models.LogEntry
	if err := json.Unmarshal(body, &found); err != nil {
		return "", models.LogEntryAnon{}, err
	}
	if len(found) != 1 {
		return "", models.LogEntryAnon{}, fmt.Errorf("it holds %d entries, expected 1", len(found))
	}
	for id, entry := range found {
		if entry.LogID == nil || entry.LogIndex == nil || entry.IntegratedTime == nil || entry.Verification == nil {
			return "", models.LogEntryAnon{}, errors.New("its entry lacks the log's id, the index, the time or the proof")
		}
		proof := entry.Verification.InclusionProof
		if proof == nil || proof.RootHash == nil || proof.TreeSize == nil || proof.LogIndex == nil || proof.Checkpoint == nil {
			return "", models.LogEntryAnon{}, errors.New("its entry's inclusion proof is incomplete")
		}
		return id, entry, nil
	}
	return "", models.LogEntryAnon{}, errors.New("it holds no entry")
}

// rekorV2 is a client of Rekor v2 for sigstore-go.
type rekorV2 struct {
	courier *courier
	to      endpoint
}

var _ sign.RekorV2Client = (*rekorV2)(nil)

// Add logs an entry. Of one that the log holds already it gives no proof, and
// building one needs the log's key (sigstore-go, pkg/sign/transparency.go): "the
// simplest solution is to sign again to generate a different signature".
func (r *rekorV2) Add(ctx context.Context, entry any) (*protorekor.TransparencyLogEntry, error) {
	request, ok := entry.(*rekortiles.HashedRekordRequestV002)
	if !ok {
		return nil, fmt.Errorf("encoding the entry: %T is no hashedrekord", entry)
	}
	body, err := protojson.Marshal(&rekortiles.CreateEntryRequest{
		Spec: &rekortiles.CreateEntryRequest_HashedRekordRequestV002{HashedRekordRequestV002: request},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the entry: %w", err)
	}
	answer, err := r.courier.deliver(ctx, r.to, call{
		method: http.MethodPost, url: entriesURL(r.to.url, RekorV2), header: jsonHeader(), body: body, conflict: true,
	})
	if err != nil {
		return nil, err
	}
	if answer.status == http.StatusConflict {
		return nil, &knownError{&ServiceError{
			Service: r.to.service, Host: r.to.host(), Status: answer.status, Attempts: 1, Temporary: true,
			Text: r.courier.words(answer.body), Next: "try again later; no bundle was made",
		}}
	}
	logged := new(protorekor.TransparencyLogEntry)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(answer.body, logged); err != nil {
		return nil, r.courier.garbage(r.to, answer.status, err)
	}
	if len(logged.GetLogId().GetKeyId()) == 0 || len(logged.GetCanonicalizedBody()) == 0 || logged.GetInclusionProof().GetCheckpoint().GetEnvelope() == "" {
		return nil, r.courier.garbage(r.to, answer.status, errors.New("its entry lacks the log's id, the body or the proof"))
	}
	return logged, nil
}
