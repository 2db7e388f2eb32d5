package evidence

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/github"
	"github.com/signatus-dev/signatus/internal/githubtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// described is GitHub's description, read once for all tests.
var described = sync.OnceValues(githubtest.Load)

const (
	one   = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`
	sha   = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" // of the text test
	sha5  = "ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db27ac185f8a0e1d5f84f88bc887fd67b143732c304cc5fa9ad8e6f57f50028a8ff"
	other = "0000000000000000000000000000000000000000000000000000000000000000"
)

func inHand() Sought {
	return Sought{Name: "app", Digest: artifact.DigestSet{artifact.SHA256: sha, artifact.SHA384: "x", artifact.SHA512: sha5}}
}

func openHub(t *testing.T) (*githubtest.GitHub, *githubtest.Repository, *github.Client) {
	t.Helper()
	hub := githubtest.New(t, described)
	repository := hub.Add("acme/app")
	client, err := github.Open(github.Options{API: hub.URL, HTTP: &http.Client{}, Pause: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return hub, repository, client
}

func acme() github.Repository { return github.Repository{Owner: "acme", Name: "app"} }

// TestFromAttestations looks under each digest that GitHub may have.
func TestFromAttestations(t *testing.T) {
	t.Parallel()
	id, tag := strings.Repeat("a1", 20), strings.Repeat("b2", 20)
	for name, row := range map[string]struct {
		under      string
		sought     Sought
		candidates int
		asked      int
	}{
		"SHA-256":              {"sha256:" + sha, inHand(), 1, 1},
		"SHA-512":              {"sha512:" + sha5, inHand(), 1, 2},
		"nothing":              {"sha256:" + other, inHand(), 0, 2},
		"SHA-384 alone":        {"sha384:abc", Sought{Digest: artifact.DigestSet{artifact.SHA384: "abc"}}, 1, 1},
		"a commit":             {"gitCommit:" + id, Sought{Digest: artifact.DigestSet{artifact.GitCommit: id}}, 1, 1},
		"a commit of GitHub's": {"sha1:" + id, Sought{Digest: artifact.DigestSet{artifact.GitCommit: id}}, 1, 2},
		"a tag of GitHub's":    {"sha1:" + tag, Sought{Digest: artifact.DigestSet{artifact.GitTag: tag}}, 1, 2},
		"a long commit":        {"gitCommit:" + sha, Sought{Digest: artifact.DigestSet{artifact.GitCommit: sha}}, 1, 1},
		"a long commit's":      {"sha1:" + sha, Sought{Digest: artifact.DigestSet{artifact.GitCommit: sha}}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub, repository, client := openHub(t)
			hub.StoreAs(repository, row.under, []byte(one))
			found := From(t.Context(), &Attestations{Client: client, Repository: acme(), Chosen: " (chosen)"}, row.sought)
			if len(found.Candidates) != row.candidates || len(found.Refused) != 0 || len(found.Looked) != 1 || found.Looked[0].Absent == (row.candidates == 1) {
				t.Errorf("found %+v", found)
			}
			if !strings.HasPrefix(found.Looked[0].Path, "attestations of github.com/acme/app (chosen) about ") {
				t.Errorf("looked in %q", found.Looked[0].Path)
			}
			asked := 0
			for _, a := range hub.Asked() {
				if strings.Contains(a.Path, "/attestations/") {
					asked++
				}
			}
			if asked != row.asked {
				t.Errorf("asked %d times, expected %d", asked, row.asked)
			}
		})
	}
}

// TestFromIsBelievedNoMore: what is no bundle, and what cannot be fetched, is refused, and
// the others count.
func TestFromIsBelievedNoMore(t *testing.T) {
	t.Parallel()
	hub, repository, client := openHub(t)
	hub.Detached = true
	for range 4 {
		hub.StoreAs(repository, "sha256:"+sha, []byte(one))
	}
	hub.Fail(githubtest.Fault{Path: "/4713.json.sn", Status: 404})
	hub.Fail(githubtest.Fault{Path: "/4714.json.sn", Status: 200, Body: `{"no":"bundle"}`})
	store := &Attestations{Client: client, Repository: acme()}
	found := From(t.Context(), store, inHand())
	var refused []string
	for _, r := range found.Refused {
		refused = append(refused, fmt.Sprintf("%s %s %s", r.Source, r.Reason.ID, r.Reason.Next))
	}
	want := []string{
		"github.com/acme/app attestation 2 of sha256:9f86d081884c source-unreadable check the name, and for what is not public give a token in GITHUB_TOKEN, in a workflow with  permissions: {attestations: read, contents: read}",
		"github.com/acme/app attestation 3 of sha256:9f86d081884c bundle-malformed ",
	}
	if len(found.Candidates) != 2 || len(refused) != 2 || refused[0] != want[0] || !strings.HasPrefix(refused[1], want[1]) {
		t.Errorf("%d candidates, refused\n%s", len(found.Candidates), strings.Join(refused, "\n"))
	}
	hub.Fail(githubtest.Fault{Path: "/attestations/sha256:", Status: 403, Body: githubtest.Refusal(403, "Resource not accessible by integration")})
	found = From(t.Context(), store, inHand())
	if len(found.Candidates) != 0 || len(found.Refused) != 1 || found.Refused[0].Reason.ID != verdict.SourceUnreadable || strings.Contains(found.Refused[0].Reason.Found, "next:") || !strings.Contains(found.Refused[0].Reason.Found, "Resource not accessible") {
		t.Errorf("found %+v", found)
	}
	before := len(hub.Asked())
	if again := From(t.Context(), store, Sought{Digest: artifact.DigestSet{artifact.SHA256: other}}); len(again.Refused) != 1 || len(hub.Asked()) != before {
		t.Errorf("it was asked again: %+v", again)
	}
	broken := From(t.Context(), brokenStore{}, inHand())
	if len(broken.Refused) != 1 || broken.Refused[0].Reason.Next != "run it again when it can be reached, or name the bundles you have with --bundle" {
		t.Errorf("found %+v", broken)
	}
}

type brokenStore struct{}

func (brokenStore) Name() string { return "nowhere" }
func (brokenStore) Find(context.Context, Sought) (Kept, error) {
	return Kept{}, errors.New("it is broken")
}

// TestWhichAssets chooses by name and digest.
func TestWhichAssets(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a1", 20)
	named := func(names ...string) (assets []github.Asset) {
		for i, name := range names {
			asset := github.Asset{ID: int64(i + 1), Name: name}
			if name == "app-v1" {
				asset.Digest = "sha256:" + sha
			}
			assets = append(assets, asset)
		}
		return assets
	}
	all := named("app", "app.sigstore.json", "app.sigstore.jsonl", "app.sigstore", "app.intoto.jsonl", "app.0123456789ab.sigstore.json",
		"app-v1", "app-v1.sigstore.json", "app.0123456789AB.sigstore.json", "app.0123.sigstore.json", "app.0123456789abc.sigstore.json", "app.exe.sigstore.json",
		"appx.sigstore.json", "attestation.sigstore.json", "attestation.sigstore.jsonl", "multiple.intoto.jsonl", "commit-"+id+".sigstore.json", "commit-"+id+".abcdef012345.sigstore.json", "commit-"+id+".sigstore.jsonl", "SHA256SUMS")
	for name, row := range map[string]struct {
		assets []github.Asset
		sought Sought
		want   string
	}{
		"by name":    {all, Sought{Name: "app"}, "app.sigstore.json app.sigstore.jsonl app.sigstore app.intoto.jsonl app.0123456789ab.sigstore.json attestation.sigstore.json attestation.sigstore.jsonl"},
		"by digest":  {all, Sought{Digest: artifact.DigestSet{artifact.SHA256: sha}}, "app-v1.sigstore.json attestation.sigstore.json attestation.sigstore.jsonl"},
		"by both":    {all, Sought{Name: "app.exe", Digest: artifact.DigestSet{artifact.SHA256: sha}}, "app-v1.sigstore.json app.exe.sigstore.json attestation.sigstore.json attestation.sigstore.jsonl"},
		"none own":   {all, Sought{Name: "lib", Digest: artifact.DigestSet{artifact.SHA256: other}}, "attestation.sigstore.json attestation.sigstore.jsonl app.intoto.jsonl multiple.intoto.jsonl"},
		"a commit":   {all, Sought{Digest: artifact.DigestSet{artifact.GitCommit: id}}, "commit-" + id + ".sigstore.json commit-" + id + ".abcdef012345.sigstore.json commit-" + id + ".sigstore.jsonl"},
		"a stranger": {all, Sought{Digest: artifact.DigestSet{artifact.GitCommit: sha}}, ""},
		"renamed":    {named("my.app.sigstore.json", "My.App.0123456789ab.sigstore.json", "my-app.sigstore.json", ".0123456789ab.sigstore.json"), Sought{Name: "my app"}, "my.app.sigstore.json My.App.0123456789ab.sigstore.json"},
		"no assets":  {nil, Sought{Name: "app"}, ""},
		"no name":    {named(".sigstore.json", "SHA256SUMS"), Sought{Digest: artifact.DigestSet{artifact.SHA256: sha}}, ""},
	} {
		var got []string
		for _, a := range about(row.assets, row.sought) {
			got = append(got, a.Name)
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: got %q, expected %q", name, got, row.want)
		}
	}
}

// TestFromRelease reads the release once, and each asset once.
func TestFromRelease(t *testing.T) {
	t.Parallel()
	hub, repository, client := openHub(t)
	hub.Publish(repository, githubtest.Release{Tag: "v1", Assets: []githubtest.Asset{
		{Name: "app", Data: []byte("test")}, {Name: "app.sigstore.json", Data: []byte(one)}, {Name: "lib.sigstore.json", Data: []byte("garbage")}, {Name: "attestation.sigstore.jsonl", Data: []byte(one + "\n" + one + "\n")},
	}})
	release := OpenRelease(client, github.Tagged{Repository: acme(), Tag: "v1"}, "")
	for name, candidates := range map[string]int{"app": 3, "renamed": 3, "lib": 3} {
		found := From(t.Context(), release, Sought{Name: name, Digest: artifact.DigestSet{artifact.SHA256: sha}})
		if len(found.Candidates) != candidates || (name == "lib") != (len(found.Refused) == 1) {
			t.Errorf("%s: %d candidates, %d refused", name, len(found.Candidates), len(found.Refused))
		}
	}
	asked := map[string]int{}
	for _, a := range hub.Asked() {
		asked[a.Path]++
	}
	for path, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	found := From(t.Context(), OpenRelease(client, github.Tagged{Repository: acme(), Tag: "v9"}, ""), inHand(), inHand())
	if len(found.Refused) != 2 || found.Refused[0].Source != "github.com/acme/app release v9" {
		t.Errorf("found %+v", found)
	}
	many := githubtest.Release{Tag: "many"}
	for i := range maxAssets + 1 {
		many.Assets = append(many.Assets, githubtest.Asset{Name: fmt.Sprintf("app.%012x.sigstore.json", i), Data: []byte(one)})
	}
	for n, refused := range map[int]int{maxAssets: 0, maxAssets + 1: 1} {
		hub.Publish(repository, githubtest.Release{Tag: fmt.Sprint(n), Assets: many.Assets[:n]})
		found := From(t.Context(), OpenRelease(client, github.Tagged{Repository: acme(), Tag: fmt.Sprint(n)}, ""), Sought{Name: "app"})
		if len(found.Refused) != refused || refused == 0 && len(found.Candidates) != n {
			t.Errorf("%d assets: %d candidates, %d refused", n, len(found.Candidates), len(found.Refused))
		}
	}
}
