package command

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/signer"
	"github.com/signatus-dev/signatus/internal/trust"
)

// instanceFlags choose the Sigstore instance: where to sign, and the trusted root
// under which what was signed must verify.
type instanceFlags struct {
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
	flags.StringVar(&f.config, "signing-config", "", "signing config v0.2 `FILE`: the services to sign with (default: the public-good instance's, embedded)")
	flags.IntVar(&f.rekorVersion, "rekor-version", signer.ConfigDecides, "log to Rekor `1|2` in place of what the signing config prefers")
}

func (f *instanceFlags) check() error {
	switch f.rekorVersion {
	case signer.ConfigDecides, signer.RekorV1, signer.RekorV2:
		return nil
	}
	return usage("give --rekor-version 1 or 2", "there is no Rekor version %d", f.rekorVersion)
}

// instance is where to sign, and what must verify there. With a key and no signing
// config it is nowhere: the signature alone.
type instance struct {
	services signer.Services
	roots    *loadedRoots
	files    []string // of the trusted roots, as they were named
}

// load reads the signing config and the trusted roots. In a run for a change that
// is not merged, those inside the workspace are the base commit's: the change
// could have the job's token sent to somebody else.
func (f *instanceFlags) load(ctx context.Context, env Env, byKey bool) (instance, error) {
	if byKey && f.config == "" {
		if f.rekorVersion != signer.ConfigDecides {
			return instance{}, usage("name the log's instance with --signing-config FILE", "--rekor-version with --key alone: a key signs without any service")
		}
		if len(f.roots.files) == 0 {
			return instance{roots: &loadedRoots{}}, nil
		}
	}
	files := trustedFS(env, false)
	files.strict = true
	trusted := env.reading(files)
	services := signer.Services{}
	if !byKey || f.config != "" {
		var err error
		if services, err = f.services(trusted); err != nil {
			return instance{}, err
		}
	}
	roots, err := f.roots.load(ctx, trusted)
	at := instance{services: services, roots: roots, files: f.roots.files}
	if err == nil && f.config != "" && len(f.roots.files) == 0 && services.Fulcio != "" && len(at.named()) == 0 {
		return instance{}, usage("give the trusted root of that instance with --trusted-root FILE",
			"no trusted root is loaded that names the certificate authority %s of the signing config: what is signed there could not be verified", services.Fulcio)
	}
	return at, err
}

func (f *instanceFlags) services(env Env) (signer.Services, error) {
	config, err := signer.PublicGood(f.rekorVersion)
	if f.config != "" {
		data, readErr := evidence.Read(env.FS, f.config, signer.MaxConfigSize)
		if readErr != nil {
			return signer.Services{}, undecided(nextAfter(readErr, "check --signing-config"), fmt.Errorf("reading signing config %s: %w", f.config, readErr))
		}
		if config, err = signer.ParseConfig(data); err != nil {
			err = fmt.Errorf("%s: %w", f.config, err)
		}
	}
	if err != nil {
		return signer.Services{}, signingError(err)
	}
	services, err := config.Select(env.Now, f.rekorVersion)
	if err != nil {
		return signer.Services{}, signingError(err)
	}
	return services, nil
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

func sameAddress(a, b string) bool {
	return a != "" && strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
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
