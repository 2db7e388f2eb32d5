package answer

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/signatus-dev/signatus/internal/identity"
)

// MaxRead is how many bytes of a text are looked through for words.
const MaxRead = 4 << 10

const (
	minSecret = 4 // characters: a shorter one is no secret, and would blacken words
	minRun    = 8 // characters of a secret's beginning that are not shown either
)

// Secrets are what no text may hold. The zero value knows none. Several goroutines may
// use one.
type Secrets struct {
	mu    sync.Mutex
	known []string
}

// Add makes secrets known.
func (s *Secrets) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		if len(secret) >= minSecret && !slices.Contains(s.known, secret) {
			s.known = append(s.known, secret)
		}
	}
}

// Clean is [Line] without the secrets, whole or begun.
func (s *Secrets) Clean(text string) string {
	long := len(text) > MaxRead
	if long {
		text = text[:MaxRead]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return Line(text, func(text string) string {
		for _, secret := range s.known {
			if long {
				text = cutBegun(text, secret)
			}
			text = blacken(text, secret)
		}
		return text
	})
}

// Wrap gives an error of a library as words alone: cleaned, and without the types of
// others.
func (s *Secrets) Wrap(err error) error { return errors.New(s.Clean(err.Error())) }

// blacken takes out every run of a text that a secret begins with, as far as it goes.
func blacken(text, secret string) string {
	begin := secret[:min(len(secret), minRun)]
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, begin)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(identity.Token{}.String())
		rest := secret[len(begin):]
		n := 0
		for n < min(len(rest), len(after)) && rest[n] == after[n] {
			n++
		}
		text = after[n:]
	}
}

// cutBegun cuts off the beginning of a secret that a text ends with.
func cutBegun(text, secret string) string {
	for n := min(len(secret), len(text)); n > 0; n-- {
		if strings.HasSuffix(text, secret[:n]) {
			return text[:len(text)-n]
		}
	}
	return text
}
