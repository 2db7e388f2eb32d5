package github_test

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/githubtest"
)

const asset = "app.sigstore.json"

// TestPutAsset stores bundles in a release of each kind.
func TestPutAsset(t *testing.T) {
	t.Parallel()
	line := append(bundleOf(1), '\n')
	other := append(bundleOf(2), '\n')
	for name, row := range map[string]struct {
		release githubtest.Release
		already bool
		own     bool   // under another name
		name    string // that is asked for, where it is not that of asset
	}{
		"published":                {release: githubtest.Release{}},
		"a draft":                  {release: githubtest.Release{Draft: true}},
		"an immutable one's draft": {release: githubtest.Release{Draft: true, Immutable: true}},
		"there already":            {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: line}}}, already: true},
		"there in other words":     {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: []byte("\n" + strings.Replace(string(bundleOf(1)), ",", " ,\n", 1))}}}, already: true},
		"there among others":       {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: append(bytes.Clone(other), line...)}}}, already: true},
		"another one's":            {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: other}}}, own: true},
		"of other case":            {release: githubtest.Release{Assets: []githubtest.Asset{{Name: "APP.sigstore.json", Data: other}}}, own: true},
		"no bundle":                {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: []byte("x")}}}, own: true},
		"broken off":               {release: githubtest.Release{Assets: []githubtest.Asset{{Name: asset, Data: line, Open: true}}}, own: true},
		"beside others":            {release: githubtest.Release{Assets: []githubtest.Asset{{Name: "app", Data: []byte("x")}, {Name: "lib.sigstore.json", Data: line}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, writes())
			row.release.Tag = "v1.2.0"
			name := cmp.Or(row.name, asset)
			before := len(row.release.Assets)
			r := w.Publish(w.repository, row.release)
			stored, err := w.PutAsset(t.Context(), released(), name, bundleOf(1))
			if err != nil || stored.Already != row.already || stored.URL != "https://github.com/acme/app/releases/tag/v1.2.0" || stored.ID == 0 {
				t.Fatalf("got %+v, %v", stored, err)
			}
			if row.own == (stored.Name == asset) && row.name == "" {
				t.Errorf("its name is %s", stored.Name)
			}
			if n := len(r.Assets) - before; row.already != (n == 0) || n > 1 {
				t.Errorf("%d assets were made", n)
			}
			if data, _ := r.Asset(stored.Name); !row.already && !bytes.Equal(data, line) {
				t.Errorf("it holds %q", data)
			}
			again, err := w.PutAsset(t.Context(), released(), name, bundleOf(1))
			if err != nil || !again.Already || again.Name != stored.Name {
				t.Errorf("again: got %+v, %v", again, err)
			}
			w.tokenStaysAtHome(t)
		})
	}
}

// TestAssetIsRefused says what to do.
func TestAssetIsRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		permissions githubtest.Permissions
		release     *githubtest.Release
		words       []string
	}{
		"no release":    {writes(), nil, []string{"storing app.sigstore.json in the release v1.2.0 of acme/app", "404 Not Found"}},
		"immutable":     {writes(), &githubtest.Release{Immutable: true}, []string{`"Cannot upload assets to an immutable release."`, "next: a published release takes nothing any more: store in the release while it is a draft"}},
		"may only read": {githubtest.Permissions{"contents": "read"}, &githubtest.Release{}, []string{"403 Forbidden", "(it takes the permissions contents=write)", "permissions: {contents: write}"}},
		"no token":      {nil, &githubtest.Release{}, []string{"401 Unauthorized", "next: give a token in GITHUB_TOKEN, in a workflow with  permissions: {contents: write}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, row.permissions)
			if row.release != nil {
				row.release.Tag = "v1.2.0"
				w.Publish(w.repository, *row.release)
			}
			_, err := w.PutAsset(t.Context(), released(), asset, bundleOf(1))
			says(t, err, row.words...)
		})
	}
}

// TestAssetsAtOnce: somebody else takes the name between looking and storing, or an
// answer gets lost.
func TestAssetsAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("taken meanwhile", func(t *testing.T) {
		t.Parallel()
		w := open(t, writes())
		r := w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0"})
		w.Fail(githubtest.Fault{Method: http.MethodPost, Times: 1, Status: 422, Body: githubtest.Refusal(422, "Validation Failed", map[string]string{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"})})
		stored, err := w.PutAsset(t.Context(), released(), asset, bundleOf(1))
		if err != nil || stored.Name == asset || len(r.Assets) != 1 {
			t.Errorf("got %+v, %v", stored, err)
		}
	})
	t.Run("lost answer", func(t *testing.T) {
		t.Parallel()
		w := open(t, writes())
		r := w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0"})
		w.Fail(githubtest.Fault{Method: http.MethodPost, Times: 1, Lost: true, Status: 502})
		stored, err := w.PutAsset(t.Context(), released(), asset, bundleOf(1))
		if err != nil || stored.Name != asset || len(r.Assets) != 1 {
			t.Errorf("got %+v, %v", stored, err)
		}
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		w := open(t, writes())
		w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0"})
		w.Fail(githubtest.Fault{Method: http.MethodPost, Status: 422, Body: githubtest.Refusal(422, "Validation Failed", map[string]string{"resource": "ReleaseAsset", "code": "custom", "field": "file_count", "message": "file_count limited to 1000 assets per release"})})
		_, err := w.PutAsset(t.Context(), released(), asset, bundleOf(1))
		says(t, err, "file_count limited to 1000 assets per release", "next: a release takes 1,000 assets: attest more subjects at a time, or store elsewhere")
	})
	t.Run("all taken", func(t *testing.T) {
		t.Parallel()
		w := open(t, writes())
		r := w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0"})
		w.Fail(githubtest.Fault{Method: http.MethodPost, Status: 422, Body: githubtest.Refusal(422, "Validation Failed", map[string]string{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"})})
		_, err := w.PutAsset(t.Context(), released(), asset, bundleOf(1))
		says(t, err, "both app.sigstore.json and app.", "are taken", "next: delete app.")
		if len(r.Assets) != 0 {
			t.Error("something was stored")
		}
	})
}

// TestUploadsStayAtHome: the token is sent to no host that an answer names.
func TestUploadsStayAtHome(t *testing.T) {
	t.Parallel()
	for address, words := range map[string]string{
		"https://uploads.evil.example/x{?name}": "the token is not sent there",
		"http://uploads.github.com/x":           "no address to upload to",
		"https://user@127.0.0.1/":               "the token is not sent there",
		"":                                      "no address to upload to",
		"{?name}":                               "no address to upload to",
	} {
		client := open(t, nil).stranger(t, func(rw http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("something was uploaded for %s", address)
			}
			_, _ = rw.Write([]byte(`{"id":1,"tag_name":"v1.2.0","upload_url":"` + address + `"}`))
		})
		_, err := client.PutAsset(t.Context(), released(), asset, bundleOf(1))
		says(t, err, words)
	}
}

// TestRelease finds releases, and drafts for those who may write.
func TestRelease(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	w.PageSize = 2
	for _, tag := range []string{"v1", "v2", "v3", "v4"} {
		w.Publish(w.repository, githubtest.Release{Tag: tag})
	}
	w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0", Draft: true, Assets: []githubtest.Asset{{Name: "app", Data: []byte("x")}, {Name: "old", Data: []byte("y"), Undigested: true}}})
	w.Publish(w.repository, githubtest.Release{Tag: "group/v1"})
	found, err := w.Client.Release(t.Context(), released())
	if err != nil || !found.Draft || len(found.Assets) != 2 || found.Assets[0].Digest != "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" || found.Assets[1].Digest != "" {
		t.Errorf("got %+v, %v", found, err)
	}
	if found, err := w.Client.Release(t.Context(), github.Tagged{Repository: acme(), Tag: "group/v1"}); err != nil || found.Tag != "group/v1" {
		t.Errorf("got %+v, %v", found, err)
	}
	_, err = w.Client.Release(t.Context(), github.Tagged{Repository: acme(), Tag: "v9"})
	says(t, err, "reading the release v9 of acme/app", "404 Not Found", "next: check the name")
	stranger := open(t, nil)
	stranger.Publish(stranger.repository, githubtest.Release{Tag: "v1.2.0", Draft: true})
	_, err = stranger.Client.Release(t.Context(), released())
	says(t, err, "404 Not Found")
}

// TestDownload fetches assets from where GitHub sends one.
func TestDownload(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	w.Publish(w.repository, githubtest.Release{Tag: "v1.2.0", Assets: []githubtest.Asset{{Name: asset, Data: bundleOf(1)}}})
	release, err := w.Client.Release(t.Context(), released())
	if err != nil {
		t.Fatal(err)
	}
	data, err := w.Download(t.Context(), acme(), release.Assets[0])
	if err != nil || !bytes.Equal(data, bundleOf(1)) {
		t.Errorf("got %q, %v", data, err)
	}
	w.tokenStaysAtHome(t)
	_, err = w.Download(t.Context(), acme(), github.Asset{ID: 1, Name: "huge", Size: 64<<20 + 1})
	says(t, err, "downloading huge from a release of acme/app", "at most 64")
	_, err = w.Download(t.Context(), acme(), github.Asset{ID: 1, Name: "gone\x1b"})
	says(t, err, "downloading gone from", "404 Not Found")
}

// assets are n of them.
func assets(n int) (all []githubtest.Asset) {
	for i := range n {
		all = append(all, githubtest.Asset{Name: fmt.Sprintf("asset-%d", i), Data: []byte("x")})
	}
	return all
}

// TestReady says before anything is signed what is in the way.
func TestReady(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		permissions githubtest.Permissions
		private     bool
		release     *githubtest.Release
		attest      string // empty for nothing
		assets      string
	}{
		"ready":            {permissions: writes(), release: &githubtest.Release{}},
		"a draft":          {permissions: writes(), release: &githubtest.Release{Draft: true, Immutable: true}},
		"no token":         {release: &githubtest.Release{}, attest: "there is no token; next: give a token in GITHUB_TOKEN, in a workflow with  permissions: {attestations: write, id-token: write, contents: read}", assets: "there is no token; next: give a token in GITHUB_TOKEN, in a workflow with  permissions: {contents: write}"},
		"no release":       {permissions: writes(), assets: "404 Not Found"},
		"an immutable one": {permissions: writes(), release: &githubtest.Release{Immutable: true}, assets: "it is published and immutable; next: a published release takes nothing any more"},
		"a private one":    {permissions: writes(), private: true, release: &githubtest.Release{}, attest: "the repository is private and a user's own, and GitHub keeps attestations of private ones for organisations alone; next: store elsewhere"},
		"a full one":       {permissions: writes(), release: &githubtest.Release{Assets: assets(998)}, assets: "it has 998 assets, and with 3 more it would have more than the 1000 that GitHub takes; next: store elsewhere"},
		"one almost full":  {permissions: writes(), release: &githubtest.Release{Assets: assets(997)}},
		"not to be seen":   {permissions: githubtest.Permissions{}, private: true, attest: "404 Not Found; next: check the name, and that the token may see it", assets: "404 Not Found"},
		"may only look on": {permissions: githubtest.Permissions{"contents": "read"}, release: &githubtest.Release{}},
	} {
		w := open(t, row.permissions)
		w.repository.Private = row.private
		if row.release != nil {
			row.release.Tag = "v1.2.0"
			w.Publish(w.repository, *row.release)
		}
		for what, check := range map[string]struct {
			err   error
			words string
		}{"attestations": {w.ReadyForAttestations(t.Context(), acme()), row.attest}, "assets": {w.ReadyForAssets(t.Context(), released(), 3), row.assets}} {
			switch {
			case check.words != "":
				says(t, check.err, check.words)
			case check.err != nil:
				t.Errorf("%s, %s: %v", name, what, check.err)
			}
		}
		if w.count(http.MethodPost, "") != 0 {
			t.Errorf("%s: something was stored", name)
		}
	}
}

// TestReadyForAttestations is what a repository and a classic token say of themselves.
func TestReadyForAttestations(t *testing.T) {
	t.Parallel()
	const organisation, may = `"owner":{"type":"Organization"}`, `"permissions":{"push":true}`
	for name, row := range map[string]struct {
		repository string
		scopes     []string
		says       string // empty for ready
	}{
		"a public one":            {`{"id":1}`, nil, ""},
		"a private one":           {`{"id":1,"private":true,` + organisation + `}`, nil, ""},
		"a user's private one":    {`{"id":1,"private":true,"owner":{"type":"User"}}`, nil, "private and a user's own"},
		"a user's public one":     {`{"id":1,"owner":{"type":"User"}}`, nil, ""},
		"an archived one":         {`{"id":1,"archived":true}`, nil, "archived or disabled, and takes nothing; next: store elsewhere: --store file"},
		"a disabled one":          {`{"id":1,"disabled":true}`, nil, "archived or disabled"},
		"a job may not push":      {`{"id":1,"permissions":{"push":false}}`, nil, ""},
		"a person may not push":   {`{"id":1,"permissions":{"push":false}}`, []string{"repo"}, "may not write the repository"},
		"a person may":            {`{"id":1,` + may + `}`, []string{"repo, workflow"}, ""},
		"public alone":            {`{"id":1,` + may + `}`, []string{"gist, public_repo"}, ""},
		"public alone, a private": {`{"id":1,"private":true,` + organisation + `,` + may + `}`, []string{"public_repo"}, `lacks the scope repo; it has "public_repo"; next: give the token the scope repo`},
		"no scope":                {`{"id":1,` + may + `}`, []string{""}, `lacks the scope repo; it has ""`},
		"another scope":           {`{"id":1,` + may + `}`, []string{"repo:status, read:org"}, "lacks the scope repo"},
		"no repository":           {`{}`, nil, "it is no repository; next: check that GITHUB_API_URL"},
		"no JSON":                 {`<html>`, nil, "it is no repository"},
	} {
		client := open(t, nil).stranger(t, func(rw http.ResponseWriter, _ *http.Request) {
			if row.scopes != nil {
				rw.Header()["X-Oauth-Scopes"] = row.scopes
			}
			_, _ = rw.Write([]byte(row.repository))
		})
		err := client.ReadyForAttestations(t.Context(), acme())
		switch {
		case row.says != "":
			says(t, err, "storing an attestation of acme/app: ", row.says)
		case err != nil:
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRest: who writes much waits a second in between.
func TestRest(t *testing.T) {
	t.Parallel()
	w := open(t, writes())
	w.Rest(t.Context())
	if !slices.Equal(w.waits, []time.Duration{time.Second}) {
		t.Errorf("it waits %v", w.waits)
	}
}
