package attestationtest

import (
	"encoding/json"
	"io"
	"net/http"
)

// maxRequest bounds what a handler reads of a request.
const maxRequest = 32 << 20

// readBody returns the request's body, or answers 400 and returns false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "reading request: "+err.Error(), http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// answerJSON writes the value. A client that has gone is no error.
func answerJSON(w http.ResponseWriter, status int, value any) {
	encoded, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "encoding answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, status, "application/json", encoded)
}

func answer(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
