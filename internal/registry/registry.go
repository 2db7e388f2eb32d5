// Package registry reads images of OCI registries by their digests, and keeps
// attestations beside them as referrers. It believes no registry: bytes that do not
// hash to the digest that was asked for are refused, and what is said to refer to an
// image is handed on as bytes. It runs no image and reads none of its layers.
//
// Sources: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md and
// https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
package registry

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/signatus-dev/signatus/internal/answer"
	"github.com/signatus-dev/signatus/internal/identity"
)

// Bounds of what is read and written.
const (
	// MaxManifestBytes is what registries take: "Registries SHOULD [...] enforce some
	// limit [...] Clients SHOULD limit the manifest size to 4 megabytes."
	MaxManifestBytes = 4 << 20
	MaxBundleBytes   = 32 << 20
	// MaxReferrers bounds how many referrers are read of one image, and
	// MaxReferrerBytes their bundles together.
	MaxReferrers     = 1000
	MaxReferrerBytes = 128 << 20
	// MaxChildren bounds the manifests of one index, also of those within it.
	MaxChildren = 500
)

// Options are what a client needs of the outside.
type Options struct {
	HTTP  *http.Client // must be set
	Agent string       // of this program, for example signatus/v1.0.0
	// User and Password log in at every registry that is asked. Without a password,
	// docker's configuration file is looked for.
	User     string
	Password identity.Token
	// Getenv tells where that file is; nil for nowhere.
	Getenv func(string) string
	// Now is when images are said to have been attested, and by which a date to come
	// back at is read.
	Now time.Time
	// Again is told of every wait before something is tried again; nil for nobody.
	Again func(why *Error, wait time.Duration)
	// Sleep waits, or ends with the context; nil for a clock's.
	Sleep func(context.Context, time.Duration) error
}

// Client talks to registries. It logs in once for each repository.
type Client struct {
	options Options
	wire    *wire
	budget  time.Duration // of one request with all its attempts and waits
	attempt time.Duration // of one attempt

	mu        sync.Mutex
	sessions  map[string]*session
	anonymous map[string]bool // by the registry's host, where it was asked
	secrets   answer.Secrets
}

// New makes a client. It asks nobody yet.
func New(o Options) (*Client, error) {
	if o.HTTP == nil {
		return nil, errors.New("reaching registries: there is no HTTP client")
	}
	if o.Sleep == nil {
		o.Sleep = answer.Pause
	}
	c := &Client{options: o, budget: 2 * time.Minute, attempt: time.Minute, sessions: map[string]*session{}, anonymous: map[string]bool{}}
	c.secrets.Add(o.Password.Reveal())
	c.wire = newWire(o.HTTP, &c.secrets)
	return c, nil
}
