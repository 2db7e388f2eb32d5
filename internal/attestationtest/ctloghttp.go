package attestationtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
)

// Handler answers the calls of RFC 6962, 4, that an issuer makes:
//
//	POST /ct/v1/add-pre-chain
//	GET  /ct/v1/get-sth
func (l *CTLog) Handler(now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ct/v1/add-pre-chain", func(w http.ResponseWriter, r *http.Request) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		var request ct.AddChainRequest
		if err := json.Unmarshal(body, &request); err != nil {
			http.Error(w, "reading chain: "+err.Error(), http.StatusBadRequest)
			return
		}
		sct, err := l.AddPreChain(request.Chain, now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		signature, err := tls.Marshal(sct.Signature)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answerJSON(w, http.StatusOK, ct.AddChainResponse{
			SCTVersion: sct.SCTVersion,
			ID:         l.id[:],
			Timestamp:  sct.Timestamp,
			Extensions: base64.StdEncoding.EncodeToString(sct.Extensions),
			Signature:  signature,
		})
	})
	mux.HandleFunc("GET /ct/v1/get-sth", func(w http.ResponseWriter, _ *http.Request) {
		sth, err := l.SignedTreeHead(now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		signature, err := tls.Marshal(sth.TreeHeadSignature)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answerJSON(w, http.StatusOK, ct.GetSTHResponse{
			TreeSize:          sth.TreeSize,
			Timestamp:         sth.Timestamp,
			SHA256RootHash:    sth.SHA256RootHash[:],
			TreeHeadSignature: signature,
		})
	})
	return mux
}
