package registry_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/registry"
)

// entry is an index's line about a manifest; more are its other fields.
func entry(kind, digest, more string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":1%s}`, kind, digest, more)
}

func onPlatform(text string) string { return `,"platform":{` + text + `}` }

func anIndex(kind string, entries ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, kind, strings.Join(entries, ","))
}

// TestImage reads an image, and an index of several in either form, with all that lies
// below it and is an image.
func TestImage(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	for _, name := range []string{"amd64", "arm64", "windows", "odd", "deep", "buildkit"} {
		s.put(t, manifestKind, anImage(name))
	}
	nested := anIndex(indexKind, entry(manifestKind, digestOf(anImage("deep")), ""), entry(manifestKind, digestOf(anImage("amd64")), ""))
	s.put(t, indexKind, nested)
	list := anIndex(listKind,
		entry(manifestKind, digestOf(anImage("amd64")), onPlatform(`"os":"linux","architecture":"amd64"`)),
		entry(manifestKind, digestOf(anImage("arm64")), onPlatform(`"os":"linux","architecture":"arm64","variant":"v8"`)),
		entry(manifestKind, digestOf(anImage("arm64")), ""),
		entry(manifestKind, digestOf(anImage("buildkit")), onPlatform(`"os":"unknown","architecture":"unknown"`)),
		entry(manifestKind, digestOf(anImage("windows")), onPlatform(`"os":"windows","architecture":"amd64","os.version":"10.0.20348"`)),
		entry(manifestKind, digestOf(anImage("odd")), onPlatform(`"os":"linux\n","architecture":"amd64"`)),
		entry("application/octet-stream", digestOf("a file"), ""),
		entry(indexKind, digestOf(nested), ""),
	)
	image := s.put(t, listKind, list)
	named := func(name, platform string) registry.Image {
		return registry.Image{Reference: s.named(t, digestOf(anImage(name))), Platform: platform}
	}
	want := registry.Image{Reference: image, Attestations: 1, Others: 1, Children: []registry.Image{
		named("amd64", "linux/amd64"), named("arm64", "linux/arm64/v8"), named("windows", "windows(10.0.20348)/amd64"), named("odd", ""),
		{Reference: s.named(t, digestOf(nested))}, named("deep", ""),
	}}
	compare := cmp.Comparer(func(a, b registry.Reference) bool { return a == b })
	got, err := client(t).Image(t.Context(), image, true)
	if diff := cmp.Diff(want, got, compare); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	if got, err := client(t).Image(t.Context(), image, false); err != nil || len(got.Children) > 0 || got.Reference != image {
		t.Errorf("without children: %+v: %v", got, err)
	}
	alone := s.named(t, digestOf(anImage("arm64")))
	if got, err := client(t).Image(t.Context(), alone, true); err != nil || len(got.Children) > 0 || got.Reference != alone {
		t.Errorf("one image: %+v: %v", got, err)
	}
}

// TestIndexRefuses: an index with anything that is not there, or not what it says, is
// refused as a whole.
func TestIndexRefuses(t *testing.T) {
	t.Parallel()
	app := entry(manifestKind, digestOf(anImage("app")), "")
	many := func(n int) (entries []string) {
		for i := range n {
			entries = append(entries, entry(manifestKind, digestOf(fmt.Sprint(i)), onPlatform(`"os":"unknown","architecture":"unknown"`)))
		}
		return entries
	}
	for name, row := range map[string]struct {
		kind, text string
		says       string // empty where it is taken
	}{
		"as it is":                {indexKind, anIndex(indexKind, app), ""},
		"none in it":              {indexKind, anIndex(indexKind), ""},
		"as many as there can be": {indexKind, anIndex(indexKind, many(registry.MaxChildren)...), ""},
		"one more":                {indexKind, anIndex(indexKind, many(registry.MaxChildren+1)...), "more than 500 manifests"},
		"one that is not there":   {indexKind, anIndex(indexKind, app, entry(manifestKind, digestOf("gone"), "")), "404 Not Found"},
		"a digest of no bytes":    {indexKind, anIndex(indexKind, entry(manifestKind, "sha256:x", "")), "expected sha256: and 64 hex digits"},
		"a path for a digest":     {indexKind, anIndex(indexKind, entry(manifestKind, "sha256:../../x", "")), "expected sha256: and 64 hex digits"},
		"another algorithm":       {indexKind, anIndex(indexKind, entry(manifestKind, "sha512:"+strings.Repeat("0", 128), "")), "expected sha256: and 64 hex digits"},
		"an index and an image":   {indexKind, strings.Replace(anIndex(indexKind, app), `"manifests"`, `"layers":[],"manifests"`, 1), "of something else or of both"},
		"an image and an index":   {manifestKind, strings.Replace(anImage("x"), `"layers"`, `"manifests":[],"layers"`, 1), "of something else or of both"},
		"an image as an index":    {indexKind, strings.Replace(anImage("x"), manifestKind, indexKind, 1), "of something else or of both"},
		"an index as an image":    {manifestKind, anIndex(manifestKind, app), "of something else or of both"},
		"neither":                 {manifestKind, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q}`, manifestKind), "of something else or of both"},
		"served as the other":     {manifestKind, anIndex(indexKind, app), "is served as"},
		"no type, served as it":   {indexKind, fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, app), ""},
		"no type at all":          {"application/octet-stream", fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, app), "neither the manifest of an image nor an index"},
		"schema 1":                {"application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion":1}`, "neither the manifest of an image nor an index"},
		"a key twice":             {indexKind, strings.Replace(anIndex(indexKind, app), `"manifests"`, `"manifests":[],"manifests"`, 1), "is no manifest"},
		"another case":            {indexKind, strings.Replace(anIndex(indexKind, app), `"manifests"`, `"Manifests"`, 1), "of something else or of both"},
		"a wrong type":            {indexKind, strings.Replace(anIndex(indexKind, app), `"size":1`, `"size":"1"`, 1), "is no manifest"},
		"no JSON":                 {indexKind, "<html>", "is no manifest"},
		"two documents":           {indexKind, anIndex(indexKind, app) + "{}", "is no manifest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			s.put(t, manifestKind, anImage("app"))
			s.meet(func(w http.ResponseWriter, r *http.Request) bool { // the real one would not take some of them
				if !strings.HasSuffix(r.URL.Path, digestOf(row.text)) {
					return false
				}
				return sends(row.kind, row.text)(w, r)
			})
			got, err := client(t).Image(t.Context(), s.named(t, digestOf(row.text)), true)
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.says) || !got.Reference.IsZero() {
				t.Errorf("%+v: %v, expected %q", got, err, row.says)
			}
		})
	}
}

// TestNestedIndexes: indexes in indexes are followed as deep as anybody makes them.
func TestNestedIndexes(t *testing.T) {
	t.Parallel()
	for depth, says := range map[int]string{3: "", 4: "indexes lie more than 3 deep"} {
		s := serve(t, true)
		inner := anImage("app")
		s.put(t, manifestKind, inner)
		text := anIndex(indexKind, entry(manifestKind, digestOf(inner), ""))
		image := s.put(t, indexKind, text)
		for range depth - 1 {
			text = anIndex(indexKind, entry(indexKind, digestOf(text), ""))
			image = s.put(t, indexKind, text)
		}
		got, err := client(t).Image(t.Context(), image, true)
		if says == "" && (err != nil || len(got.Children) != depth) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%d deep: %d children: %v", depth, len(got.Children), err)
		}
	}
}

// TestResolve finds out which image a tag means, by the bytes and not by what the
// registry says of them.
func TestResolve(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	s.asks(t, http.MethodPut, "/v2/acme/app/manifests/v1", request{manifestKind, anImage("app")})
	s.asks(t, http.MethodPut, "/v2/acme/app/manifests/latest", request{manifestKind, anImage("newest")})
	s.meet(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("X-Nothing", "")
		return false
	})
	for given, want := range map[string]string{"/acme/app:v1": anImage("app"), "/acme/app": anImage("newest"), "/acme/app@" + digest: ""} {
		r, err := client(t).Resolve(t.Context(), s.host+given)
		if wanted := digestOf(want); want == "" && r.Digest() != digest || want != "" && r.Digest() != wanted || err != nil {
			t.Errorf("%s: %s (%v)", given, r, err)
		}
	}
	for given, says := range map[string]string{"/acme/app:v2": "404 Not Found", "/Acme/app:v1": "can only contain", "/acme/../app:v1": "is no part of a name"} {
		if _, err := client(t).Resolve(t.Context(), s.host+given); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, expected %q", given, err, says)
		}
	}
}
