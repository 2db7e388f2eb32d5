package registry

import (
	"strings"
	"sync"

	"github.com/signatus-dev/signatus/internal/identity"
)

// secrets are what no text may hold.
type secrets struct {
	mu   sync.Mutex
	know []string
}

// add remembers a secret; short ones are no secrets, and would blacken words.
func (s *secrets) add(secret string) {
	if len(secret) < 4 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range s.know {
		if have == secret {
			return
		}
	}
	s.know = append(s.know, secret)
}

// maxText is how many bytes of a registry's words are kept.
const maxText = 300

// clean makes one bounded line of a text from outside, without secrets and without what
// would read as this program's own next step.
func (s *secrets) clean(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = strings.Join(strings.Fields(text), " ")
	for _, secret := range s.know {
		text = strings.ReplaceAll(text, secret, identity.Token{}.String())
	}
	for marker := strings.TrimSpace(nextMarker); strings.Contains(text, marker); {
		text = strings.ReplaceAll(text, marker, ";")
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
