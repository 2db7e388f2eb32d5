package answer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
)

// Fault is an attempt without an answer.
type Fault struct {
	Err error // in words alone, without the URL, which may hold a signature that lets one in
	// Unreached tells that nobody was there to answer: the service, or the proxy that
	// was to ask it.
	Unreached bool
	Unknown   bool // no name server knows the host
	Untrusted bool // who answered has no certificate that this machine trusts
}

// TrustNext is the next step where an answer was not trusted.
const TrustNext = "a proxy may answer in its place: have its certificate authority among those of this machine (SSL_CERT_FILE)"

// Broken tells what was in the way of an answer.
func Broken(secrets *Secrets, err error) Fault {
	for inner, ok := errors.AsType[*url.Error](err); ok; inner, ok = errors.AsType[*url.Error](err) {
		err = inner.Err
	}
	dialled, ok := errors.AsType[*net.OpError](err)
	unreached := ok && (dialled.Op == "dial" || dialled.Op == "proxyconnect" || dialled.Op == "socks connect")
	asked, ok := errors.AsType[*net.DNSError](err)
	unknown := ok && asked.IsNotFound
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	f := Fault{Unreached: unreached, Unknown: unknown, Untrusted: untrusted}
	if errors.Is(err, context.DeadlineExceeded) {
		f.Err = errors.New("no answer in time")
		return f
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // a library may add an answer, which may hold a token
	f.Err = errors.New(secrets.Clean(text))
	return f
}
