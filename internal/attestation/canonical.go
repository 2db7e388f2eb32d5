package attestation

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// canonicalJSON writes a JSON value in the canonical form that in-toto 1.0 signs:
// sorted keys, no white space, in strings only the quote and the backslash
// escaped, integers only. It is not RFC 8785.
//
// "we use 'canonical JSON,' as described in
// http://wiki.laptop.org/go/Canonical_JSON, when calculating digests of metadata
// objects." (in-toto 1.0, 4.1; TestCanonicalJSON)
//
// The value is the received one, not what a struct kept of it: the peers write
// their structs again before they check, and so refuse each other's layouts.
// It never gets longer.
func canonicalJSON(value jsontext.Value) ([]byte, error) {
	c := canonical{
		dec: jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowDuplicateNames(true)),
		out: make([]byte, 0, len(value)),
	}
	if err := c.value(); err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	return c.out, nil
}

type canonical struct {
	dec *jsontext.Decoder
	out []byte
}

func (c *canonical) value() error {
	if c.dec.StackDepth() >= MaxDepth {
		return fmt.Errorf("nested more than %d deep", MaxDepth)
	}
	token, err := c.dec.ReadToken()
	if err != nil {
		return err
	}
	switch kind := token.Kind(); kind {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		c.text(token.String())
		return nil
	case '0':
		return c.number(token.String())
	case 'n', 't', 'f':
		c.out = append(c.out, token.String()...)
		return nil
	case jsontext.KindInvalid, jsontext.KindEndObject, jsontext.KindEndArray:
	}
	return errors.New("no value where there must be one")
}

// number refuses what is no integer: peers write floating point numbers
// differently, so that one signature would cover several values.
func (c *canonical) number(text string) error {
	if strings.ContainsAny(text, ".eE") {
		return fmt.Errorf("the number %.40s is not an integer, and canonical JSON has no other", text)
	}
	if text == "-0" {
		text = "0"
	}
	c.out = append(c.out, text...)
	return nil
}

func (c *canonical) text(s string) {
	c.out = append(c.out, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			c.out = append(c.out, '\\')
		}
		c.out = append(c.out, s[i])
	}
	c.out = append(c.out, '"')
}

func (c *canonical) array() error {
	c.out = append(c.out, '[')
	for first := true; c.dec.PeekKind() != ']'; first = false {
		if !first {
			c.out = append(c.out, ',')
		}
		if err := c.value(); err != nil {
			return err
		}
	}
	c.out = append(c.out, ']')
	_, err := c.dec.ReadToken()
	return err
}

// object writes the members by their keys' code points, which is the order of
// their bytes in UTF-8. They are written as they come, and moved only where they came
// in another order: in-toto's tools write them in this one.
func (c *canonical) object() error {
	type written struct {
		key        string
		begin, end int // in out, with a comma at its end
	}
	var members []written
	ordered := true
	c.out = append(c.out, '{')
	start := len(c.out)
	for c.dec.PeekKind() != '}' {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		m := written{key: token.String(), begin: len(c.out)}
		c.text(m.key)
		c.out = append(c.out, ':')
		if err := c.value(); err != nil {
			return err
		}
		c.out = append(c.out, ',')
		m.end = len(c.out)
		ordered = ordered && (len(members) == 0 || members[len(members)-1].key < m.key)
		members = append(members, m)
	}
	if !ordered {
		came := slices.Clone(c.out[start:])
		c.out = c.out[:start]
		slices.SortFunc(members, func(a, b written) int { return strings.Compare(a.key, b.key) })
		for i, m := range members {
			if i > 0 && m.key == members[i-1].key {
				return fmt.Errorf("the key %.40q is there twice", m.key)
			}
			c.out = append(c.out, came[m.begin-start:m.end-start]...)
		}
	}
	if len(members) > 0 {
		c.out = c.out[:len(c.out)-1] // the last comma
	}
	c.out = append(c.out, '}')
	_, err := c.dec.ReadToken()
	return err
}
