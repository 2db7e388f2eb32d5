package gitobject

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// read takes the parents and the people from headers that are in order.
func (c *SignedCommit) read(headers []header) (err error) {
	for _, h := range headers {
		switch h.name {
		case "parent":
			c.Parents = append(c.Parents, h.value)
		case "author":
			c.Author, err = parsePerson(h.value)
		case "committer":
			c.Committer, err = parsePerson(h.value)
		}
		if err != nil {
			return fmt.Errorf("reading its %s: %w", h.name, err)
		}
	}
	return nil
}

// read takes the tagger, and refuses headers that git does not write there.
func (t *SignedTag) read(headers []header) (err error) {
	rest := headers[3:]
	if len(rest) > 0 && rest[0].name == "tagger" {
		if rest[0].continued {
			return errors.New("its tagger has a second line")
		}
		if t.Tagger, err = parsePerson(rest[0].value); err != nil {
			return fmt.Errorf("reading its tagger: %w", err)
		}
		rest = rest[1:]
	}
	for _, h := range rest {
		switch {
		case h.name == "tagger":
			return errors.New("the header tagger stands twice or out of place")
		case strings.HasPrefix(h.name, "gpgsig"):
			return fmt.Errorf("its signature header %.40s signs another object", h.name)
		}
	}
	return nil
}

// parsePerson reads "Alice <alice@example.com> 1760000000 +0100".
func parsePerson(s string) (Person, error) {
	errForm := errors.New("expected NAME <EMAIL> SECONDS ZONE")
	name, rest, ok := strings.Cut(s, "<")
	email, date, closed := strings.Cut(rest, ">")
	if !ok || !closed || strings.ContainsAny(date, "<>") || strings.Contains(email, "<") {
		return Person{}, errForm
	}
	seconds, zone, ok := strings.Cut(strings.TrimPrefix(date, " "), " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	// Up to the year 9999, which is what JSON's dates can say.
	if !ok || err != nil || unix < 0 || unix > 253402300799 || !isZone(zone) {
		return Person{}, errForm
	}
	return Person{Name: strings.TrimSpace(name), Email: email, Date: time.Unix(unix, 0).UTC()}, nil
}

// isZone holds a zone to +HHMM.
func isZone(s string) bool {
	return len(s) == 5 && (s[0] == '+' || s[0] == '-') && strings.Trim(s[1:], "0123456789") == ""
}
