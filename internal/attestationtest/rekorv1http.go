package attestationtest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Handler answers the calls of Rekor v1 that a signer and a verifier make:
//
//	POST /api/v1/log/entries            201 with the entry, or 409 with the Location of an equal one
//	GET  /api/v1/log/entries?logIndex=N
//	GET  /api/v1/log/entries/{id}       an entry id of 80, or a leaf hash of 64 hex digits
//	POST /api/v1/log/entries/retrieve   by logIndexes and entryUUIDs
//	GET  /api/v1/log                    the signed tree head
//	GET  /api/v1/log/publicKey          in PEM
//
// It finds what was logged through it, and nothing that was logged by Add.
func (r *RekorV1) Handler(now func() time.Time) http.Handler {
	s := &rekorV1Server{log: r, now: now, entries: make(map[string]*protorekor.TransparencyLogEntry)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/log/entries", s.create)
	mux.HandleFunc("GET /api/v1/log/entries", s.byIndex)
	mux.HandleFunc("GET /api/v1/log/entries/{id}", s.byID)
	mux.HandleFunc("POST /api/v1/log/entries/retrieve", s.retrieve)
	mux.HandleFunc("GET /api/v1/log", s.treeHead)
	mux.HandleFunc("GET /api/v1/log/publicKey", s.publicKey)
	return mux
}

type rekorV1Server struct {
	log *RekorV1
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*protorekor.TransparencyLogEntry // by leaf hash, in hex
}

// rekorError is Rekor's models.Error.
type rekorError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (s *rekorV1Server) refuse(w http.ResponseWriter, status int, message string) {
	answerJSON(w, status, rekorError{Code: status, Message: message})
}

func (s *rekorV1Server) create(w http.ResponseWriter, r *http.Request) {
	content, ok := readBody(w, r)
	if !ok {
		return
	}
	proposed, err := models.UnmarshalProposedEntry(bytes.NewReader(content), jsonConsumer{})
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "reading entry: "+err.Error())
		return
	}
	body, err := canonicalEntry(proposed)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	uuid := hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf(body.bytes))

	s.mu.Lock()
	entry, exists := s.entries[uuid]
	if !exists {
		if entry, err = s.log.integrate(body, s.now()); err == nil {
			s.entries[uuid] = entry
		}
	}
	s.mu.Unlock()
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	id := rekorV1EntryID(uuid)
	w.Header().Set("Location", "/api/v1/log/entries/"+id)
	if exists {
		s.refuse(w, http.StatusConflict,
			"an equivalent entry already exists in the transparency log with UUID "+id)
		return
	}
	w.Header().Set("ETag", id)
	answerJSON(w, http.StatusCreated, models.LogEntry{id: restEntry(entry)})
}

func (s *rekorV1Server) byIndex(w http.ResponseWriter, r *http.Request) {
	index, err := strconv.ParseInt(r.URL.Query().Get("logIndex"), 10, 64)
	if err != nil {
		s.refuse(w, http.StatusUnprocessableEntity, "logIndex in query must be of type int64")
		return
	}
	s.find(w, func(_ string, entry *protorekor.TransparencyLogEntry) bool { return entry.GetLogIndex() == index })
}

func (s *rekorV1Server) byID(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.find(w, func(uuid string, _ *protorekor.TransparencyLogEntry) bool {
		return id == uuid || id == rekorV1EntryID(uuid)
	})
}

// find answers with the one entry that matches.
func (s *rekorV1Server) find(w http.ResponseWriter, matches func(uuid string, entry *protorekor.TransparencyLogEntry) bool) {
	if found := s.search(matches); len(found) > 0 {
		answerJSON(w, http.StatusOK, found[0])
		return
	}
	s.refuse(w, http.StatusNotFound, "entry not found")
}

func (s *rekorV1Server) search(matches func(uuid string, entry *protorekor.TransparencyLogEntry) bool) []models.LogEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []models.LogEntry{}
	for uuid, entry := range s.entries {
		if matches(uuid, entry) {
			found = append(found, models.LogEntry{rekorV1EntryID(uuid): restEntry(entry)})
		}
	}
	return found
}

func (s *rekorV1Server) retrieve(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	var query struct {
		EntryUUIDs []string `json:"entryUUIDs"`
		LogIndexes []int64  `json:"logIndexes"`
	}
	if err := json.Unmarshal(body, &query); err != nil {
		s.refuse(w, http.StatusBadRequest, "reading query: "+err.Error())
		return
	}
	answerJSON(w, http.StatusOK, s.search(func(uuid string, entry *protorekor.TransparencyLogEntry) bool {
		for _, id := range query.EntryUUIDs {
			if id == uuid || id == rekorV1EntryID(uuid) {
				return true
			}
		}
		for _, index := range query.LogIndexes {
			if index == entry.GetLogIndex() {
				return true
			}
		}
		return false
	}))
}

func (s *rekorV1Server) treeHead(w http.ResponseWriter, _ *http.Request) {
	s.log.mu.Lock()
	state, err := s.log.log.checkpoint()
	s.log.mu.Unlock()
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	signed, err := state.sign(s.log.log.signer)
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	root, size, treeID := hex.EncodeToString(state.root), int64(state.size), rekorV1TreeID
	answerJSON(w, http.StatusOK, models.LogInfo{
		RootHash: &root, TreeSize: &size, TreeID: &treeID, SignedTreeHead: &signed,
	})
}

func (s *rekorV1Server) publicKey(w http.ResponseWriter, _ *http.Request) {
	encoded, err := cryptoutils.MarshalPublicKeyToPEM(s.log.key.Public())
	if err != nil {
		s.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, http.StatusOK, "application/x-pem-file", encoded)
}

// rekorV1EntryID is the tree's id, in 16 hex digits, and the leaf's hash.
func rekorV1EntryID(uuid string) string {
	tree, err := strconv.ParseUint(rekorV1TreeID, 10, 64)
	if err != nil {
		panic("the tree's id is no number: " + rekorV1TreeID)
	}
	return fmt.Sprintf("%016x%s", tree, uuid)
}

// restEntry is the entry as Rekor v1's API has it.
func restEntry(entry *protorekor.TransparencyLogEntry) models.LogEntryAnon {
	proof := entry.GetInclusionProof()
	hashes := make([]string, len(proof.GetHashes()))
	for i, hash := range proof.GetHashes() {
		hashes[i] = hex.EncodeToString(hash)
	}
	var (
		integrated = entry.GetIntegratedTime()
		index      = entry.GetLogIndex()
		logID      = hex.EncodeToString(entry.GetLogId().GetKeyId())
		checkpoint = proof.GetCheckpoint().GetEnvelope()
		root       = hex.EncodeToString(proof.GetRootHash())
		size       = proof.GetTreeSize()
		proofIndex = proof.GetLogIndex()
	)
	return models.LogEntryAnon{
		Body:           base64.StdEncoding.EncodeToString(entry.GetCanonicalizedBody()),
		IntegratedTime: &integrated,
		LogIndex:       &index,
		LogID:          &logID,
		Verification: &models.LogEntryAnonVerification{
			InclusionProof: &models.InclusionProof{
				Checkpoint: &checkpoint,
				Hashes:     hashes,
				LogIndex:   &proofIndex,
				RootHash:   &root,
				TreeSize:   &size,
			},
			SignedEntryTimestamp: entry.GetInclusionPromise().GetSignedEntryTimestamp(),
		},
	}
}

// jsonConsumer reads JSON for Rekor's generated models.
type jsonConsumer struct{}

// Consume implements go-openapi's runtime.Consumer.
func (jsonConsumer) Consume(reader io.Reader, value any) error {
	decoder := json.NewDecoder(reader)
	decoder.UseNumber()
	return decoder.Decode(value)
}
