package sshsig

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxAllowedBytes bounds an allowed signers file: some 12,000 signers.
const MaxAllowedBytes = 1 << 20

// Allowed is one line of an allowed signers file: these principals sign with this
// key, or with keys that this authority certifies for one of them.
type Allowed struct {
	Line       int
	Principals Patterns
	Key        PublicKey
	Authority  bool // cert-authority
	Namespaces Patterns
	// After and Before bound the time of signing; zero where the line says none.
	After, Before time.Time
}

// ValidAt reports whether the line holds at an instant.
func (a Allowed) ValidAt(t time.Time) bool {
	return !t.Before(a.After) && (a.Before.IsZero() || t.Before(a.Before))
}

// Unusable is a line whose key is of a kind or a size that can be forged, so that no
// signature by it ever counts.
type Unusable struct {
	Line int
	Key  string // its fingerprint
	Why  error
}

// ParseAllowed reads an allowed signers file. Every line must be understood: one
// that is skipped in silence may be the one that ends somebody's key. Those whose keys
// never count are given apart: ssh-keygen passes over them, and the others still hold.
//
// "Each line of the file contains the following space-separated fields: principals,
// options, keytype, base64-encoded key. Empty lines and lines starting with a '#'
// are ignored as comments." (ssh-keygen(1), ALLOWED SIGNERS)
func ParseAllowed(data []byte) (all []Allowed, unusable []Unusable, err error) {
	if len(data) > MaxAllowedBytes {
		return nil, nil, fmt.Errorf("reading allowed signers: %d bytes, at most %d are read", len(data), MaxAllowedBytes)
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		a, err := parseAllowed(text)
		if err != nil {
			return nil, nil, fmt.Errorf("reading allowed signers: line %d: %w", number, err)
		}
		a.Line = number
		if why := a.Key.check(); why != nil {
			unusable = append(unusable, Unusable{Line: number, Key: a.Key.String(), Why: why})
			continue
		}
		all = append(all, a)
	}
	switch {
	case len(all) > 0:
		return all, unusable, nil
	case len(unusable) > 0:
		return nil, nil, fmt.Errorf("reading allowed signers: nobody is listed with a key that can count: line %d: %w", unusable[0].Line, unusable[0].Why)
	}
	return nil, nil, errors.New("reading allowed signers: nobody is listed")
}

// parseAllowed reads a line. Its key may be one that never counts.
func parseAllowed(line string) (Allowed, error) {
	field, rest, err := cutField(line)
	if err != nil {
		return Allowed{}, err
	}
	var a Allowed
	if a.Principals, err = ParsePatterns(strings.ReplaceAll(field, `"`, "")); err != nil {
		return Allowed{}, fmt.Errorf("reading its principals: %w", err)
	}
	rest = strings.TrimSpace(rest)
	if !LooksLikeKey(rest) {
		if field, rest, err = cutField(rest); err != nil {
			return Allowed{}, err
		}
		if err := a.options(field); err != nil {
			return Allowed{}, err
		}
	}
	a.Key, err = readKey([]byte(rest))
	return a, err
}

// cutField takes what stands before the first blank outside of quotes.
func cutField(s string) (field, rest string, err error) {
	quoted := false
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case !quoted && (r == ' ' || r == '\t'):
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", errors.New("expected principals, options and a key")
}

// options reads "namespaces="git",valid-before="20300101Z"".
func (a *Allowed) options(field string) (err error) {
	seen := map[string]bool{}
	for _, option := range splitUnquoted(field) {
		name, value, valued := strings.Cut(option, "=")
		name = strings.ToLower(name)
		text, quoted := unquote(value)
		switch {
		case seen[name]:
			return fmt.Errorf("the option %s stands twice", name)
		case name == "cert-authority" && !valued:
			a.Authority = true
		case valued && !quoted:
			return fmt.Errorf("the option %.40s needs its value in quotes", name)
		case name == "namespaces":
			a.Namespaces, err = ParsePatterns(text)
		case name == "valid-after":
			a.After, err = parseTimestamp(text, westernmost)
		case name == "valid-before":
			a.Before, err = parseTimestamp(text, easternmost)
		default:
			return fmt.Errorf("the option %.40q is not understood", option)
		}
		if err != nil {
			return fmt.Errorf("reading the option %s: %w", name, err)
		}
		seen[name] = true
	}
	if !a.After.IsZero() && !a.Before.IsZero() && !a.After.Before(a.Before) {
		return errors.New("it ends before it begins")
	}
	return nil
}

func splitUnquoted(s string) (parts []string) {
	quoted, start := false, 0
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			parts, start = append(parts, s[start:i]), i+1
		}
	}
	return append(parts, s[start:])
}

func unquote(s string) (string, bool) {
	inner, opens := strings.CutPrefix(s, `"`)
	inner, closes := strings.CutSuffix(inner, `"`)
	return inner, opens && closes && !strings.Contains(inner, `"`)
}

// The time zones in which a day ends last and begins first: UTC-12 and UTC+14.
const (
	westernmost = -12 * time.Hour
	easternmost = 14 * time.Hour
)

// parseTimestamp reads an instant, which without a zone is that of the given one.
//
// "Dates and times may be specified in the format YYYYMMDD or YYYYMMDDHHMM[SS] …
// interpreted in the current system time zone unless suffixed with a Z character."
// (ssh-keygen(1); it takes z and UTC as well) Whose time zone the file was written
// in, nobody can know here: a line without one holds while it holds in every zone.
func parseTimestamp(s string, zone time.Duration) (time.Time, error) {
	digits := s
	for _, suffix := range []string{"Z", "UTC"} {
		if n := len(s) - len(suffix); n > 0 && strings.EqualFold(s[n:], suffix) {
			digits, zone = s[:n], 0
		}
	}
	for _, form := range []string{"20060102", "200601021504", "20060102150405"} {
		if t, err := time.Parse(form, digits); err == nil && len(digits) == len(form) {
			return t.Add(-zone), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.20q is no date, expected YYYYMMDDZ or YYYYMMDDHHMM[SS]Z", s)
}

// Patterns is a list as ssh_config(5) has it: * and ? are wildcards, and a name that
// a pattern with ! covers does not match, whatever the others say.
type Patterns []string

// maxPattern bounds one pattern, in bytes, and maxPatterns how many there are.
const (
	maxPattern  = 1024
	maxPatterns = 256
)

// ParsePatterns reads a list that is separated by commas.
func ParsePatterns(s string) (Patterns, error) {
	list := Patterns(strings.Split(s, ","))
	if len(list) > maxPatterns {
		return nil, fmt.Errorf("%d patterns, at most %d are read", len(list), maxPatterns)
	}
	for _, p := range list {
		if strings.TrimPrefix(p, "!") == "" || len(p) > maxPattern {
			return nil, errors.New("an empty or overlong pattern")
		}
	}
	return list, nil
}

// Match reports whether the list covers a name. The empty list covers nothing.
func (p Patterns) Match(name string) bool {
	matched := false
	for _, pattern := range p {
		negated, not := strings.CutPrefix(pattern, "!")
		switch {
		case !matchPattern(negated, name):
		case not:
			return false
		default:
			matched = true
		}
	}
	return matched
}

// Everybody reports whether a pattern of the list covers any name at all, or any that
// is an address.
func (p Patterns) Everybody() bool {
	return slices.ContainsFunc(p, func(s string) bool { return strings.Contains(s, "*") && strings.Trim(s, "*?@") == "" })
}

// String is the list as it was written.
func (p Patterns) String() string { return strings.Join(p, ",") }

// matchPattern goes back to the last star only: the cost is len(pattern) × len(name).
func matchPattern(pattern, name string) bool {
	star, mark := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
