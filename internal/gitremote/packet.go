package gitremote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/signatus-dev/signatus/internal/gitobject"
)

// Bounds of what a server may say.
const (
	maxPacket     = 65520
	maxAdvertised = 64 << 20
	maxReport     = 1 << 20
)

// packets reads lines that each say how long they are.
//
// "The first four bytes of the line, the pkt-len, indicates the total length of the
// line, in hexadecimal. … A pkt-line with a length field of 0 ("0000"), called a
// flush-pkt, is a special case" (gitprotocol-common(5))
type packets struct {
	from io.Reader
	left int64 // bytes that may still come
}

// errFlush ends a group of packets.
var errFlush = errors.New("flush")

// next gives the content of a packet without a line feed at its end, or errFlush.
func (p *packets) next() (string, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.from, head[:]); err != nil {
		return "", err
	}
	size, err := strconv.ParseUint(string(head[:]), 16, 16)
	switch {
	case err != nil || size > maxPacket || size > 0 && size < 4:
		return "", fmt.Errorf("the answer is not in git's protocol: it has %q where a length was expected", head)
	case size == 0:
		return "", errFlush
	}
	if p.left -= int64(size); p.left < 0 {
		return "", errors.New("the answer is longer than is read")
	}
	data := make([]byte, size-4)
	if _, err := io.ReadFull(p.from, data); err != nil {
		return "", err
	}
	if why, failed := strings.CutPrefix(string(data), "ERR "); failed {
		return "", fmt.Errorf("it says: %.300s", strings.TrimSpace(why))
	}
	return string(bytes.TrimSuffix(data, []byte("\n"))), nil
}

// packet writes one.
func packet(to *bytes.Buffer, text string) {
	fmt.Fprintf(to, "%04x%s", len(text)+4, text)
}

const flush = "0000"

// advertised is what a server says first.
type advertised struct {
	tip          string // of the ref that was asked for; empty for none
	capabilities []string
}

// readAdvertised reads which refs there are, up to the flush at their end.
//
// "advertised-refs = *1("version 1") (no-refs / list-of-refs) *shallow flush-pkt;
// first-ref = PKT-LINE(obj-id SP refname NUL capability-list)" (gitprotocol-pack(5))
func readAdvertised(from io.Reader, ref string) (advertised, error) {
	var out advertised
	lines := &packets{from: from, left: maxAdvertised}
	for first := true; ; {
		line, err := lines.next()
		if errors.Is(err, errFlush) {
			return out, out.supported()
		}
		if err != nil {
			return advertised{}, fmt.Errorf("reading which refs there are: %w", err)
		}
		if line == "version 1" || strings.HasPrefix(line, "shallow ") {
			continue
		}
		if first {
			var list string
			line, list, _ = strings.Cut(line, "\x00")
			out.capabilities, first = strings.Fields(list), false
		}
		id, name, ok := strings.Cut(line, " ")
		if !ok || !gitobject.ValidID(id) && strings.Trim(id, "0") != "" {
			return advertised{}, fmt.Errorf("reading which refs there are: %.80q is none", line)
		}
		if name == ref && gitobject.ValidID(id) {
			out.tip = id
		}
	}
}

// supported refuses a repository whose objects are not named as the ones here.
func (a advertised) supported() error {
	for _, c := range a.capabilities {
		if format, ok := strings.CutPrefix(c, "object-format="); ok && format != "sha1" {
			return fmt.Errorf("it names its objects by %.20s, and this clone by sha1", format)
		}
	}
	return nil
}

// readReport reads what became of the one ref that was to move.
//
// "report-status = unpack-status 1*(command-status) flush-pkt; command-ok = "ok" SP
// refname; command-fail = "ng" SP refname SP error-msg" (gitprotocol-pack(5))
func readReport(from io.Reader, ref string) error {
	lines := &packets{from: from, left: maxReport}
	unpacked, err := lines.next()
	if err != nil {
		return fmt.Errorf("reading what became of it: %w", err)
	}
	if unpacked != "unpack ok" {
		return fmt.Errorf("it did not take the objects: %.300s", strings.TrimPrefix(unpacked, "unpack "))
	}
	status, err := lines.next()
	if err != nil {
		return fmt.Errorf("reading what became of it: %w", err)
	}
	if status == "ok "+ref {
		return nil
	}
	why, refused := strings.CutPrefix(status, "ng "+ref+" ")
	if !refused {
		return fmt.Errorf("reading what became of it: %.300q is no answer", status)
	}
	return fmt.Errorf("it refused to move %s: %.300s", ref, why)
}
