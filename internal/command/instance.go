package command

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/signer"
	"github.com/signatus-dev/signatus/internal/trust"
)

// instanceFlags choose the Sigstore instance: where to sign, and the trusted root
// under which what was signed must verify.
type instanceFlags struct {
	name         string
	config       string
	rekorVersion int
	roots        rootFlags
}

func (f *instanceFlags) register(flags *pflag.FlagSet) {
	f.registerServices(flags)
	f.roots.register(flags)
}

// registerServices is for a verb that has trusted roots already.
func (f *instanceFlags) registerServices(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "instance", instanceAuto, "sign with the Sigstore instance `auto|public-good|github|custom`: by itself with the public-good one, and with GitHub's own, which logs nothing, for a repository that is not public; custom is that of --signing-config")
	flags.StringVar(&f.config, "signing-config", "", "signing config v0.2 `FILE`: the services of another instance, which --trusted-root goes with")
	flags.IntVar(&f.rekorVersion, "rekor-version", signer.ConfigDecides, "log to Rekor `1|2` in place of what the signing config prefers")
}

func (f *instanceFlags) check() error {
	switch f.rekorVersion {
	case signer.ConfigDecides, signer.RekorV1, signer.RekorV2:
	default:
		return usage("give --rekor-version 1 or 2", "there is no Rekor version %d", f.rekorVersion)
	}
	switch f.name {
	case "", instanceAuto, instancePublicGood, instanceGitHub, instanceCustom:
	default:
		return usage("use --instance auto, public-good or github; another one is named with --signing-config FILE and --trusted-root FILE", "unknown --instance %q", f.name)
	}
	switch {
	case f.name == instanceCustom && f.config == "":
		return usage("name it with --signing-config FILE and --trusted-root FILE", "--instance custom is that of a signing config, and none is given")
	case f.forced() && f.config != "":
		return usage("leave one of them out", "--instance %s and --signing-config name two instances", f.name)
	case f.name == instanceGitHub && f.rekorVersion != signer.ConfigDecides:
		return usage("leave --rekor-version out", "--instance github has no log, and --rekor-version is one's version")
	}
	return nil
}

// forced tells whether the caller names one of the two instances that are known.
func (f *instanceFlags) forced() bool {
	return f.name == instancePublicGood || f.name == instanceGitHub
}

// given tells whether any of them differs from its default, but for trusted roots.
func (f *instanceFlags) given() bool {
	return f.forced() || f.name == instanceCustom || f.config != "" || f.rekorVersion != signer.ConfigDecides
}

// offer is where one may sign, before it is known who does: [offer.choose] makes an
// instance of both.
type offer struct {
	flags  instanceFlags
	custom *signer.Services // of --signing-config; nil for none
	roots  *loadedRoots
	now    time.Time
}

// load reads the signing config and the trusted roots. In a run for a change that
// is not merged, those inside the workspace are the base commit's: the change
// could have the job's token sent to somebody else.
func (f *instanceFlags) load(ctx context.Context, env Env, byKey bool) (offer, error) {
	o := offer{flags: *f, now: env.Now}
	if byKey && !f.forced() && f.config == "" {
		if f.rekorVersion != signer.ConfigDecides {
			return offer{}, usage("name the log's instance with --signing-config FILE or --instance public-good", "--rekor-version with --key alone: a key signs without any service")
		}
		if len(f.roots.files) == 0 {
			o.roots = &loadedRoots{}
			return o, nil
		}
	}
	files := trustedFS(env, false)
	files.strict = true
	trusted := env.reading(files)
	if f.config != "" {
		services, err := f.services(trusted)
		if err != nil {
			return offer{}, err
		}
		o.custom = &services
	}
	var err error
	o.roots, err = f.roots.load(ctx, trusted)
	return o, err
}

// services are those of the signing config.
func (f *instanceFlags) services(env Env) (signer.Services, error) {
	data, err := evidence.Read(env.FS, f.config, signer.MaxConfigSize)
	if err != nil {
		return signer.Services{}, undecided(nextAfter(err, "check --signing-config"), fmt.Errorf("reading signing config %s: %w", f.config, err))
	}
	config, err := signer.ParseConfig(data)
	if err != nil {
		return signer.Services{}, signingError(fmt.Errorf("%s: %w", f.config, err))
	}
	services, err := config.Select(env.Now, f.rekorVersion)
	if err != nil {
		return signer.Services{}, signingError(err)
	}
	return services, nil
}

// instance is where to sign, and what must verify there. With a key and no signing
// config it is nowhere: the signature alone.
type instance struct {
	name     string // public-good, github or custom; empty for nowhere
	reason   string // why it is this one
	services signer.Services
	roots    *loadedRoots
	files    []string // of the trusted roots, as they were named
}

// public tells whether what is signed becomes known to others: the services log
// it, or the certificate authority logs its certificates. Nobody says of a log
// that it is private, so each counts as public, and so does an authority of which no
// trusted root tells that it has none.
func (at instance) public() bool {
	if len(at.services.Rekor) > 0 {
		return true
	}
	if at.services.Fulcio == "" {
		return false
	}
	named := at.named()
	return len(named) == 0 || at.publicGood() || slices.ContainsFunc(named, func(r trust.Root) bool { return len(r.Material.CTLogs()) > 0 })
}

// publicGood reports whether the certificate authority is the public-good instance's,
// whatever a trusted root says of it.
func (at instance) publicGood() bool {
	config, err := signer.PublicGood(signer.ConfigDecides)
	if err != nil {
		return true
	}
	for _, address := range config.CertificateAuthorities() {
		if sameAddress(address, at.services.Fulcio) {
			return true
		}
	}
	return false
}

// named are the trusted roots that name the certificate authority by its address.
func (at instance) named() []trust.Root {
	return slices.DeleteFunc(slices.Clone(at.roots.set), func(r trust.Root) bool {
		return !slices.ContainsFunc(r.Material.FulcioCertificateAuthorities(), func(ca root.CertificateAuthority) bool {
			fulcio, ok := ca.(*root.FulcioCertificateAuthority)
			return ok && sameAddress(fulcio.URI, at.services.Fulcio)
		})
	})
}

// sameAddress compares two addresses of a service. GitHub's trusted root names hosts
// alone, without https in front. (TestSameAddress)
func sameAddress(a, b string) bool {
	a, b = plainAddress(a), plainAddress(b)
	return a != "" && a == b
}

// plainAddress writes an address in one way; empty for what is none.
func plainAddress(address string) string {
	if address != "" && !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port + strings.TrimRight(u.EscapedPath(), "/")
}

// logs names the hosts where what is signed becomes known.
func (at instance) logs() string {
	var hosts []string
	for _, address := range at.services.Rekor {
		if u, err := url.Parse(address); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	if len(hosts) == 0 {
		return "the certificate transparency log"
	}
	return strings.Join(hosts, ", ")
}

func (at instance) warnings() []string {
	if at.roots == nil {
		return nil
	}
	return at.roots.warnings
}

// signingError gives an error of the signer its exit code: what the same request
// may not get later either was refused.
func signingError(err error) error {
	if service, ok := errors.AsType[*signer.ServiceError](err); ok {
		refused := !service.Temporary && service.Status >= 400 && service.Status < 500
		if refused {
			return &exitError{code: ExitDenied, err: err, next: service.Next}
		}
		return undecided(service.Next, err)
	}
	if certificate, ok := errors.AsType[*signer.CertificateError](err); ok {
		return &exitError{code: ExitDenied, err: err, next: certificate.Next}
	}
	if config, ok := errors.AsType[*signer.ConfigError](err); ok {
		return &exitError{code: ExitDenied, err: err, next: config.Next}
	}
	if _, ok := errors.AsType[*exitError](err); ok {
		return err
	}
	return undecided("", err)
}
