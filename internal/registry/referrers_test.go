package registry_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/signatus-dev/signatus/internal/registry"
)

// TestReferrersFallback: the tag is asked where the registry keeps no list, and only
// there. What it answers instead is as it has been seen.
func TestReferrersFallback(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		front func(http.ResponseWriter, *http.Request) bool
		says  string // empty where the tag is asked
	}{
		"404":               {refuses(404, "", ""), ""},
		"400":               {refuses(400, "UNSUPPORTED", ""), ""},
		"405":               {refuses(405, "UNSUPPORTED", ""), ""},
		"501":               {refuses(501, "", ""), ""},
		"a page":            {sends("text/html; charset=utf-8", "<html>"), ""},
		"401":               {refuses(401, "", ""), "401 Unauthorized"},
		"403":               {refuses(403, "DENIED", ""), "403 Forbidden"},
		"500":               {refuses(500, "", ""), "500 Internal"},
		"it hangs up":       {hangsUp, "attempts"},
		"no list":           {sends(indexKind, "{}"), "of something else"},
		"half a list":       {half(anIndex(indexKind)), "attempts"},
		"a huge list":       {chunks, "more than 4194304 bytes"},
		"too many":          {sends(indexKind, anIndex(indexKind, slices.Repeat([]string{entry(manifestKind, digest, "")}, registry.MaxReferrers+1)...)), "more than 1000 referrers"},
		"a huge list of it": {sends(indexKind, anIndex(indexKind)+strings.Repeat(" ", registry.MaxManifestBytes)), "more than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, false)
			image := s.put(t, manifestKind, anImage("app"))
			if _, err := client(t).Attach(t.Context(), image, aBundle(1), provenance); err != nil {
				t.Fatal(err)
			}
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.URL.Path, "/referrers/") && row.front(w, r)
			})
			found, err := client(t).Referrers(t.Context(), image)
			if row.says == "" && (err != nil || len(found) != 1 || found[0].Err != nil) {
				t.Errorf("%d found: %v", len(found), err)
			}
			if row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || len(found) > 0) {
				t.Errorf("%d found: %v, expected %q", len(found), err, row.says)
			}
		})
	}
}

// TestReferrersPages reads a list that is sent in pages, and no list without end.
func TestReferrersPages(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		next func(host string, page int) string
		says string
	}{
		"pages": {func(_ string, page int) string { return fmt.Sprintf("?page=%d", page+1) }, ""},
		"whole URLs": {func(host string, page int) string {
			return fmt.Sprintf("http://%s/v2/acme/app/referrers/%s?page=%d", host, digestOf(anImage("app")), page+1)
		}, ""},
		"no end":      {func(string, int) string { return "?page=1" }, "goes on at"},
		"a foreigner": {func(string, int) string { return "https://registry.example/v2/?page=2" }, "goes on at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			var kept []registry.Reference
			for n := range 3 {
				done, err := client(t).Attach(t.Context(), image, aBundle(n), provenance)
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, done.Reference)
			}
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, "/referrers/") {
					return false
				}
				page := 1
				_, _ = fmt.Sscanf(r.URL.Query().Get("page"), "%d", &page)
				if page < len(kept) || row.says != "" {
					w.Header().Add("Link", `<https://registry.example/>; rel="prev"`)
					w.Header().Add("Link", "<"+row.next(s.host, page)+`>; rel="next"`)
				}
				return sends(indexKind, anIndex(indexKind, entry(manifestKind, kept[(page-1)%len(kept)].Digest(), "")))(w, r)
			})
			found, err := client(t).Referrers(t.Context(), image)
			if row.says == "" && (err != nil || len(found) != 3) || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("%d found: %v, expected %q", len(found), err, row.says)
			}
		})
	}
}

// aReferrer is a manifest whose one layer is this.
func aReferrer(kind, digest string, size int) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		manifestKind, kind, digestOf("{}"), kind, digest, size)
}

// TestReferrers: one that is broken is listed as such, what is no bundle is passed over,
// and the others still count.
func TestReferrers(t *testing.T) {
	t.Parallel()
	bundle := string(aBundle(1))
	const typed = `,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"`
	for name, row := range map[string]struct {
		entry    string // of the list
		manifest string // of the referrer
		found    int    // besides the good one
		says     string // why one could not be read; empty where it could, or is none
	}{
		"a bundle":              {typed, aReferrer(registry.BundleType, digestOf(bundle), len(bundle)), 1, ""},
		"of an older form":      {`,"artifactType":"application/vnd.dev.sigstore.bundle+json;version=0.3"`, aReferrer("application/vnd.dev.sigstore.bundle+json;version=0.3", digestOf(bundle), len(bundle)), 1, ""},
		"no type in the list":   {"", aReferrer(registry.BundleType, digestOf(bundle), len(bundle)), 1, ""},
		"an SBOM":               {`,"artifactType":"application/spdx+json"`, aReferrer("application/spdx+json", digestOf(bundle), len(bundle)), 0, ""},
		"an SBOM without type":  {"", aReferrer("application/spdx+json", digestOf(bundle), len(bundle)), 0, ""},
		"an SBOM called bundle": {typed, aReferrer("application/spdx+json", digestOf(bundle), len(bundle)), 0, ""},
		"not there":             {typed, "", 1, "404 Not Found"},
		"no manifest":           {typed, "[]", 1, "is no manifest"},
		"a layer not there":     {typed, aReferrer(registry.BundleType, digestOf("gone"), 4), 1, "404 Not Found"},
		"a huge layer":          {typed, aReferrer(registry.BundleType, digestOf(bundle), registry.MaxBundleBytes+1), 1, "at most 33554432 are read"},
		"a layer of no digest":  {typed, aReferrer(registry.BundleType, "sha256:../x", 1), 1, "names its bundle by the digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			good, err := client(t).Attach(t.Context(), image, aBundle(1), provenance)
			if err != nil {
				t.Fatal(err)
			}
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case strings.Contains(r.URL.Path, "/referrers/"):
					return sends(indexKind, anIndex(indexKind, entry(manifestKind, digestOf(row.manifest), row.entry), entry(manifestKind, good.Reference.Digest(), typed)))(w, r)
				case row.manifest != "" && strings.HasSuffix(r.URL.Path, digestOf(row.manifest)):
					return sends(manifestKind, row.manifest)(w, r)
				}
				return false
			})
			found, err := client(t).Referrers(t.Context(), image)
			if err != nil || len(found) != row.found+1 {
				t.Fatalf("%d found: %v", len(found), err)
			}
			if last := found[len(found)-1]; last.Err != nil || string(last.Bundle) != bundle || last.Reference != good.Reference {
				t.Errorf("the good one: %+v", last)
			}
			if first := found[0]; row.says != "" && (first.Err == nil || first.Bundle != nil || !strings.Contains(first.Err.Error(), row.says)) || row.says == "" && first.Err != nil {
				t.Errorf("%s: %v, expected %q", first.Bundle, first.Err, row.says)
			}
		})
	}
}

// TestBlobRefused: a bundle's bytes are held against their digest too.
func TestBlobRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		front func(http.ResponseWriter, *http.Request) bool
		says  string
	}{
		"other bytes": {sends("application/octet-stream", string(aBundle(2))), "hash to"},
		"a huge one":  {announces(registry.MaxBundleBytes + 1), "at most 33554432 are read"},
		"half of it":  {half(string(aBundle(1))), "attempts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			if _, err := client(t).Attach(t.Context(), image, aBundle(1), provenance); err != nil {
				t.Fatal(err)
			}
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				return strings.Contains(r.URL.Path, "/blobs/") && row.front(w, r)
			})
			found, err := client(t).Referrers(t.Context(), image)
			if err != nil || len(found) != 1 || found[0].Err == nil || found[0].Bundle != nil || !strings.Contains(found[0].Err.Error(), row.says) {
				t.Errorf("%+v: %v, expected %q", found, err, row.says)
			}
		})
	}
}

// TestOlderForm reads what cosign keeps in the tag .att, beside the referrers: each layer
// by itself, and a tag that cannot be read is told.
func TestOlderForm(t *testing.T) {
	t.Parallel()
	const envelope, envelopeKind = `{"payloadType":"x","payload":"e30=","signatures":[{"sig":"AAAA"}]}`, "application/vnd.dsse.envelope.v1+json"
	layer := func(kind, digest, certificate string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"annotations":{"dev.sigstore.cosign/certificate":%q}}`, kind, digest, len(envelope), certificate)
	}
	const certificate = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n"
	for name, row := range map[string]struct {
		layers []string
		front  func(http.ResponseWriter, *http.Request) bool // of the tag
		found  []string                                      // what each is, or why it is none
	}{
		"by a key":             {[]string{layer(envelopeKind, digestOf(envelope), "")}, nil, []string{envelope}},
		"by a certificate":     {[]string{layer(envelopeKind, digestOf(envelope), certificate)}, nil, []string{`"rawBytes":"AAEC"`}},
		"both":                 {[]string{layer(envelopeKind, digestOf(envelope), ""), layer(envelopeKind, digestOf(envelope), certificate)}, nil, []string{envelope, `"rawBytes":"AAEC"`}},
		"a broken one":         {[]string{layer(envelopeKind, digestOf(envelope), "x"), layer(envelopeKind, digestOf(envelope), "")}, nil, []string{"no certificate in PEM", envelope}},
		"something else":       {[]string{layer("text/plain", digestOf(envelope), "")}, nil, nil},
		"a layer not there":    {[]string{layer(envelopeKind, digest, "")}, nil, []string{"404 Not Found"}},
		"too many":             {slices.Repeat([]string{layer(envelopeKind, digestOf(envelope), "")}, registry.MaxReferrers+1), nil, []string{"more than 1000 referrers"}},
		"it may not be read":   {nil, refuses(403, "DENIED", ""), []string{"403 Forbidden"}},
		"no manifest":          {nil, sends(manifestKind, "[]"), []string{"is no manifest"}},
		"an index":             {nil, sends(indexKind, anIndex(indexKind)), nil},
		"it cannot be reached": {nil, hangsUp, []string{"(5 attempts)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			image := s.put(t, manifestKind, anImage("app"))
			s.asks(t, http.MethodPost, "/v2/acme/app/blobs/uploads/?digest="+digestOf(envelope), request{"application/octet-stream", envelope})
			tag := strings.Replace(image.Digest(), ":", "-", 1) + ".att"
			text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":2},"layers":[%s]}`, manifestKind, digestOf("{}"), strings.Join(row.layers, ","))
			s.asks(t, http.MethodPut, "/v2/acme/app/manifests/"+tag, request{manifestKind, text})
			s.meet(func(w http.ResponseWriter, r *http.Request) bool {
				return row.front != nil && strings.HasSuffix(r.URL.Path, tag) && row.front(w, r)
			})
			found, err := client(t).Referrers(t.Context(), image)
			if err != nil || len(found) != len(row.found) {
				t.Fatalf("%+v: %v", found, err)
			}
			for i, want := range row.found {
				if got := string(found[i].Bundle) + fmt.Sprint(found[i].Err); !strings.Contains(got, want) || (found[i].Err == nil) == (found[i].Bundle == nil) {
					t.Errorf("%s, expected %s", got, want)
				}
			}
		})
	}
}
