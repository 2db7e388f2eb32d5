package registry

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/signatus-dev/signatus/internal/answer"
)

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestElsewhere: a registry may send us anywhere but into our own network, and one that
// is in it anywhere.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		from, to string
		allow    bool
	}{
		{"https://registry.example/v2/", "https://content.example/x", true},
		{"https://registry.example/v2/", "https://registry.example:8443/x", true},
		{"https://registry.example/v2/", "https://203.0.113.7/x", true},
		{"https://registry.example/v2/", "https://[2001:db8::1]/x", true},
		{"https://registry.example/v2/", "https://10.0.0.1/x", false},
		{"https://registry.example/v2/", "https://172.16.0.1/x", false},
		{"https://registry.example/v2/", "https://192.168.1.1:8080/x", false},
		{"https://registry.example/v2/", "https://169.254.169.254/latest", false},
		{"https://registry.example/v2/", "https://127.0.0.1/x", false},
		{"https://registry.example/v2/", "http://127.8.0.1:80/x", false},
		{"https://registry.example/v2/", "https://localhost/x", false},
		{"https://registry.example/v2/", "https://app.LOCALHOST/x", false},
		{"https://registry.example/v2/", "https://[::1]/x", false},
		{"https://registry.example/v2/", "https://[fe80::1]/x", false},
		{"https://registry.example/v2/", "https://[fd00:ec2::254]/x", false},
		{"https://registry.example/v2/", "https://[::ffff:127.0.0.1]/x", false},
		{"https://registry.example/v2/", "https://0.0.0.0/x", false},
		{"https://10.0.0.1/v2/", "https://10.0.0.2/x", true},
		{"http://127.0.0.1:5000/v2/", "http://127.0.0.1:9000/x", true},
		{"https://10.0.0.1/v2/", "https://10.0.0.1/x", true},
	} {
		if err := elsewhere(mustURL(t, row.from), mustURL(t, row.to)); (err == nil) != row.allow {
			t.Errorf("from %s to %s: %v", row.from, row.to, err)
		}
	}
}

// TestRefuse: plain http is for this machine, and names that only look like it are not.
func TestRefuse(t *testing.T) {
	t.Parallel()
	w := newWire(&http.Client{}, &answer.Secrets{})
	for address, allow := range map[string]bool{
		"https://registry.example/v2/": true, "http://localhost:5000/v2/": true, "http://127.0.0.1/v2/": true, "http://[::1]:5000/v2/": true, "http://x.localhost/v2/": true,
		"http://registry.example/v2/": false, "http://10.0.0.1/v2/": false, "http://localhost.example/v2/": false, "http://127.0.0.1.example/v2/": false,
		"http://xlocalhost/v2/": false, "ftp://registry.example/v2/": false, "http://0.0.0.0/v2/": false,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.refuse(request); (err == nil) != allow {
			t.Errorf("%s: %v", address, err)
		}
	}
}
