package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPublicGood(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)
	want := Services{
		Fulcio: "https://fulcio.sigstore.dev", OIDC: "https://oauth2.sigstore.dev/auth",
		Rekor: []string{"https://rekor.sigstore.dev"}, RekorVersion: RekorV1,
		TSA: []string{"https://timestamp.sigstore.dev/api/v1/timestamp"},
	}
	for version, rekor := range map[int]string{ConfigDecides: "", RekorV1: "", RekorV2: "https://log2025-1.rekor.sigstore.dev"} {
		config, err := PublicGood(version)
		if err != nil {
			t.Fatal(err)
		}
		got, err := config.Select(now, version)
		if err != nil {
			t.Fatal(err)
		}
		want := want
		if rekor != "" {
			want.Rekor, want.RekorVersion = []string{rekor}, RekorV2
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
	}
}

// SOURCES.md and the embedded bytes say the same.
func TestEmbeddedSources(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("embedded/SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasSuffix(strings.TrimSpace(cells[1]), ".json") {
			continue
		}
		rows[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[4])
		if _, err := time.Parse(time.DateOnly, strings.TrimSpace(cells[3])); err != nil {
			t.Error(err)
		}
	}
	files, err := embeddedFiles.ReadDir("embedded")
	if err != nil || len(files) != len(rows) {
		t.Errorf("%d files are embedded, %d have a row: %v", len(files), len(rows), err)
	}
	for _, file := range files {
		data, err := embeddedFiles.ReadFile("embedded/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if digest := sha256.Sum256(data); rows[file.Name()] != hex.EncodeToString(digest[:]) {
			t.Errorf("%s has the digest %x, its row says %q", file.Name(), digest, rows[file.Name()])
		}
	}
}

const configHead = `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{"selector":"ANY"},"tsaConfig":{"selector":"ANY"}`

// service is one entry of a config.
func service(url string, version int, start string) string {
	return fmt.Sprintf(`{"url":%q,"majorApiVersion":%d,"operator":"x","validFor":{"start":%q}}`, url, version, start)
}

func TestSelect(t *testing.T) {
	t.Parallel()
	const past, future = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"
	now := time.Date(2026, time.January, 15, 0, 0, 0, 0, time.UTC)
	ca := `,"caUrls":[` + service("https://f", 1, past) + `]`
	both := `,"rekorTlogUrls":[` + service("https://r1", 1, past) + `,` + service("https://r2", 2, past) + `]`
	one := `,"rekorTlogUrls":[` + service("https://r1", 1, past) + `]`
	stamps := `,"tsaUrls":[` + service("https://t", 1, past) + `]`
	for _, row := range []struct {
		name    string
		config  string
		version int
		want    Services
		refuses string
	}{
		{"newest", ca + both + stamps, ConfigDecides, Services{Fulcio: "https://f", Rekor: []string{"https://r2"}, RekorVersion: 2, TSA: []string{"https://t"}}, ""},
		{"v1", ca + both + stamps, RekorV1, Services{Fulcio: "https://f", Rekor: []string{"https://r1"}, RekorVersion: 1, TSA: []string{"https://t"}}, ""},
		{"v2", ca + both + stamps, RekorV2, Services{Fulcio: "https://f", Rekor: []string{"https://r2"}, RekorVersion: 2, TSA: []string{"https://t"}}, ""},
		{"v1 without TSA", ca + both, RekorV1, Services{Fulcio: "https://f", Rekor: []string{"https://r1"}, RekorVersion: 1}, ""},
		{"nothing", "", ConfigDecides, Services{}, ""},
		{"TSA alone", stamps, ConfigDecides, Services{TSA: []string{"https://t"}}, ""},
		{"v2 without TSA", ca + both, ConfigDecides, Services{}, "names no timestamp authority"},
		{"no v2", ca + one + stamps, RekorV2, Services{}, "log of version 2"},
		{"no log", ca + stamps, RekorV1, Services{}, "log of version 1"},
		{"another version", ca + both + stamps, 3, Services{}, "no Rekor has version 3"},
		{"unknown version", `,"rekorTlogUrls":[` + service("https://r3", 3, past) + `]`, ConfigDecides, Services{}, "version 1 or 2"},
		{"a log to come", `,"rekorTlogUrls":[` + service("https://r1", 1, future) + `]` + stamps, ConfigDecides, Services{}, "transparency log"},
		{"a TSA to come", one + `,"tsaUrls":[` + service("https://t", 1, future) + `]`, ConfigDecides, Services{}, "timestamp authority"},
		{"a CA to come", `,"caUrls":[` + service("https://f", 1, future) + `]` + one, ConfigDecides, Services{Rekor: []string{"https://r1"}, RekorVersion: 1}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			config, err := ParseConfig([]byte(configHead + row.config + "}"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := config.Select(now, row.version)
			if _, ok := errors.AsType[*ConfigError](err); row.refuses != "" && (!ok || !strings.Contains(err.Error(), row.refuses) || !strings.Contains(err.Error(), "; next: ")) {
				t.Errorf("it gave %v, expected a *ConfigError with %q", err, row.refuses)
			}
			if row.refuses == "" && err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := (Config{}).Select(now, ConfigDecides); err == nil {
		t.Error("the zero config selects")
	}
}

func TestParseConfig(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, config string }{
		{"nothing", ""},
		{"no JSON", "mediaType: x"},
		{"v0.1", `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.1+json"}`},
		{"v0.3", `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.3+json"}`},
		{"unknown key", configHead + `,"x":1}`},
		{"twice", configHead + `,"caUrls":[],"caUrls":[]}`},
		{"a file", configHead + `,"caUrls":[` + service("file:///etc/passwd", 1, "2020-01-01T00:00:00Z") + `]}`},
		{"no host", configHead + `,"tsaUrls":[` + service("https:///x", 1, "2020-01-01T00:00:00Z") + `]}`},
		{"a password", configHead + `,"rekorTlogUrls":[` + service("https://a:hunter2@b/", 1, "2020-01-01T00:00:00Z") + `]}`},
		{"a query", configHead + `,"oidcUrls":[` + service("https://b/?hunter2", 1, "2020-01-01T00:00:00Z") + `]}`},
		{"no URL", configHead + `,"caUrls":[` + service("https://b\x7f:hunter2", 1, "2020-01-01T00:00:00Z") + `]}`},
		{"too long", configHead + strings.Repeat(" ", MaxConfigSize) + "}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseConfig([]byte(row.config))
			if _, ok := errors.AsType[*ConfigError](err); !ok || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it gave %v, expected a *ConfigError", err)
			}
		})
	}
}

func TestParsePrivateKey(t *testing.T) {
	t.Parallel()
	made := keys(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaDER, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224DER, err := x509.MarshalPKCS8PrivateKey(p224)
	if err != nil {
		t.Fatal(err)
	}
	good := made["P-256"].private
	for _, row := range []struct {
		name, says string
		data       []byte
	}{
		{"PKCS 8", "", good},
		{"SEC 1", "", inPEM("EC PRIVATE KEY", sec1)},
		{"SEC 1 after parameters", "", append(inPEM("EC PARAMETERS", []byte("x")), inPEM("EC PRIVATE KEY", sec1)...)},
		{"nothing", "no PEM block", nil},
		{"a public key", "PUBLIC KEY", made["P-256"].public},
		{"two", "more than one", append(append([]byte{}, good...), good...)},
		{"parameters alone", "without a key", inPEM("EC PARAMETERS", []byte("x"))},
		{"encrypted", "; next: decrypt", inPEM("ENCRYPTED PRIVATE KEY", []byte("x"))},
		{"cosign's", "; next: decrypt", inPEM("ENCRYPTED SIGSTORE PRIVATE KEY", []byte("x"))},
		{"RSA", "expected ECDSA", inPEM("PRIVATE KEY", rsaDER)},
		{"P-224", "P-224", inPEM("PRIVATE KEY", p224DER)},
		{"garbage", "reading the private key", inPEM("PRIVATE KEY", []byte("x"))},
		{"too long", "at most", make([]byte, maxKeySize+1)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			key, err := ParsePrivateKey(row.data)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("it gave %v, expected %q", err, row.says)
			}
			_, err = key.Signer()
			if (err == nil) != (row.says == "") {
				t.Errorf("its signer: %v", err)
			}
		})
	}
}

// No way of printing shows a private key.
func TestPrivateKeyIsNotShown(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ParsePrivateKey(inPEM("PRIVATE KEY", der))
	if err != nil {
		t.Fatal(err)
	}
	holder := struct{ hidden PrivateKey }{private}
	text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %v", private, private, private, private, holder, holder, &holder, Request{Key: &private})
	for _, shown := range []string{hex.EncodeToString(raw), fmt.Sprintf("%d", raw), new(big.Int).SetBytes(raw).String()} {
		if strings.Contains(text, strings.Trim(shown, "[]")) {
			t.Errorf("a text shows the key: %s", text)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, name := range []string{"sigstore.signing_config.v0.2.json", "sigstore.signing_config_rekor_v2.v0.2.json"} {
		data, err := embeddedFiles.ReadFile("embedded/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, 0)
	}
	f.Add([]byte(configHead+"}"), 2)
	now := time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte, version int) {
		config, err := ParseConfig(data)
		if err != nil {
			return
		}
		services, err := config.Select(now, version)
		if err == nil && services.RekorVersion == RekorV2 && len(services.TSA) == 0 {
			t.Error("Rekor v2 without a timestamp authority")
		}
		for _, address := range append(append([]string{}, services.Rekor...), services.TSA...) {
			if checkURL(address) != nil {
				t.Errorf("an address is %q", address)
			}
		}
	})
}

func FuzzParsePrivateKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := ParsePrivateKey(data)
		if err != nil {
			return
		}
		if _, err := key.signStatement([]byte("x"), RekorV1); err != nil {
			t.Error(err)
		}
	})
}
