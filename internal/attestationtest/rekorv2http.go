package attestationtest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"google.golang.org/protobuf/encoding/protojson"
)

// Handler answers the calls of rekor-tiles that a signer makes:
//
//	POST /api/v2/log/entries  201 with the entry, or 409 with the index of an equal one in X-Log-Index
//	GET  /api/v2/checkpoint   the signed present state
//
// It serves no tiles.
func (r *RekorV2) Handler() http.Handler {
	s := &rekorV2Server{log: r, entries: make(map[[sha256.Size]byte]int64)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/log/entries", s.create)
	mux.HandleFunc("GET /api/v2/checkpoint", s.checkpoint)
	return mux
}

type rekorV2Server struct {
	log *RekorV2

	mu      sync.Mutex
	entries map[[sha256.Size]byte]int64 // an entry's index by the hash of its body
}

// The codes of gRPC that its gateway writes into an error.
const (
	grpcInvalidArgument = 3
	grpcAlreadyExists   = 6
	grpcInternal        = 13
)

// grpcError is how the gateway of gRPC writes an error.
type grpcError struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Details []string `json:"details"`
}

func (s *rekorV2Server) create(w http.ResponseWriter, r *http.Request) {
	content, ok := readBody(w, r)
	if !ok {
		return
	}
	refuse := func(status, code int, message string) {
		answerJSON(w, status, grpcError{Code: code, Message: message, Details: []string{}})
	}
	var request rekortiles.CreateEntryRequest
	if err := protojson.Unmarshal(content, &request); err != nil {
		refuse(http.StatusBadRequest, grpcInvalidArgument, err.Error())
		return
	}
	if request.GetHashedRekordRequestV002() == nil {
		refuse(http.StatusBadRequest, grpcInvalidArgument, "the log has entries of the type hashedrekord 0.0.2 only")
		return
	}
	body, err := s.log.canonicalEntry(request.GetHashedRekordRequestV002())
	if err != nil {
		refuse(http.StatusBadRequest, grpcInvalidArgument, err.Error())
		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	hash := sha256.Sum256(body.bytes)
	if index, exists := s.entries[hash]; exists {
		w.Header().Set("X-Log-Index", strconv.FormatInt(index, 10))
		refuse(http.StatusConflict, grpcAlreadyExists,
			fmt.Sprintf("an equivalent entry already exists in the transparency log with index %d", index))
		return
	}
	entry, err := s.log.integrate(body)
	if err != nil {
		refuse(http.StatusInternalServerError, grpcInternal, err.Error())
		return
	}
	encoded, err := encodeJSON(entry)
	if err != nil {
		refuse(http.StatusInternalServerError, grpcInternal, err.Error())
		return
	}
	s.entries[hash] = entry.GetLogIndex()
	answer(w, http.StatusCreated, "application/json", encoded)
}

func (s *rekorV2Server) checkpoint(w http.ResponseWriter, _ *http.Request) {
	checkpoint, err := s.log.Checkpoint()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, "text/plain; charset=utf-8", []byte(checkpoint))
}
