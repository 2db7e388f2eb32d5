package attestationtest

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Config says which services an instance has. Start from [PublicGood] or
// [GitHub].
type Config struct {
	CT      bool // a certificate transparency log
	RekorV1 bool // a Rekor v1 transparency log
	RekorV2 bool // a Rekor v2 transparency log
	TSA     bool // a timestamp authority

	// Domain names the services' hosts and is the organization of their
	// certificates: "sigstore.test" if empty.
	Domain string
	// Now is the instant at which the instance lives, in whole seconds:
	// 2026-01-15T12:00:00Z if zero.
	Now time.Time
	// Seed makes all keys, serial numbers and signatures repeatable. Without
	// one, each instance draws its own.
	Seed string
}

// PublicGood returns the configuration of an instance with all services, as
// the public good instance has them.
func PublicGood() Config {
	return Config{CT: true, RekorV1: true, RekorV2: true, TSA: true}
}

// GitHub returns the configuration of an instance in the manner of GitHub's:
// no log at all, and all time from the timestamp authority.
func GitHub() Config {
	return Config{TSA: true, Domain: "github.test"}
}

// Sigstore is an instance: a certificate authority and what else its
// configuration names; services it has not are nil. It is safe for concurrent
// use.
type Sigstore struct {
	CA      *CA
	CTLog   *CTLog
	RekorV1 *RekorV1
	RekorV2 *RekorV2
	TSA     *TSA

	now         time.Time
	seed        secret
	trustedRoot []byte
	keys        atomic.Uint64 // how many certified keys were made
	stranger    func() (*Sigstore, error)
}

// window is a time in which a key or certificate is valid.
type window struct{ start, end time.Time }

// New returns an instance. A configuration without any service is an error.
func New(config Config) (*Sigstore, error) {
	if !config.CT && !config.RekorV1 && !config.RekorV2 && !config.TSA {
		return nil, errors.New("configuring sigstore: no service is named")
	}
	config.Domain = cmp.Or(config.Domain, "sigstore.test")
	if config.Now.IsZero() {
		config.Now = time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC)
	}
	config.Now = config.Now.UTC().Truncate(time.Second)
	config.Seed = cmp.Or(config.Seed, rand.Text())

	s, err := newSigstore(config)
	if err != nil {
		return nil, fmt.Errorf("starting sigstore: %w", err)
	}
	return s, nil
}

func newSigstore(config Config) (*Sigstore, error) {
	var (
		err    error
		seed   = secret(config.Seed)
		domain = config.Domain
		valid  = window{config.Now.AddDate(-5, 0, 0), config.Now.AddDate(25, 0, 0)}
		s      = &Sigstore{now: config.Now, seed: seed}
	)
	if s.CA, err = newCA("https://fulcio."+domain, domain, seed, valid); err != nil {
		return nil, err
	}
	if config.CT {
		if s.CTLog, err = newCTLog("https://ctfe."+domain, seed); err != nil {
			return nil, err
		}
	}
	if config.RekorV1 {
		if s.RekorV1, err = newRekorV1("rekor."+domain, seed); err != nil {
			return nil, err
		}
	}
	if config.RekorV2 {
		if s.RekorV2, err = newRekorV2("log2026-1.rekor."+domain, seed); err != nil {
			return nil, err
		}
	}
	if config.TSA {
		if s.TSA, err = newTSA("https://timestamp."+domain+"/api/v1/timestamp", domain, seed, valid); err != nil {
			return nil, err
		}
	}
	if s.trustedRoot, err = s.encodeTrustedRoot(valid); err != nil {
		return nil, err
	}
	s.stranger = sync.OnceValues(func() (*Sigstore, error) { return newStranger(config) })
	return s, nil
}

// newStranger returns an instance with all services under the same names, but
// with other keys: whom a forger would run.
func newStranger(config Config) (*Sigstore, error) {
	s, err := newSigstore(Config{
		CT: true, RekorV1: true, RekorV2: true, TSA: true,
		Domain: config.Domain,
		Now:    config.Now,
		Seed:   "a stranger to " + config.Seed,
	})
	if err != nil {
		return nil, fmt.Errorf("starting a stranger's sigstore: %w", err)
	}
	return s, nil
}

// Now returns the instant at which the instance lives.
func (s *Sigstore) Now() time.Time { return s.now }

// TrustedRoot returns trusted_root.json, of the media type
// application/vnd.dev.sigstore.trustedroot+json;version=0.1.
func (s *Sigstore) TrustedRoot() []byte { return bytes.Clone(s.trustedRoot) }

// at returns the instant in UTC and whole seconds, or now for the zero value.
func (s *Sigstore) at(instant time.Time) time.Time {
	if instant.IsZero() {
		return s.now
	}
	return instant.UTC().Truncate(time.Second)
}
