package signer

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
)

//go:embed embedded/*.json
var embeddedFiles embed.FS

// MaxConfigSize bounds a signing config, in bytes.
const MaxConfigSize = 1 << 20

// The versions of a transparency log, for Config.Select. A bundle of version 1
// opens with old and new verifiers.
const (
	ConfigDecides = 0 // the newest that the signing config names
	RekorV1       = 1 // states a time itself
	RekorV2       = 2 // states no time: it needs a timestamp authority beside it
)

// Config is a Sigstore signing config v0.2. The zero value names no service.
type Config struct {
	config *root.SigningConfig
}

// PublicGood returns the embedded signing config of the public-good instance;
// embedded/SOURCES.md says whence, and of which day. The instance names its
// Rekor v2 in a file of its own, an opt-in, which is returned for RekorV2 only.
func PublicGood(rekorVersion int) (Config, error) {
	name := "sigstore.signing_config.v0.2.json"
	if rekorVersion == RekorV2 {
		name = "sigstore.signing_config_rekor_v2.v0.2.json"
	}
	data, err := embeddedFiles.ReadFile("embedded/" + name)
	if err != nil {
		return Config{}, fmt.Errorf("reading the embedded signing config: %w", err)
	}
	return ParseConfig(data)
}

// ParseConfig reads a signing config of the media type
// application/vnd.dev.sigstore.signingconfig.v0.2+json, at most MaxConfigSize
// bytes. Its error is a *ConfigError.
func ParseConfig(data []byte) (Config, error) {
	refuse := func(err error) (Config, error) {
		return Config{}, &ConfigError{
			Err:  fmt.Errorf("reading the signing config: %w", err),
			Next: "give a file of the media type " + root.SigningConfigMediaType02,
		}
	}
	if len(data) > MaxConfigSize {
		return refuse(fmt.Errorf("%d bytes, at most %d are read", len(data), MaxConfigSize))
	}
	var document struct {
		MediaType string `json:"mediaType"`
	}
	if json.Unmarshal(data, &document) == nil && strings.HasPrefix(document.MediaType, "application/vnd.dev.sigstore.trustedroot") {
		return refuse(errors.New("this is a trusted root (--trusted-root), not a signing config"))
	}
	config, err := root.NewSigningConfigFromJSON(data)
	if err != nil {
		// protobuf's words differ from build to build, by a space of another kind.
		return refuse(errors.New(strings.ReplaceAll(err.Error(), "\u00a0", " ")))
	}
	for _, services := range [][]root.Service{
		config.FulcioCertificateAuthorityURLs(), config.OIDCProviderURLs(),
		config.RekorLogURLs(), config.TimestampAuthorityURLs(),
	} {
		for _, service := range services {
			if err := checkURL(service.URL); err != nil {
				return refuse(err)
			}
		}
	}
	return Config{config}, nil
}

// checkURL refuses what is no address of a service. A password in one would show
// up in logs of proxies and servers.
func checkURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("an address of a service is no URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fmt.Errorf("the address of a service on %q, expected https and a host", u.Host)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("the address of the service on %q is http, expected https: an identity token would be sent for anybody to read", u.Host)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("the address of the service on %q holds a user, a query or a fragment, expected none", u.Host)
	}
	return nil
}

// loopback tells whether a host is this machine, where a test's Sigstore runs.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Services are the services to sign with. The zero value is none, which is
// enough for a private key alone.
type Services struct {
	Fulcio string // base URL; empty where the config names none that is valid now
	OIDC   string // the issuer to log in at, for people; empty like Fulcio

	// Rekor are the base URLs of the logs to write to, all of RekorVersion.
	Rekor        []string
	RekorVersion int // RekorV1 or RekorV2; must be set with Rekor

	TSA []string // the URLs to post timestamp queries to
}

// CertificateAuthorities are the addresses of all certificate authorities that the
// config names, whenever they are valid.
func (c Config) CertificateAuthorities() []string {
	if c.config == nil {
		return nil
	}
	return addresses(c.config.FulcioCertificateAuthorityURLs())
}

// Select chooses the services that are valid at the instant, the newest version
// of each that this program speaks, and as many as the config's selectors say.
// rekorVersion is ConfigDecides, RekorV1 or RekorV2. Its error is a
// *ConfigError: a service that the config names and that cannot be used is never
// left out in silence.
func (c Config) Select(now time.Time, rekorVersion int) (Services, error) {
	if c.config == nil {
		return Services{}, &ConfigError{Err: errors.New("selecting services: no signing config was read"), Next: "give --signing-config FILE"}
	}
	s, versions := Services{}, sign.RekorAPIVersions
	// Who signs with a key needs neither of these; Sign asks for what it needs.
	if ca, err := root.SelectService(c.config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now); err == nil {
		s.Fulcio = ca.URL
	}
	if issuer, err := root.SelectService(c.config.OIDCProviderURLs(), []uint32{1}, now); err == nil {
		s.OIDC = issuer.URL
	}

	switch rekorVersion {
	case ConfigDecides:
	case RekorV1, RekorV2:
		versions = []uint32{uint32(rekorVersion)}
	default:
		return Services{}, &ConfigError{Err: fmt.Errorf("selecting services: no Rekor has version %d", rekorVersion), Next: "give --rekor-version 1 or 2"}
	}
	if logs := c.config.RekorLogURLs(); len(logs) > 0 || rekorVersion != ConfigDecides {
		selected, err := root.SelectServices(logs, c.config.RekorLogURLsConfig(), versions, now)
		if err != nil {
			return Services{}, &ConfigError{
				Err:  fmt.Errorf("selecting a transparency log of version %s from the signing config: %w", either(versions), err),
				Next: "give another --rekor-version or --signing-config",
			}
		}
		s.RekorVersion = int(selected[0].MajorAPIVersion)
		s.Rekor = addresses(selected)
	}
	if authorities := c.config.TimestampAuthorityURLs(); len(authorities) > 0 {
		selected, err := root.SelectServices(authorities, c.config.TimestampAuthorityURLsConfig(), sign.TimestampAuthorityAPIVersions, now)
		if err != nil {
			return Services{}, &ConfigError{Err: fmt.Errorf("selecting a timestamp authority from the signing config: %w", err), Next: "give another --signing-config"}
		}
		s.TSA = addresses(selected)
	}
	if err := s.check(); err != nil {
		return Services{}, err
	}
	return s, nil
}

// check refuses logs that nobody could read the time of.
func (s Services) check() error {
	switch {
	case len(s.Rekor) == 0:
		return nil
	case s.RekorVersion != RekorV1 && s.RekorVersion != RekorV2:
		return &ConfigError{Err: fmt.Errorf("using a transparency log of version %d: this program speaks 1 and 2", s.RekorVersion), Next: "give --rekor-version 1 or 2"}
	case s.RekorVersion == RekorV2 && len(s.TSA) == 0:
		return &ConfigError{
			Err:  errors.New("using Rekor v2: it states no time, and the signing config names no timestamp authority"),
			Next: "add a timestamp authority (tsaUrls) to the signing config, or give --rekor-version 1",
		}
	}
	return nil
}

// checkCertified refuses services with which a certificate proves nothing.
func (s Services) checkCertified() error {
	const next = "give another --signing-config, or sign with a key"
	switch {
	case s.Fulcio == "":
		return &ConfigError{Err: errors.New("signing with an identity: the signing config names no certificate authority (caUrls) of version 1 that is valid now"), Next: next}
	case len(s.Rekor) == 0 && len(s.TSA) == 0:
		return &ConfigError{
			Err:  errors.New("signing with an identity: the signing config names neither a transparency log nor a timestamp authority, so nothing would prove that the certificate was valid when it signed"),
			Next: next,
		}
	}
	return nil
}

func addresses(services []root.Service) (out []string) {
	for _, service := range services {
		out = append(out, service.URL)
	}
	return out
}

func either(versions []uint32) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(versions)), " or "), "[]")
}
