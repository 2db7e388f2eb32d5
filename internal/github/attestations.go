package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"
)

// Bounds of what is fetched about one subject. Beyond them there is an error, never a
// part.
const (
	MaxAttestations = 1000
	maxFetched      = 256 << 20 // bytes of all bundles
	perPage         = 100
)

// What the permissions are for, as a workflow writes them.
const (
	storeAttestations = "{attestations: write, id-token: write, contents: read}"
	readAttestations  = "{attestations: read, contents: read}"
)

// Stored is where something is at GitHub now.
type Stored struct {
	// ID is that of the attestation, or of the asset; 0 where GitHub does not tell it of
	// one that was there already.
	ID  int64
	URL string // the page where a person finds it
	// Name is the asset's; empty for an attestation.
	Name string
	// Already tells that the very same bundle was there before.
	Already bool
}

// PutAttestation stores a Sigstore bundle as an attestation of a repository. digest is
// that of one of its subjects, ALGORITHM:HEX: where the very same bundle is stored under
// it already, there will be no second one, neither in another run nor because an answer
// got lost.
//
// "POST /repos/{owner}/{repo}/attestations" with {"bundle": …}; the answer is
// {"id": …} with 201.
//
// Source: https://docs.github.com/en/rest/repos/attestations#create-an-attestation
func (c *Client) PutAttestation(ctx context.Context, at Repository, digest string, bundle []byte) (Stored, error) {
	p := purpose{
		doing: "storing an attestation of " + at.String(), permissions: storeAttestations, scope: "attestations: write",
		instead: "store elsewhere: --store file, release or oci",
	}
	want, err := canonical(bundle)
	if err != nil {
		return Stored{}, fmt.Errorf("%s: the bundle is no JSON object", p.doing)
	}
	if len(want) > MaxBundle {
		return Stored{}, fmt.Errorf("%s: the bundle has %d bytes, at most %d MiB are read; next: attest fewer subjects at a time", p.doing, len(want), MaxBundle>>20)
	}
	there := func(ctx context.Context) bool { return c.holds(ctx, at, digest, want) }
	already := Stored{URL: c.page(at, "attestations"), Already: true}
	if there(ctx) {
		return already, nil
	}
	got, err := c.send(ctx, call{purpose: p, limit: maxReceipt, within: carryTime, done: there, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodPost, at.path("attestations"), map[string]rawJSON{"bundle": rawJSON(bundle)})
	}})
	failed, refused := errors.AsType[*Error](err)
	switch {
	case errors.Is(err, errDone), refused && failed.Status == http.StatusConflict && there(ctx):
		return already, nil
	case err != nil:
		return Stored{}, err
	}
	var made struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(got.body, &made); err != nil || made.ID <= 0 {
		return Stored{}, c.garbage(p, errors.New(`it is not {"id": NUMBER}`))
	}
	return Stored{ID: made.ID, URL: c.page(at, "attestations", strconv.FormatInt(made.ID, 10))}, nil
}

// rawJSON is JSON as it is, for the library's encoder.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// canonical is the one spelling of a JSON object (RFC 8785): GitHub gives back what it
// was given, but not in the order of its keys.
func canonical(bundle []byte) ([]byte, error) {
	value := jsontext.Value(bytes.Clone(bundle))
	if value.Kind() != '{' {
		return nil, errors.New("it is no JSON object")
	}
	err := value.Canonicalize()
	return value, err
}

// page is where a person finds something of the repository.
func (c *Client) page(at Repository, parts ...string) string {
	return c.server.JoinPath(append([]string{at.Owner, at.Name}, parts...)...).String()
}

// holds tells whether the very bundle is among the attestations of a subject. Where that
// cannot be learnt it is not known to be there.
func (c *Client) holds(ctx context.Context, at Repository, digest string, want []byte) bool {
	if digest == "" {
		return false
	}
	all, err := c.attestations(ctx, asking{at: at, digest: digest, once: true})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(all, func(a Attestation) bool {
		have, err := canonical(a.Bundle)
		return err == nil && bytes.Equal(have, want)
	})
}

// Attestation is one that GitHub has about a subject.
type Attestation struct {
	// Bundle is a Sigstore bundle as GitHub gives it.
	Bundle []byte
	// Err is why its bundle could not be fetched; the others are there all the same.
	Err error
}

// Attestations fetches those of a repository about a subject, known by its digest as
// ALGORITHM:HEX, of one predicate type where that is not empty. None is no error.
//
// "GET /repos/{owner}/{repo}/attestations/{subject_digest}": each has the bundle in it,
// or only where it is kept, "bundle_url".
//
// Source: https://docs.github.com/en/rest/repos/attestations#list-attestations
func (c *Client) Attestations(ctx context.Context, at Repository, digest, predicateType string) ([]Attestation, error) {
	return c.attestations(ctx, asking{at: at, digest: digest, predicateType: predicateType})
}

// asking is a question for attestations.
type asking struct {
	at                    Repository
	digest, predicateType string
	once                  bool // give up at the first failure
}

func (a asking) purpose() purpose {
	return purpose{doing: "fetching attestations of " + shortened(a.digest) + " from " + a.at.String(), permissions: readAttestations, scope: "attestations: read", instead: "name the bundles you have with --bundle"}
}

// shortened keeps as many digits of a digest as tell it from others.
func shortened(digest string) string {
	const digits = 12
	algorithm, value, _ := strings.Cut(digest, ":")
	return algorithm + ":" + value[:min(len(value), digits)]
}

func (c *Client) attestations(ctx context.Context, a asking) (all []Attestation, err error) {
	fetched := new(atomic.Int64)
	for after := ""; ; {
		got, err := c.send(ctx, c.listing(a, after))
		if failed, ok := errors.AsType[*Error](err); ok && failed.Status == http.StatusNotFound && after == "" {
			if a.once {
				return nil, nil
			}
			return nil, c.seen(ctx, a, failed)
		}
		if err != nil {
			return nil, err
		}
		listed, err := parseList(got.body)
		if err != nil {
			return nil, c.garbage(a.purpose(), err)
		}
		all = append(all, c.bundles(ctx, a, listed, fetched)...)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%s: interrupted: %w", a.purpose().doing, context.Cause(ctx))
		case len(all) > MaxAttestations || len(all) == MaxAttestations && got.after != "":
			return nil, a.tooMuch(fmt.Sprint(MaxAttestations))
		case fetched.Load() > maxFetched:
			return nil, a.tooMuch(fmt.Sprintf("%d MiB of bundles", maxFetched>>20))
		case got.after == "" || len(listed) == 0:
			return all, nil
		}
		after = got.after
	}
}

func (a asking) tooMuch(bound string) error {
	return fmt.Errorf("%s: more than %s, which is the most that is read; next: fetch those you mean with gh attestation download, and name them with --bundle", a.purpose().doing, bound)
}

// bundles takes those of a page, several at once where they have to be fetched. Once
// there is too much, no more are.
func (c *Client) bundles(ctx context.Context, a asking, listed []listedAttestation, fetched *atomic.Int64) []Attestation {
	all := make([]Attestation, len(listed))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, l := range listed {
		group.Go(func() error {
			if fetched.Load() <= maxFetched {
				all[i] = c.bundle(ctx, a, l)
				fetched.Add(int64(len(all[i].Bundle)))
			}
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	return all
}

// listing is the request for one page.
func (c *Client) listing(a asking, after string) call {
	query := url.Values{"per_page": {strconv.Itoa(perPage)}}
	if a.predicateType != "" {
		query.Set("predicate_type", a.predicateType)
	}
	if after != "" {
		query.Set("after", after)
	}
	return call{purpose: a.purpose(), limit: maxAnswer, within: carryTime, once: a.once, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodGet, a.at.path("attestations", a.digest)+"?"+query.Encode(), nil)
	}}
}

// seen tells apart what 404 means: that there are no attestations, or that there is no
// such repository, or none that the token may see.
func (c *Client) seen(ctx context.Context, a asking, failed *Error) error {
	_, err := c.send(ctx, call{purpose: a.purpose(), limit: maxAnswer, within: attemptTime, request: func() (*http.Request, error) {
		return c.api.NewRequest(http.MethodGet, a.at.path(), nil)
	}})
	if unseen, ok := errors.AsType[*Error](err); ok && unseen.Status == http.StatusNotFound {
		return failed
	}
	return err
}

// listedAttestation is one as a page lists it.
type listedAttestation struct {
	Bundle jsontext.Value `json:"bundle"`
	URL    string         `json:"bundle_url"`
}

// parseList reads a page: {"attestations": […]}.
func parseList(body []byte) ([]listedAttestation, error) {
	var page struct {
		Attestations *[]listedAttestation `json:"attestations"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, err
	}
	if page.Attestations == nil {
		return nil, errors.New("it lists no attestations, not even none")
	}
	return *page.Attestations, nil
}

// bundle takes what the page has, or fetches it.
func (c *Client) bundle(ctx context.Context, a asking, listed listedAttestation) Attestation {
	switch {
	case listed.Bundle.Kind() == '{' && len(listed.Bundle) > MaxBundle:
		return Attestation{Err: fmt.Errorf("the bundle has %d bytes, at most %d MiB are read", len(listed.Bundle), MaxBundle>>20)}
	case listed.Bundle.Kind() == '{':
		return Attestation{Bundle: listed.Bundle}
	case listed.URL == "":
		return Attestation{Err: errors.New("GitHub lists it without a bundle, and without the URL of one")}
	}
	data, err := c.fetchBundle(ctx, a, listed.URL)
	return Attestation{Bundle: data, Err: err}
}
