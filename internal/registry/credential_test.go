package registry_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"

	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/registry"
)

// TestCredentials: docker's configuration is found where docker and podman look, and
// what is wrong with it is said without what is in it.
func TestCredentials(t *testing.T) {
	t.Parallel()
	auth := base64.StdEncoding.EncodeToString([]byte("alice:" + password))
	const good = `{"auths":{"HOST":{"auth":"AUTH"}}}`
	for name, row := range map[string]struct {
		file     string // below the folder
		text     string
		variable string // that names it, or its folder
		says     string // empty where it lets in
	}{
		"at home":               {".docker/config.json", good, "HOME=", ""},
		"in DOCKER_CONFIG":      {"config.json", good, "DOCKER_CONFIG=", ""},
		"podman's":              {"containers/auth.json", good, "XDG_RUNTIME_DIR=", ""},
		"podman's in config":    {".config/containers/auth.json", good, "HOME=", ""},
		"a file of its own":     {"x.json", good, "REGISTRY_AUTH_FILE=x.json", ""},
		"for the repository":    {"config.json", `{"auths":{"HOST":{"auth":"eDp5"},"HOST/acme/app":{"auth":"AUTH"}}}`, "DOCKER_CONFIG=", ""},
		"with other settings":   {"config.json", `{"auths":{"HOST":{"auth":"AUTH"},"other.example":{}},"credHelpers":{"other.example":"nowhere"},"HttpHeaders":{"a":"b"}}`, "DOCKER_CONFIG=", ""},
		"from a helper":         {"config.json", `{"credsStore":"signatus-test"}`, "DOCKER_CONFIG=", "to the program docker-credential-signatus-test, which is not here"},
		"from an own helper":    {"config.json", `{"credHelpers":{"HOST":"signatus-test"}}`, "DOCKER_CONFIG=", "to the program docker-credential-signatus-test, which is not here"},
		"a helper with a path":  {"config.json", `{"credsStore":"../../evil"}`, "DOCKER_CONFIG=", "names a credential helper by a path"},
		"for another one":       {"config.json", `{"auths":{"other.example":{"auth":"AUTH"}}}`, "DOCKER_CONFIG=", "log in"},
		"empty":                 {"config.json", ``, "DOCKER_CONFIG=", "log in"},
		"nowhere":               {"other.json", good, "DOCKER_CONFIG=", "log in"},
		"no JSON":               {"config.json", "s3cret-password", "DOCKER_CONFIG=", "is no configuration of docker"},
		"no base64":             {"config.json", `{"auths":{"HOST":{"auth":"s3cret-password"}}}`, "DOCKER_CONFIG=", "is no configuration of docker"},
		"huge":                  {"config.json", good + strings.Repeat(" ", 1<<20), "DOCKER_CONFIG=", "more than 1048576 bytes"},
		"another password":      {"config.json", `{"auths":{"HOST":{"auth":"` + base64.StdEncoding.EncodeToString([]byte("alice:guessed-it")) + `"}}}`, "DOCKER_CONFIG=", "does not take them"},
		"DOCKER_CONFIG is mine": {".docker/config.json", good, "HOME= DOCKER_CONFIG=elsewhere", "log in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				if user, given, _ := r.BasicAuth(); user == "alice" && given == password {
					return false
				}
				w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(row.file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.NewReplacer("HOST", s.host, "AUTH", auth).Replace(row.text)), 0o600); err != nil {
				t.Fatal(err)
			}
			variables := map[string]string{}
			for _, v := range strings.Fields(row.variable) {
				name, below, _ := strings.Cut(v, "=")
				variables[name] = filepath.Join(dir, below)
			}
			_, err := client(t, func(o *registry.Options) {
				o.Getenv = func(name string) string { return variables[name] }
			}).Image(t.Context(), image, true)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("%v, expected %q", err, row.says)
			}
			for _, secret := range []string{password, "guessed-it", auth} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("it shows a secret: %v", err)
				}
			}
		})
	}
}
