package attestation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The hashed subpackets of an OpenPGP signature that are read, or may be critical
// without changing what the signature says (RFC 9580, 5.2.3.7).
const (
	pgpCreated     = 2
	pgpExpires     = 3
	pgpIssuer      = 16
	pgpPolicy      = 26
	pgpUserID      = 28
	pgpFingerprint = 33
	pgpCritical    = 0x80
)

// openPGPEnd reads when a signature ends by its own word; zero for never.
//
// "If a subpacket is encountered that is marked critical but is unknown to the
// evaluating implementation, the evaluator SHOULD consider the signature to be in
// error." (RFC 9580, 5.2.3.7; TestOpenPGPSubpackets)
func openPGPEnd(subpackets []byte) (time.Time, error) {
	var created time.Time
	var life time.Duration
	for len(subpackets) > 0 {
		kind, body, rest, err := cutSubpacket(subpackets)
		if err != nil {
			return time.Time{}, err
		}
		subpackets = rest
		switch kind &^ pgpCritical {
		case pgpCreated, pgpExpires:
			if len(body) != 4 {
				return time.Time{}, errors.New("a time in the OpenPGP signature has not four octets")
			}
			seconds := int64(binary.BigEndian.Uint32(body))
			if kind&^pgpCritical == pgpCreated {
				created = time.Unix(seconds, 0).UTC()
			} else {
				life = time.Duration(seconds) * time.Second
			}
		case pgpIssuer, pgpPolicy, pgpUserID, pgpFingerprint:
		default:
			if kind&pgpCritical != 0 {
				return time.Time{}, fmt.Errorf("the OpenPGP signature has a critical subpacket of type %d, which is not understood here", kind&^pgpCritical)
			}
		}
	}
	if life == 0 {
		return time.Time{}, nil
	}
	if created.IsZero() {
		return time.Time{}, errors.New("the OpenPGP signature ends, and does not say when it was made")
	}
	return created.Add(life), nil
}

// cutSubpacket takes the first one off: its length in one, two or five octets, its
// type and its body.
func cutSubpacket(data []byte) (kind byte, body, rest []byte, err error) {
	size, n := int64(data[0]), 1
	switch {
	case data[0] == 255 && len(data) >= 5:
		size, n = int64(binary.BigEndian.Uint32(data[1:5])), 5
	case data[0] >= 192 && data[0] < 255 && len(data) >= 2:
		size, n = int64(data[0]-192)<<8+int64(data[1])+192, 2
	case data[0] >= 192:
		size = -1
	}
	if size < 1 || size > int64(len(data)-n) {
		return 0, nil, nil, errors.New("the OpenPGP signature's subpackets cannot be read")
	}
	end := n + int(size)
	return data[n], data[n+1 : end], data[end:], nil
}
