package attestationtest

import (
	"mime"
	"net/http"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// Handler answers as sigstore's timestamp-server does:
//
//	POST /api/v1/timestamp            application/timestamp-query in, application/timestamp-reply out, 201
//	GET  /api/v1/timestamp/certchain  the leaf and the root, in PEM
func (t *TSA) Handler(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/timestamp", func(w http.ResponseWriter, r *http.Request) {
		const query = "application/timestamp-query"
		if contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || contentType != query {
			http.Error(w, "a timestamp query has the content type "+query, http.StatusUnsupportedMediaType)
			return
		}
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		response, err := t.Respond(body, now())
		if err != nil {
			answerJSON(w, http.StatusBadRequest, rekorError{Code: http.StatusBadRequest, Message: err.Error()})
			return
		}
		answer(w, http.StatusCreated, "application/timestamp-reply", response)
	})
	mux.HandleFunc("GET /api/v1/timestamp/certchain", func(w http.ResponseWriter, _ *http.Request) {
		chain, err := cryptoutils.MarshalCertificatesToPEM(t.Chain())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusOK, "application/pem-certificate-chain", chain)
	})
	return mux
}
