package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/signatus-dev/signatus/internal/evidence"
	"github.com/signatus-dev/signatus/internal/identity"
	"github.com/signatus-dev/signatus/internal/registry"
)

// registryPassword is the variable with the password or token of --registry-username,
// and in a step the input registry-password.
const registryPassword = "SIGNATUS_REGISTRY_PASSWORD" //nolint:gosec // a variable's name

// registryFlags say how to log in at a registry. Without them docker's configuration
// does.
type registryFlags struct {
	username     string
	passwordFile string
}

func (f *registryFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.username, "registry-username", "", "log in at the images' registry as `NAME` (default: as docker's configuration says)")
	flags.StringVar(&f.passwordFile, "registry-password-file", "", "the `FILE` with the password or token for --registry-username (default: the variable "+registryPassword+")")
}

func (f *registryFlags) given() bool { return f.username != "" || f.passwordFile != "" }

func (f *registryFlags) check() error {
	if f.passwordFile != "" && f.username == "" {
		return usage("add --registry-username NAME", "--registry-password-file goes with --registry-username")
	}
	return nil
}

// open makes a client for registries. What the caller logs in with is for one of them:
// each other one would learn it.
func (f *registryFlags) open(env Env, hosts ...string) (*registry.Client, error) {
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); f.username != "" && len(hosts) > 1 {
		return nil, usage("log in with docker's configuration (docker login), or do them one registry at a time",
			"--registry-username is for one registry, and the images are in %s", strings.Join(hosts, ", "))
	}
	password, err := f.password(env)
	if err != nil {
		return nil, err
	}
	client, err := registry.New(registry.Options{
		HTTP: env.HTTP, Agent: "signatus/" + env.Version, User: f.username, Password: password, Getenv: env.Getenv, Now: env.Now,
		Again: func(why *registry.Error, wait time.Duration) { env.waiting(why, wait) },
	})
	if err != nil {
		return nil, undecided("", err)
	}
	return client, nil
}

func (f *registryFlags) password(env Env) (identity.Token, error) {
	if f.username == "" {
		return identity.Token{}, nil
	}
	text := env.Getenv(registryPassword)
	if f.passwordFile != "" {
		data, err := evidence.Read(env.FS, f.passwordFile, maxTokenFile)
		if err != nil {
			return identity.Token{}, undecided("give a file that holds the password", fmt.Errorf("reading the file of --registry-password-file: %w", err))
		}
		text = string(data)
	}
	password := identity.NewToken(strings.TrimSpace(text))
	if password.IsZero() {
		return identity.Token{}, usage("give the file with it as --registry-password-file, or the variable "+registryPassword+"; in a step, the input registry-password", "--registry-username %s has no password", f.username)
	}
	if f.passwordFile == "" {
		return password, nil // a step has its inputs masked already
	}
	return password, env.mask(password)
}

// registryError gives an error of a registry its exit code: what it sent and is not what
// it must be is wrong, and all else could not be had now.
func registryError(err error) error {
	if e, ok := errors.AsType[*registry.Error](err); ok {
		if e.Content {
			return &exitError{code: ExitDenied, err: err, next: e.Next}
		}
		return undecided(e.Next, err)
	}
	return undecided("", err)
}
