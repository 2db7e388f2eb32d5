package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// maxConfigBytes bounds docker's configuration file.
const maxConfigBytes = 1 << 20

// credentialError says that there is a credential and it cannot be had.
type credentialError struct {
	err  error
	next string
}

func (e *credentialError) Error() string { return e.err.Error() }

const giveCredential = "give --registry-username and --registry-password-file"

// credential is what logs in at a repository's registry: the caller's own, or else what
// docker's configuration file has for it, or else nothing.
func (c *Client) credential(repository name.Repository) (authn.Authenticator, error) {
	if !c.options.Password.IsZero() {
		return &authn.Basic{Username: c.options.User, Password: c.options.Password.Reveal()}, nil
	}
	file, data, err := c.readConfig()
	if err != nil || file == "" {
		return authn.Anonymous, err
	}
	config := configfile.New(file)
	if err := config.LoadFromReader(bytes.NewReader(data)); err != nil {
		return nil, &credentialError{fmt.Errorf("reading %s: it is no configuration of docker", file), "log in with docker again, or " + giveCredential}
	}
	found, err := lookUp(config, repository)
	if err != nil {
		return nil, err
	}
	if found == (types.AuthConfig{}) {
		return authn.Anonymous, nil
	}
	for _, secret := range []string{found.Password, found.IdentityToken, found.RegistryToken} {
		c.secrets.Add(secret)
	}
	return authn.FromConfig(authn.AuthConfig{Username: found.Username, Password: found.Password, IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken}), nil
}

// lookUp asks the file for a repository and then for its registry, as the library's own
// keychain does. That one cannot be used: it reads the process's environment.
func lookUp(config *configfile.ConfigFile, repository name.Repository) (types.AuthConfig, error) {
	for _, key := range []string{repository.Name(), repository.RegistryStr()} {
		if key == name.DefaultRegistry {
			key = authn.DefaultAuthKey
		}
		helper := config.CredentialsStore
		if own, ok := config.CredentialHelpers[key]; ok {
			helper = own
		}
		if strings.ContainsAny(helper, `/\`) {
			return types.AuthConfig{}, &credentialError{errors.New("docker's configuration names a credential helper by a path"), giveCredential}
		}
		found, err := config.GetAuthConfig(key)
		if err != nil {
			// What a helper prints may be anything, also a password.
			return types.AuthConfig{}, &credentialError{
				fmt.Errorf("docker's configuration leaves the password for %s to the program docker-credential-%s, which %s", repository.RegistryStr(), helper, helperFailed(err)),
				giveCredential + ", or log in where that program is; the Action's image holds no such programs",
			}
		}
		found.ServerAddress = "" // which is what was asked for
		if found != (types.AuthConfig{}) {
			return found, nil
		}
	}
	return types.AuthConfig{}, nil
}

func helperFailed(err error) string {
	if strings.Contains(err.Error(), "executable file not found") {
		return "is not here"
	}
	return "did not give it"
}

// readConfig reads the first file that there is of those that docker and podman keep
// passwords in; an empty name for none.
func (c *Client) readConfig() (string, []byte, error) {
	for _, file := range c.configFiles() {
		data, err := readFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, &credentialError{fmt.Errorf("reading docker's configuration: %w", err), "make it readable, or " + giveCredential}
		}
		return file, data, nil
	}
	return "", nil, nil
}

// configFiles are where docker and podman keep passwords.
//
// Sources: https://docs.docker.com/reference/cli/docker/#environment-variables and
// containers-auth.json(5)
func (c *Client) configFiles() (files []string) {
	if c.options.Getenv == nil {
		return nil
	}
	add := func(folder string, elements ...string) {
		if folder != "" {
			files = append(files, filepath.Join(append([]string{folder}, elements...)...))
		}
	}
	home := c.options.Getenv("HOME")
	if home == "" {
		home = c.options.Getenv("USERPROFILE")
	}
	if folder := c.options.Getenv("DOCKER_CONFIG"); folder != "" {
		add(folder, configfileName)
	} else {
		add(home, ".docker", configfileName)
	}
	add(c.options.Getenv("REGISTRY_AUTH_FILE"))
	add(c.options.Getenv("XDG_RUNTIME_DIR"), "containers", "auth.json")
	add(c.options.Getenv("XDG_CONFIG_HOME"), "containers", "auth.json")
	add(home, ".config", "containers", "auth.json")
	return files
}

const configfileName = "config.json"

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	if err == nil && len(data) > maxConfigBytes {
		err = fmt.Errorf("%s has more than %d bytes", path, maxConfigBytes)
	}
	return data, err
}
