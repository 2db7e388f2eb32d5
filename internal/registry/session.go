package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// session is a repository that was logged in to.
type session struct {
	client     http.Client
	repository name.Repository
	anonymous  bool
}

// open logs in to the repository of an image, once for reading and once for writing.
func (c *Client) open(ctx context.Context, image Reference, write bool) (*session, error) {
	repository, scope := image.at.Context(), transport.PullScope
	if write {
		scope = transport.PushScope
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := repository.Scope(scope) + " " + repository.RegistryStr()
	if s, ok := c.sessions[key]; ok {
		return s, nil
	}
	credential, err := c.credential(repository)
	if err != nil {
		return nil, err
	}
	s := &session{repository: repository, anonymous: credential == authn.Anonymous}
	c.anonymous[image.Host()] = s.anonymous
	through, err := transport.NewWithContext(ctx, repository.Registry, credential, transport.NewUserAgent(c.wire, c.options.Agent), []string{repository.Scope(scope)})
	if err != nil {
		return nil, err
	}
	s.client = http.Client{Transport: through, CheckRedirect: fetching}
	c.sessions[key] = s
	return s, nil
}

// loggedIn tells whether a credential was found for an image's registry.
func (c *Client) loggedIn(image Reference) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	anonymous, asked := c.anonymous[image.Host()]
	return asked && !anonymous
}

// request is one request of a repository.
type request struct {
	method string
	path   string   // below the repository, such as manifests/latest
	url    *url.URL // in place of path, where the registry has named it
	accept []string
	kind   string // of the body
	body   []byte
	match  string // the ETag of what is to be replaced; empty for none
	limit  int64  // of the answer, in bytes
	take   []int  // the statuses that are answers
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	from   *url.URL
}

// kind is the media type of the answer, without parameters.
func (r reply) kind() string {
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// maxRefusalBytes bounds what is read of an answer that is none.
const maxRefusalBytes = 64 << 10

// do asks once.
func (s *session) do(ctx context.Context, r request) (reply, error) {
	at := r.url
	if at == nil {
		at = &url.URL{Scheme: s.repository.Scheme(), Host: s.repository.RegistryStr(), Path: "/v2/" + s.repository.RepositoryStr() + "/" + r.path}
	}
	asked, err := http.NewRequestWithContext(ctx, r.method, at.String(), bytes.NewReader(r.body))
	if err != nil {
		return reply{}, err
	}
	if len(r.accept) > 0 {
		asked.Header.Set("Accept", strings.Join(r.accept, ", "))
	}
	if r.kind != "" {
		asked.Header.Set("Content-Type", r.kind)
	}
	if r.match != "" {
		asked.Header.Set("If-Match", r.match)
	}
	response, err := s.client.Do(asked)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if !slices.Contains(r.take, response.StatusCode) {
		return reply{}, refused(response)
	}
	if r.limit > 0 && response.ContentLength > r.limit {
		return reply{}, wrongContent("%s sends %d bytes, at most %d are read", response.Request.URL.Host, response.ContentLength, r.limit)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, r.limit+1))
	if err != nil {
		return reply{}, err
	}
	if int64(len(body)) > r.limit {
		if r.limit > 0 {
			return reply{}, wrongContent("%s sends more than %d bytes, which is the most that is read", response.Request.URL.Host, r.limit)
		}
		body = nil // of no interest
	}
	return reply{status: response.StatusCode, header: response.Header, body: body, from: response.Request.URL}, nil
}

// refused is an answer with another status, as the library has it.
func refused(response *http.Response) error {
	e := &transport.Error{StatusCode: response.StatusCode}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusalBytes))
	if err != nil {
		return e
	}
	var said struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &said) == nil {
		for _, d := range said.Errors {
			e.Errors = append(e.Errors, transport.Diagnostic{Code: transport.ErrorCode(d.Code), Message: d.Message})
		}
	}
	return e
}

// digestOf is the digest of bytes.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// isStatus tells whether an error is an answer of one of the statuses.
func isStatus(err error, statuses ...int) bool {
	answered, ok := errors.AsType[*transport.Error](err)
	return ok && slices.Contains(statuses, answered.StatusCode)
}

// blob reads a blob, and believes it only if it hashes to its digest.
func (s *session) blob(ctx context.Context, digest string, limit int64) ([]byte, error) {
	got, err := s.do(ctx, request{method: http.MethodGet, path: "blobs/" + digest, limit: limit, take: []int{http.StatusOK}})
	if err != nil {
		return nil, err
	}
	if sum := digestOf(got.body); sum != digest {
		return nil, wrongContent("the bytes that were sent for the blob %s hash to %s", digest, sum)
	}
	return got.body, nil
}

// upload puts a blob there, if it is not there yet.
//
// "To push a blob monolithically by using a POST request followed by a PUT request
// [...] Obtain a session id (upload URL) [...] Upload the blob to said URL"
// (distribution-spec, Pushing a blob monolithically; TestAttach)
func (s *session) upload(ctx context.Context, data []byte) error {
	digest := digestOf(data)
	_, err := s.do(ctx, request{method: http.MethodHead, path: "blobs/" + digest, take: []int{http.StatusOK}})
	if err == nil || !isStatus(err, http.StatusNotFound) {
		return err
	}
	begun, err := s.do(ctx, request{method: http.MethodPost, path: "blobs/uploads/", take: []int{http.StatusAccepted, http.StatusCreated}})
	if err != nil {
		return err
	}
	to, err := begun.from.Parse(begun.header.Get("Location"))
	if err != nil || begun.header.Get("Location") == "" {
		return wrongContent("%s does not say where to upload to", begun.from.Host)
	}
	if err := elsewhere(begun.from, to); err != nil {
		return err
	}
	query := to.Query()
	query.Set("digest", digest)
	to.RawQuery = query.Encode()
	_, err = s.do(ctx, request{method: http.MethodPut, url: to, kind: "application/octet-stream", body: data, take: []int{http.StatusCreated, http.StatusNoContent, http.StatusOK}})
	return err
}
