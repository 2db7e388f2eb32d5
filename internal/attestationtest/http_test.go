package attestationtest

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	ct "github.com/google/certificate-transparency-go"
	ctclient "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	"github.com/sigstore/rekor/pkg/generated/models"
	"google.golang.org/protobuf/encoding/protojson"
)

// clock returns a clock that stands still.
func clock(s *Sigstore) func() time.Time { return s.Now }

// serve returns the address at which the handler answers.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// reply is an answer that was read.
type reply struct {
	request string
	status  int
	header  http.Header
	body    []byte
}

// send returns the answer to a request; without a body it is a GET.
func send(t *testing.T, address, contentType string, body []byte) reply {
	t.Helper()
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{method + " " + address, response.StatusCode, response.Header, content}
}

// want fails the test unless the answer has the status.
func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("%s: %d, want %d\n%s", r.request, r.status, status, r.body)
	}
	return r
}

// The client of RFC 6962 logs a precertificate, and verifies what it gets.
func TestCTLogOverHTTP(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	key, err := ct.NewSignatureVerifier(s.CTLog.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	client, err := ctclient.New(serve(t, s.CTLog.Handler(clock(s))), http.DefaultClient, jsonclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client.Verifier = key
	precertificate := newPrecertificate(t, s)
	sct, err := client.AddPreChain(context.Background(), precertificate)
	if err != nil {
		t.Fatal(err)
	}
	if sct.LogID.KeyID != s.CTLog.ID() {
		t.Errorf("promise of log %x, want %x", sct.LogID.KeyID, s.CTLog.ID())
	}
	sth, err := client.GetSTH(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if sth.TreeSize != 1 {
		t.Errorf("log has %d leaves, want 1", sth.TreeSize)
	}
	send(t, client.BaseURI()+"/ct/v1/add-pre-chain", "application/json", []byte(`{"chain":["AAAA"]}`)).want(t, http.StatusBadRequest)
}

// newPrecertificate returns a poisoned certificate and its chain.
func newPrecertificate(t *testing.T, s *Sigstore) []ct.ASN1Cert {
	t.Helper()
	key, err := s.NewKey("somebody")
	if err != nil {
		t.Fatal(err)
	}
	request := CertificateRequest{Identity: alice(), PublicKey: key.Signer.Public(), NotBefore: s.Now()}
	template, err := s.CA.template(request)
	if err != nil {
		t.Fatal(err)
	}
	template.ExtraExtensions = append(template.ExtraExtensions, poison())
	certificate, err := createCertificate(template, s.CA.intermediate, request.PublicKey, s.CA.key)
	if err != nil {
		t.Fatal(err)
	}
	return []ct.ASN1Cert{{Data: certificate.Raw}, {Data: s.CA.intermediate.Raw}, {Data: s.CA.root.Raw}}
}

// A timestamp comes for a query, and for nothing else.
func TestTSAOverHTTP(t *testing.T) {
	t.Parallel()
	s := newInstance(t, GitHub())
	address := serve(t, s.TSA.Handler(clock(s))) + "/api/v1/timestamp"
	const contentType = "application/timestamp-query"
	query, err := (&timestamp.Request{
		HashAlgorithm: crypto.SHA256, HashedMessage: artifactDigest(), Nonce: big.NewInt(4711),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	stamped := send(t, address, contentType, query).want(t, http.StatusCreated)
	stamp, err := timestamp.ParseResponse(stamped.body)
	if err != nil {
		t.Fatal(err)
	}
	if !stamp.Time.Equal(s.Now()) {
		t.Errorf("time is %v, want %v", stamp.Time, s.Now())
	}
	chain := send(t, address+"/certchain", "", nil).want(t, http.StatusOK)
	if n := bytes.Count(chain.body, []byte("BEGIN CERTIFICATE")); n != 2 {
		t.Errorf("chain has %d certificates, want 2", n)
	}
	send(t, address, contentType, []byte("no query")).want(t, http.StatusBadRequest)
	send(t, address, "application/json", query).want(t, http.StatusUnsupportedMediaType)
}

// newProposal returns a hashedrekord as clients upload it.
func newProposal(t *testing.T, s *Sigstore) (bundleSigner, signedContent) {
	t.Helper()
	key, err := s.NewKey("alice")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := newBundleSigner(key.Signer)
	if err != nil {
		t.Fatal(err)
	}
	content, err := signer.signMessageDigest(artifactDigest())
	if err != nil {
		t.Fatal(err)
	}
	return signer, content
}

// Rekor v1 logs an entry once, names it, and finds it by every name.
func TestRekorV1OverHTTP(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	base := serve(t, s.RekorV1.Handler(clock(s))) + "/api/v1/log"
	signer, signed := newProposal(t, s)
	proposed, err := signer.proposedEntry(EntryV1HashedRekord, signed)
	if err != nil {
		t.Fatal(err)
	}
	upload, err := json.Marshal(proposed)
	if err != nil {
		t.Fatal(err)
	}
	created := send(t, base+"/entries", "application/json", upload).want(t, http.StatusCreated)
	var entries models.LogEntry
	if err := json.Unmarshal(created.body, &entries); err != nil {
		t.Fatal(err)
	}
	id := created.header.Get("ETag")
	entry, ok := entries[id]
	if !ok || len(id) != 80 {
		t.Fatalf("entry %q is not in %s", id, created.body)
	}
	if err := entry.Validate(nil); err != nil {
		t.Error(err)
	}

	conflict := send(t, base+"/entries", "application/json", upload).want(t, http.StatusConflict)
	if got := conflict.header.Get("Location"); got != "/api/v1/log/entries/"+id {
		t.Errorf("the equal entry is at %q, want %q", got, id)
	}
	for name, query := range map[string]struct{ path, body string }{
		"id":        {"/entries/" + id, ""},
		"leaf hash": {"/entries/" + id[16:], ""},
		"index":     {fmt.Sprintf("/entries?logIndex=%d", *entry.LogIndex), ""},
		"retrieve":  {"/entries/retrieve", fmt.Sprintf(`{"logIndexes":[%d]}`, *entry.LogIndex)},
	} {
		var body []byte
		if query.body != "" {
			body = []byte(query.body)
		}
		found := send(t, base+query.path, "application/json", body).want(t, http.StatusOK)
		if !bytes.Contains(found.body, created.body[1:len(created.body)-1]) {
			t.Errorf("by %s: got %s, want %s", name, found.body, created.body)
		}
	}
	for _, path := range []string{"/entries/" + strings.Repeat("0", 80), "/entries?logIndex=99"} {
		send(t, base+path, "", nil).want(t, http.StatusNotFound)
	}
	send(t, base+"/entries", "application/json", []byte(`{"kind":"hashedrekord"}`)).want(t, http.StatusBadRequest)

	key := send(t, base+"/publicKey", "", nil).want(t, http.StatusOK)
	if block, _ := pem.Decode(key.body); block == nil || block.Type != "PUBLIC KEY" {
		t.Errorf("the key is %s", key.body)
	}
	head := send(t, base, "", nil).want(t, http.StatusOK)
	if !bytes.Contains(head.body, []byte(`"treeSize":2`)) {
		t.Errorf("the tree head is %s, want two leaves", head.body)
	}
}

// Rekor v2 logs an entry once, and tells the index of an equal one.
func TestRekorV2OverHTTP(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	base := serve(t, s.RekorV2.Handler()) + "/api/v2"
	signer, signed := newProposal(t, s)
	entry, err := signer.hashedRekordRequest(signed)
	if err != nil {
		t.Fatal(err)
	}
	upload, err := protojson.Marshal(&rekortiles.CreateEntryRequest{
		Spec: &rekortiles.CreateEntryRequest_HashedRekordRequestV002{HashedRekordRequestV002: entry},
	})
	if err != nil {
		t.Fatal(err)
	}
	created := send(t, base+"/log/entries", "application/json", upload).want(t, http.StatusCreated)
	if !bytes.Contains(created.body, []byte(`"logIndex":"1"`)) {
		t.Errorf("the entry is %s, want index 1", created.body)
	}
	conflict := send(t, base+"/log/entries", "application/json", upload).want(t, http.StatusConflict)
	if got := conflict.header.Get("X-Log-Index"); got != "1" {
		t.Errorf("the equal entry has the index %q, want 1", got)
	}
	for _, bad := range []string{"{}", "garbage", `{"hashedRekordRequestV002":{}}`} {
		send(t, base+"/log/entries", "application/json", []byte(bad)).want(t, http.StatusBadRequest)
	}
	checkpoint := send(t, base+"/checkpoint", "", nil).want(t, http.StatusOK)
	if !strings.HasPrefix(string(checkpoint.body), "log2026-1.rekor.sigstore.test\n2\n") {
		t.Errorf("the checkpoint is %q", checkpoint.body)
	}
}

// The keys for servers of other processes are those of the trusted root.
func TestPrivateKeys(t *testing.T) {
	t.Parallel()
	s := newInstance(t, PublicGood())
	for name, key := range map[string]func() ([]byte, error){
		"ca": s.CA.PrivateKeyPEM, "rekor v2": s.RekorV2.PrivateKeyPEM, "tsa": s.TSA.PrivateKeyPEM,
	} {
		encoded, err := key()
		if err != nil {
			t.Fatal(err)
		}
		if block, rest := pem.Decode(encoded); block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
			t.Errorf("%s: no PKCS #8 in PEM", name)
		}
	}
}
