package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// stockServer is a stock server, as another process behind an address of ours.
type stockServer struct {
	service   string
	program   string
	arguments []string
	environ   []string
	port      string // of its HTTP API
	alive     string // a path that answers once it is ready
}

// startStock starts the stock servers with the keys of attestationtest, so that
// the trusted root is the same. What works and what does not is in the research
// on the sandbox: fulcio and timestamp-server listen for metrics on all
// interfaces, the latter always on port 2112.
func (s *Sandbox) startStock(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "signatus-stock-")
	if err != nil {
		return fmt.Errorf("making a folder for the stock servers: %w", err)
	}
	s.atEnd = append(s.atEnd, func() { _ = os.RemoveAll(dir) })
	if err := s.writeStockFiles(dir); err != nil {
		return fmt.Errorf("writing the stock servers' files: %w", err)
	}
	proxy, err := s.startProxy(filepath.Join(dir, "web.pem"))
	if err != nil {
		return err
	}
	servers, err := s.stockServers(ctx, dir, proxy)
	if err != nil {
		return err
	}
	for _, server := range servers {
		if err := s.startProcess(server); err != nil {
			return err
		}
	}
	for _, server := range servers {
		backend := &url.URL{Scheme: "http", Host: "127.0.0.1:" + server.port}
		if err := waitFor(ctx, backend.String()+server.alive); err != nil {
			return fmt.Errorf("starting the stock %s: %w", server.program, err)
		}
		front, err := s.serve(server.service, fixed(httputil.NewSingleHostReverseProxy(backend)))
		if err != nil {
			return err
		}
		switch server.service {
		case "fulcio":
			s.endpoints.Fulcio = front
		case "rekor2":
			s.endpoints.RekorV2 = front
		case "tsa":
			s.endpoints.TSA = front + timestampPath
		}
	}
	return nil
}

// stockServers are the three, with the flags that work.
func (s *Sandbox) stockServers(ctx context.Context, dir, proxy string) ([]stockServer, error) {
	ports, err := freePorts(ctx, 7)
	if err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return []stockServer{
		{
			service: "fulcio", program: "fulcio", port: ports[0], alive: "/api/v2/trustBundle",
			arguments: []string{
				"serve", "--host=127.0.0.1", "--port=" + ports[0],
				// The same port for both panics (fulcio v1.8.8).
				"--grpc-host=127.0.0.1", "--grpc-port=" + ports[1], "--metrics-port=" + ports[2],
				"--legacy-unix-domain-socket=" + in("fulcio.sock"),
				"--ca=fileca", "--fileca-watch=false", "--fileca-cert=" + in("fulcio.chain.pem"),
				"--fileca-key=" + in("fulcio.key.pem"), "--fileca-key-passwd=unused",
				"--ct-log-url=" + s.endpoints.CTLog, "--config-path=" + in("fulcio.yaml"), "--log_type=prod",
			},
			// An unmodified Fulcio asks GitHub's host itself for its keys: it
			// gets there through the proxy that stands in for it.
			environ: []string{"HTTPS_PROXY=" + proxy, "SSL_CERT_FILE=" + in("web.pem"), "NO_PROXY=127.0.0.1"},
		},
		{
			service: "rekor2", program: "posix", port: ports[3], alive: "/healthz",
			arguments: []string{
				"serve", "--http-address=127.0.0.1", "--http-port=" + ports[3],
				"--grpc-address=127.0.0.1", "--grpc-port=" + ports[4], "--http-metrics-port=" + ports[5],
				"--hostname=" + strings.TrimPrefix(s.sigstore.RekorV2.URL(), "https://"),
				"--storage-dir=" + in("rekor"), "--signer-filepath=" + in("rekor.key.pem"),
				"--checkpoint-interval=100ms", "--batch-max-age=10ms",
			},
		},
		{
			service: "tsa", program: "timestamp-server", port: ports[6], alive: timestampPath + "/certchain",
			arguments: []string{
				"serve", "--host=127.0.0.1", "--port=" + ports[6], "--disable-ntp-monitoring",
				"--timestamp-signer=file", "--file-signer-key-path=" + in("tsa.key.pem"), "--file-signer-passwd=unused",
				"--certificate-chain-path=" + in("tsa.chain.pem"),
			},
		},
	}, nil
}

func (s *Sandbox) writeStockFiles(dir string) error {
	for name, content := range map[string]func() ([]byte, error){
		"fulcio.key.pem":   s.sigstore.CA.PrivateKeyPEM,
		"fulcio.chain.pem": func() ([]byte, error) { return cryptoutils.MarshalCertificatesToPEM(s.sigstore.CA.Chain()) },
		"fulcio.yaml":      func() ([]byte, error) { return []byte(fulcioConfig(s.endpoints.Issuer)), nil },
		"rekor.key.pem":    s.sigstore.RekorV2.PrivateKeyPEM,
		"tsa.key.pem":      s.sigstore.TSA.PrivateKeyPEM,
		"tsa.chain.pem":    func() ([]byte, error) { return cryptoutils.MarshalCertificatesToPEM(s.sigstore.TSA.Chain()) },
	} {
		encoded, err := content()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), encoded, 0o600); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(dir, "rekor"), 0o700)
}

// freePorts returns ports of loopback that were free a moment ago. The stock
// servers refuse port 0.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var ports []string
	var held []net.Listener // until all are found
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	for range n {
		listener, _, err := listen(ctx)
		if err != nil {
			return nil, err
		}
		held = append(held, listener)
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// startProcess starts the server, and ends it when the sandbox ends.
func (s *Sandbox) startProcess(server stockServer) error {
	process := exec.Command(filepath.Join(s.config.Stock, server.program), server.arguments...) //nolint:noctx // it is ended below
	process.Env = append(os.Environ(), server.environ...)
	output, err := process.StderrPipe()
	if err != nil {
		return fmt.Errorf("starting the stock %s: %w", server.program, err)
	}
	process.Stdout = process.Stderr
	if err := process.Start(); err != nil {
		return fmt.Errorf("starting the stock %s: %w", server.program, err)
	}
	ended := make(chan struct{})
	s.serving.Go(func() {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			s.complain.Printf("%s: %s", server.program, lines.Text())
		}
		_, _ = io.Copy(io.Discard, output) // after a line too long to print
		_ = process.Wait()                 // killed, or what it said above
		close(ended)
	})
	s.atEnd = append(s.atEnd, func() {
		_ = process.Process.Kill() // nothing of it is kept, and posix would take seconds to end
		<-ended
	})
	return nil
}

// waitFor returns when the address answers with success.
func waitFor(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(response.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", address, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// startProxy serves an HTTP proxy that stands in for GitHub's host, and for no
// other, and writes the certificate that it shows there.
func (s *Sandbox) startProxy(certificateFile string) (string, error) {
	host := strings.TrimPrefix(GitHubIssuer, "https://")
	certificate, err := webCertificate(host)
	if err != nil {
		return "", fmt.Errorf("making a certificate for %s: %w", host, err)
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	if err := os.WriteFile(certificateFile, encoded, 0o600); err != nil {
		return "", fmt.Errorf("writing a certificate: %w", err)
	}
	inside := &tunnels{address: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, accepted: make(chan net.Conn), closed: make(chan struct{})}
	github := &http.Server{Handler: s.github.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: s.complain}
	s.servers = append(s.servers, github)
	s.serving.Go(func() {
		_ = github.Serve(tls.NewListener(inside, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}))
	})
	return s.serve("", fixed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != host+":443" {
			http.Error(w, "the sandbox stands in for "+host+" only", http.StatusForbidden)
			return
		}
		hijacker, ok := w.(http.Hijacker)
		if !ok {
			http.Error(w, "no tunnel", http.StatusInternalServerError)
			return
		}
		connection, buffered, err := hijacker.Hijack()
		if err != nil {
			return
		}
		rest, _ := buffered.Peek(buffered.Reader.Buffered())
		if _, err := io.WriteString(connection, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			_ = connection.Close()
			return
		}
		inside.offer(&tunnel{Conn: connection, first: bytes.NewReader(bytes.Clone(rest))})
	})))
}

// webCertificate returns a self-signed certificate for the host.
func webCertificate(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: host},
		DNSNames:              []string{host},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// tunnels is a net.Listener of the connections that came through the proxy.
type tunnels struct {
	address  net.Addr
	accepted chan net.Conn
	once     sync.Once
	closed   chan struct{}
}

func (t *tunnels) offer(connection net.Conn) {
	select {
	case t.accepted <- connection:
	case <-t.closed:
		_ = connection.Close()
	}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case connection := <-t.accepted:
		return connection, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.address }

// tunnel is a connection of which something was read already.
type tunnel struct {
	net.Conn
	first *bytes.Reader
}

func (t *tunnel) Read(b []byte) (int, error) {
	if t.first.Len() > 0 {
		return t.first.Read(b)
	}
	return t.Conn.Read(b)
}
