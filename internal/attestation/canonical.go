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
func canonicalJSON(value jsontext.Value) ([]byte, error) {
	c := canonical{dec: jsontext.NewDecoder(bytes.NewBuffer(value))}
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
// their bytes in UTF-8.
func (c *canonical) object() error {
	type written struct {
		key   string
		value []byte
	}
	var members []written
	for c.dec.PeekKind() != '}' {
		token, err := c.dec.ReadToken()
		if err != nil {
			return err
		}
		inner := canonical{dec: c.dec}
		key := token.String()
		if err := inner.value(); err != nil {
			return err
		}
		members = append(members, written{key, inner.out})
	}
	slices.SortFunc(members, func(a, b written) int { return strings.Compare(a.key, b.key) })
	c.out = append(c.out, '{')
	for i, m := range members {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.text(m.key)
		c.out = append(append(c.out, ':'), m.value...)
	}
	c.out = append(c.out, '}')
	_, err := c.dec.ReadToken()
	return err
}
