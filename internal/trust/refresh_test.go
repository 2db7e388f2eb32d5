package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	h := build(t)

	r, _ := h.load(0)
	h.wantRoot(r, h.repo.content)
	want := "TUF mirror " + h.mirror.URL + ", fetched 2026-10-01T12:00:00Z"
	if r.Source != want || !r.Date.Equal(today()) || r.Name != Sigstore {
		t.Errorf("root %s of %s from %q, want %q", r.Name, r.Date, r.Source, want)
	}
	sum := "targets/" + digest(h.repo.content) + ".trusted_root.json"
	if diff := cmp.Diff([]string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json", sum}, h.mirror.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}

	// The same day: the cached root, and no request.
	h.options.Now = h.options.Now.Add(RefreshEvery - time.Second)
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
	if got := h.mirror.requests(); got != nil {
		t.Errorf("asked again within a day: %q", got)
	}

	// The next day, nothing new: only what must be asked.
	h.options.Now = today().Add(RefreshEvery)
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
	if diff := cmp.Diff([]string{"2.root.json", "timestamp.json"}, h.mirror.requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if !r.Date.Equal(h.options.Now) {
		t.Errorf("date %s, want the last fetch", r.Date)
	}

	// A newer trusted root, under a newer TUF root with all keys replaced.
	h.tomorrow()
	h.repo.content = madeRoot(t, "newer")
	h.repo.rotate("root", "timestamp", "snapshot", "targets")
	h.repo.publish()
	h.mirror.offer(h.repo)
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
	h.options.Offline = true
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
}

// Each row breaks one thing. Whatever it is, the roots in use stay, the cache
// stays, and the warning says what and what next.
func TestMirrorThatLies(t *testing.T) {
	t.Parallel()
	answer := func(path string, with func(w http.ResponseWriter, req *http.Request)) func(*house) {
		return func(h *house) {
			h.mirror.lie = func(w http.ResponseWriter, req *http.Request, asked string) bool {
				if path != "*" && !strings.HasSuffix(asked, path) {
					return false
				}
				with(w, req)
				return true
			}
		}
	}
	text := func(s string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
	}
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	endless := func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
				return
			}
		}
	}
	drip := func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			fmt.Fprint(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}
	const other = "--trusted-root"
	for _, row := range []struct {
		name string
		lie  func(h *house)
		want string // in the warning
		next string // in its next step
	}{
		{"down", func(h *house) { h.mirror.Close() }, "refused", "--offline"},
		{"slow", func(h *house) { h.options.Budget = 60 * time.Millisecond; answer("*", drip)(h) }, "no complete answer within 60ms", "--offline"},
		{"slow in the middle", func(h *house) {
			h.options.Budget = time.Second // enough to get there on a busy machine
			answer("snapshot.json", drip)(h)
		}, "fetching 2.snapshot.json: no complete answer within 1s", "--offline"},
		{"error 500", answer("*", status(500)), "fetching 2.root.json: HTTP 500", "--offline"},
		{"error 403 for a root", answer("root.json", status(403)), "HTTP 403", "--offline"},
		{"nothing there", answer("*", status(404)), "fetching timestamp.json: the mirror does not have it", other},
		{"captive portal", answer("*", text("<html>welcome</html>")), "reading 2.root.json: line 1: expected JSON", other},
		{"garbage", answer("timestamp.json", text("\x00\x01\x02")), "reading timestamp.json: line 1", other},
		{"empty", answer("timestamp.json", text("")), "expected one JSON object, found 0", other},
		{"array", answer("timestamp.json", text("[]")), "JSON array", other},
		{"deep", answer("timestamp.json", text(strings.Repeat(`{"a":`, 100))), "nested deeper than 64", other},
		{"null role", answer("2.root.json", text(`{"signatures":[],"signed":{"_type":"root","roles":{"root":null},"keys":{"a":null}}}`)), "reading 2.root.json", other},
		{"endless root", answer("2.root.json", endless), "more than the 512000 bytes", other},
		{"endless timestamp", answer("timestamp.json", endless), "more than the 16384 bytes", other},
		{"endless target", answer("trusted_root.json", endless), "bytes it may have", other},
		{"target of other bytes", func(h *house) {
			evil := bytes.ToUpper(h.repo.content)
			answer("trusted_root.json", text(string(evil)))(h)
		}, "hash", other},
		{"another genuine trusted root as target", func(h *house) {
			answer("trusted_root.json", text(string(h.instance.material)))(h)
		}, "trusted_root.json: ", other},
		{"duplicate key", func(h *house) {
			ts := string(h.repo.files["timestamp.json"])
			h.mirror.set("timestamp.json", []byte(strings.Replace(ts, `{`, `{"signed":{},`, 1)))
		}, `duplicate JSON key "signed"`, other},
		{"wrong signature on timestamp", func(h *house) {
			h.repo.newKey("timestamp") // which no published root names
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "Verifying timestamp failed", other},
		{"wrong signature on snapshot", func(h *house) {
			h.repo.newKey("snapshot")
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "Verifying snapshot failed", other},
		{"wrong signature on targets", func(h *house) {
			h.repo.newKey("targets")
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "Verifying targets failed", other},
		{"timestamp edited after signing", func(h *house) {
			h.mirror.set("timestamp.json", jsonEdit(h, h.repo.files["timestamp.json"], func(m map[string]any) {
				m["signed"].(map[string]any)["expires"] = "2099-01-01T00:00:00Z"
			}))
		}, "Verifying timestamp failed", other},
		{"root that the old one did not sign", func(h *house) {
			evil := newRepository(h.T, madeRoot(h, "evil"))
			evil.rotate("root")
			h.mirror.offer(evil)
		}, "Verifying root failed", other},
		{"root that skips a version", func(h *house) {
			h.repo.rotate()
			h.repo.rotate()
			h.mirror.offer(h.repo)
			h.mirror.set("2.root.json", h.repo.files["3.root.json"])
		}, "bad version number, expected 2, got 3", other},
		{"expired timestamp", func(h *house) {
			h.repo.expires = h.options.Now
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "timestamp.json is expired", other},
		{"expired root", func(h *house) {
			h.repo.root.Signed.Expires = h.options.Now.Add(-time.Second)
			h.repo.rotate()
			h.mirror.offer(h.repo)
		}, "final root.json is expired", other},
		{"targets below the embedded version", func(h *house) {
			h.instance.targets = 3
		}, "targets.json has version 2, the embedded root had 3: older than the embedded trusted root", other},
		{"timestamp without snapshot", func(h *house) {
			ts := metadata.Timestamp(h.repo.expires)
			ts.Signed.Version = 99
			delete(ts.Signed.Meta, "snapshot.json")
			h.repo.sign(ts, "timestamp")
			h.mirror.set("timestamp.json", h.repo.bytes(ts))
		}, "", other}, // go-tuf panics if it holds an older one, and takes it if it does not
		{"targets that name nothing", func(h *house) {
			h.repo.publishTargets(func() *metadata.Metadata[metadata.TargetsType] {
				tg := metadata.Targets(h.repo.expires)
				tg.Signed.Version = h.repo.version["targets"]
				return tg
			}())
			h.mirror.offer(h.repo)
		}, "names no trusted_root.json", other},
		{"target that is not a trusted root", func(h *house) {
			h.repo.content = []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`)
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "this is a signing config", other},
		{"target of a newer version", func(h *house) {
			h.repo.content = []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.2+json"}`)
			h.repo.republish()
			h.mirror.offer(h.repo)
		}, "expected version 0.1", "upgrade signatus"},
	} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/cached=%t", row.name, held), func(t *testing.T) {
				t.Parallel()
				h := build(t)
				inUse := h.instance.material
				if held {
					h.load(0)
					h.tomorrow()
					inUse = h.repo.content
				}
				before := map[string]string{}
				if held {
					before = h.cacheFiles()
				}
				h.repo.content = madeRoot(t, "newer")
				h.repo.publish()
				h.mirror.offer(h.repo)
				row.lie(h)
				if held && h.instance.targets > 1 {
					inUse = h.instance.material // the embedded root has overtaken the cached one
				}

				r, warnings := h.load(1)
				h.wantRoot(r, inUse)
				if got := warnings[0].Err.Error(); !strings.Contains(got, row.want) || !strings.Contains(got, h.mirror.URL) {
					t.Errorf("warning %q, want %q and the mirror", got, row.want)
				}
				if !strings.Contains(warnings[0].Next, row.next) {
					t.Errorf("next %q, want %q", warnings[0].Next, row.next)
				}

				// Nothing of it is kept but the time of the try.
				after := h.cacheFiles()
				if row.name == "expired root" { // a proven root is kept: see TestProvenRootsAreKept
					return
				}
				delete(before, ".tried")
				delete(after, ".tried")
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("cache changed (-before +after):\n%s", diff)
				}

				// The same day it is not tried again, and nothing is said.
				h.mirror.requests()
				r, _ = h.load(0)
				h.wantRoot(r, inUse)
				if got := h.mirror.requests(); got != nil {
					t.Errorf("asked again within a day: %q", got)
				}
			})
		}
	}
}

// A mirror that goes back in time finds the client ahead of it.
func TestRollback(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		back func(r *repository, old map[string][]byte)
		want string
	}{
		{"everything", func(r *repository, old map[string][]byte) { r.files = old }, "new timestamp version 1 must be >= 2"},
		{"snapshot", func(r *repository, _ map[string][]byte) {
			r.version = map[string]int64{"timestamp": 3, "snapshot": 1, "targets": 2}
			r.republish()
		}, "new snapshot version 1 must be >= 2"},
		{"targets", func(r *repository, _ map[string][]byte) {
			r.version = map[string]int64{"timestamp": 3, "snapshot": 3, "targets": 1}
			r.republish()
		}, "bad version number error: expected targets.json version"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			old := h.repo.files
			h.repo.files = map[string][]byte{}
			h.repo.content = madeRoot(t, "newer")
			h.repo.publish()
			h.mirror.offer(h.repo)
			newer := h.repo.content
			r, _ := h.load(0)
			h.wantRoot(r, newer)

			h.tomorrow()
			h.repo.content = madeRoot(t, "back")
			row.back(h.repo, old)
			h.mirror.offer(h.repo)
			r, warnings := h.load(1)
			h.wantRoot(r, newer)
			if got := warnings[0].Err.Error(); !strings.Contains(got, row.want) {
				t.Errorf("warning %q, want %q", got, row.want)
			}
		})
	}
}

// A TUF root, once proven, is never forgotten: a mirror that withholds it and
// signs with the keys it revoked is refused. Also when the first refresh that
// saw it came to nothing.
func TestProvenRootsAreKept(t *testing.T) {
	t.Parallel()
	for _, complete := range []bool{true, false} {
		t.Run(fmt.Sprintf("complete=%t", complete), func(t *testing.T) {
			t.Parallel()
			h := build(t)
			r, _ := h.load(0)
			h.wantRoot(r, h.repo.content)
			inUse := h.repo.content

			h.tomorrow()
			stolen := h.repo.keys["timestamp"]
			h.repo.rotate("timestamp")
			h.repo.publish()
			h.mirror.offer(h.repo)
			warnings := 0
			if !complete {
				h.mirror.set("timestamp.json", nil)
				warnings = 1
			}
			r, _ = h.load(warnings)
			h.wantRoot(r, inUse)

			h.tomorrow()
			h.repo.keys["timestamp"] = stolen
			h.repo.content = madeRoot(t, "evil")
			h.repo.publish()
			h.mirror.offer(h.repo)
			h.mirror.set("2.root.json", nil)
			r, w := h.load(1)
			h.wantRoot(r, inUse)
			if got := w[0].Err.Error(); !strings.Contains(got, "Verifying timestamp failed") {
				t.Errorf("warning %q", got)
			}
			if got := h.mirror.requests(); !slices.Contains(got, "3.root.json") {
				t.Errorf("asked %q, want the root after the one that is proven", got)
			}
		})
	}
}

// What revoked targets keys have signed is not used any more.
func TestRevokedTargetsKey(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.load(0)
	h.tomorrow()
	h.repo.rotate("targets")
	h.mirror.offer(h.repo)
	h.mirror.set("timestamp.json", nil)
	h.load(1)
	r, w := h.load(1)
	h.wantRoot(r, h.instance.material)
	if got := w[0].Err.Error(); !strings.Contains(got, "targets.json under the newest TUF root") {
		t.Errorf("warning %q", got)
	}
}

func TestTooManyRoots(t *testing.T) {
	t.Parallel()
	h := build(t)
	for range maxNewRoots + 1 {
		h.repo.rotate()
	}
	h.mirror.offer(h.repo)
	r, w := h.load(1)
	h.wantRoot(r, h.instance.material)
	if got := w[0].Err.Error(); !strings.Contains(got, "more than 64 new TUF roots") {
		t.Errorf("warning %q", got)
	}
	// The 64 are proven, so the next day goes on from there.
	h.tomorrow()
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
}

func TestOffline(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.options.Offline, h.options.HTTP = true, nil
	r, _ := h.load(0)
	h.wantRoot(r, h.instance.material)
	if want := "embedded, 2026-09-30"; r.Source != want {
		t.Errorf("source %q, want %q", r.Source, want)
	}
	if _, err := os.Stat(h.options.CacheDir); err == nil {
		t.Error("the cache folder was made")
	}

	h.options.Offline, h.options.HTTP = false, h.mirror.Client()
	h.load(0)
	h.mirror.requests()
	h.options.Offline = true
	h.options.Now = today().AddDate(3, 0, 0) // long expired, still newer than the embedded one
	r, _ = h.load(0)
	h.wantRoot(r, h.repo.content)
	if got := h.mirror.requests(); got != nil {
		t.Errorf("asked %q although offline", got)
	}
}

func TestNoCacheFolder(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.options.CacheDir = ""
	r, _ := h.load(0)
	h.wantRoot(r, h.instance.material)
	if got := h.mirror.requests(); got != nil {
		t.Errorf("asked %q without a memory", got)
	}
}

// Somebody else wrote the cache: nothing there is believed that the embedded
// TUF root does not vouch for.
func TestPoisonedCache(t *testing.T) {
	t.Parallel()
	evil := madeRoot(t, "evil")
	for _, row := range []struct {
		name string
		edit func(h *house)
		want string
	}{
		{"another target", func(h *house) { h.edit(func(r *record) { r.Target = evil }) }, "trusted_root.json: "},
		{"no target", func(h *house) { h.edit(func(r *record) { r.Target = nil }) }, "trusted_root.json: "},
		{"whole repository of somebody else", func(h *house) {
			other := newRepository(h.T, evil)
			h.edit(func(r *record) {
				r.Timestamp, r.Snapshot, r.Targets = other.files["timestamp.json"], other.files["1.snapshot.json"], other.files["1.targets.json"]
				r.Target = evil
			})
		}, "Verifying timestamp failed"},
		{"with its root", func(h *house) {
			other := newRepository(h.T, evil)
			other.rotate("root")
			other.publish()
			h.edit(func(r *record) {
				*r = record{Fetched: r.Fetched, Roots: [][]byte{other.files["2.root.json"]}, Under: 1,
					Timestamp: other.files["timestamp.json"], Snapshot: other.files["2.snapshot.json"], Targets: other.files["2.targets.json"], Target: evil}
			})
		}, "Verifying root failed"},
		{"targets of somebody else", func(h *house) {
			other := newRepository(h.T, evil)
			h.edit(func(r *record) { r.Targets, r.Target = other.files["1.targets.json"], evil })
		}, "Verifying targets failed"},
		{"no snapshot", func(h *house) { h.edit(func(r *record) { r.Snapshot = nil }) }, "snapshot.json: "},
		{"under a root that is not there", func(h *house) { h.edit(func(r *record) { r.Under = 7 }) }, "signed under TUF root 7 of 0"},
		{"under a root before the first", func(h *house) { h.edit(func(r *record) { r.Under = -1 }) }, "signed under TUF root -1 of 0"},
		{"cut short", func(h *house) { h.overwrite(func(b []byte) []byte { return b[:len(b)/2] }) }, "unexpected EOF"},
		{"empty", func(h *house) { h.overwrite(func(b []byte) []byte { return nil }) }, "EOF"},
		{"unknown field", func(h *house) { h.overwrite(func(b []byte) []byte { return []byte(`{"x":1}`) }) }, "unknown"},
		{"a folder", func(h *house) {
			os.Remove(h.store().file)
			if err := os.Mkdir(h.store().file, 0o700); err != nil {
				h.Fatal(err)
			}
		}, "is not a regular file"},
		{"not readable JSON of the right shape", func(h *house) { h.overwrite(func(b []byte) []byte { return []byte(`{"roots":[null]}`) }) }, "expected one JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			h.load(0)
			h.mirror.requests()
			row.edit(h)

			r, w := h.load(1)
			h.wantRoot(r, h.instance.material)
			if got := w[0].String(); !strings.Contains(got, row.want) || !strings.Contains(got, h.store().file) {
				t.Errorf("warning %q, want %q and the file", got, row.want)
			}
			if got := h.mirror.requests(); got != nil {
				t.Errorf("asked %q within a day", got)
			}

			// The next refresh heals it, if it can be replaced at all.
			h.tomorrow()
			warnings := 1
			if row.name == "a folder" {
				warnings = 2
			}
			r, _ = h.load(warnings)
			h.wantRoot(r, h.repo.content)
			if row.name != "a folder" {
				r, _ = h.load(0)
				h.wantRoot(r, h.repo.content)
			}
		})
	}
}

func (h *house) overwrite(change func([]byte) []byte) {
	h.Helper()
	data, err := os.ReadFile(h.store().file)
	if err == nil {
		err = os.WriteFile(h.store().file, change(data), 0o600)
	}
	if err != nil {
		h.Fatal(err)
	}
}

// Where TUF offers what is embedded, the embedded root is in use between
// refreshes, and nothing in the cache has to be proven for it.
func TestCacheOfTheEmbeddedRoot(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.repo.content = h.instance.material
	h.repo.publish()
	h.mirror.offer(h.repo)
	r, _ := h.load(0)
	h.wantRoot(r, h.instance.material)
	if !strings.HasPrefix(r.Source, "TUF mirror") {
		t.Errorf("source %q after a refresh", r.Source)
	}
	h.edit(func(rec *record) { rec.Timestamp = []byte("x") })
	r, _ = h.load(0)
	h.wantRoot(r, h.instance.material)
	if !strings.HasPrefix(r.Source, "embedded") {
		t.Errorf("source %q between refreshes", r.Source)
	}
	h.tomorrow()
	r, _ = h.load(1) // now it has to be
	h.wantRoot(r, h.instance.material)
}

// An upgrade brings an embedded root that is newer than the cached one.
func TestEmbeddedOvertakesCache(t *testing.T) {
	t.Parallel()
	for name, upgrade := range map[string]func(*instance){
		"by the version of targets.json": func(i *instance) { i.targets = 2 },
		"by its day":                     func(i *instance) { i.date = today().AddDate(0, 1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t)
			h.load(0)
			upgrade(&h.instance)
			r, _ := h.load(0)
			h.wantRoot(r, h.instance.material)
		})
	}
}

func TestUnwritableCache(t *testing.T) {
	t.Parallel()
	h := build(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.options.CacheDir = filepath.Join(file, "signatus") // below a file nothing can be made, not even by root
	r, w := h.load(2)
	h.wantRoot(r, h.instance.material)
	if got := w[1].String(); !strings.Contains(got, "could not be remembered") || !strings.Contains(got, "writable") {
		t.Errorf("warning %q", got)
	}
	if got := h.mirror.requests(); got != nil {
		t.Errorf("asked %q, which could not be remembered", got)
	}
}

func TestTimeOfLastTry(t *testing.T) {
	t.Parallel()
	now := today()
	for name, row := range map[string]struct {
		content string
		due     bool
	}{
		"now":              {now.Format(time.RFC3339), false},
		"almost a day ago": {now.Add(-RefreshEvery + time.Second).Format(time.RFC3339), false},
		"a day ago":        {now.Add(-RefreshEvery).Format(time.RFC3339), true},
		"to come":          {now.Add(time.Second).Format(time.RFC3339), true},
		"unreadable":       {"yesterday", true},
		"empty":            {"", true},
		"too long":         {strings.Repeat(" ", 65) + now.Format(time.RFC3339), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cache{last: filepath.Join(t.TempDir(), "last")}
			if err := os.WriteFile(c.last, []byte(row.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := c.due(now); got != row.due {
				t.Errorf("due = %t, want %t", got, row.due)
			}
		})
	}
}

// Processes that start at once neither fail nor leave anything half-written.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	h := build(t)
	o := h.options
	o.instances = []instance{h.instance}
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			set, warnings, err := Load(context.Background(), o)
			if err != nil || len(warnings) > 0 || len(set) != 1 || set[0].Material == nil {
				t.Errorf("set %v, warnings %v, error %v", set, warnings, err)
			}
		})
	}
	wait.Wait()
	h.cacheFiles()
	r, _ := h.load(0)
	h.wantRoot(r, h.repo.content)
}

// The budget is for all instances together: five seconds, to the instant, for
// mirrors that never answer and for mirrors that drip.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(context.Context) (io.ReadCloser, error){
		"silence": func(ctx context.Context) (io.ReadCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"drip": func(ctx context.Context) (io.ReadCloser, error) { return dripping{ctx}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				set, warnings, err := Load(t.Context(), Options{
					CacheDir: cache,
					Now:      today(),
					HTTP: &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
						b, err := body(req.Context())
						return &http.Response{StatusCode: http.StatusOK, Body: b}, err
					})},
				})
				if took := time.Since(began); took != Budget {
					t.Errorf("took %s, want %s", took, Budget)
				}
				if err != nil || len(warnings) != 2 || !slices.Equal(set.Names(), []string{Sigstore, GitHub}) {
					t.Errorf("set %v, warnings %v, error %v", set.Names(), warnings, err)
				}
			})
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// dripping is a body of one byte a second.
type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second):
		return copy(p, " "), nil
	}
}

func (dripping) Close() error { return nil }

// A mirror that is slow does not keep the other from being refreshed.
func TestOneSlowMirror(t *testing.T) {
	t.Parallel()
	a, b := build(t), build(t)
	a.mirror.lie = func(_ http.ResponseWriter, req *http.Request, _ string) bool {
		<-req.Context().Done()
		return true
	}
	b.instance.name = GitHub
	o := a.options
	o.Budget = time.Second
	o.instances = []instance{a.instance, b.instance}
	set, warnings, err := Load(context.Background(), o)
	if err != nil || len(warnings) != 1 || warnings[0].Root != Sigstore {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	a.wantRoot(set[0], a.instance.material)
	b.wantRoot(set[1], b.repo.content)
}

func TestEndOfContext(t *testing.T) {
	t.Parallel()
	h := build(t)
	o := h.options
	o.instances = []instance{h.instance}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	set, _, err := Load(ctx, o)
	if !errors.Is(err, context.Canceled) || set != nil {
		t.Errorf("set %v, error %v", set, err)
	}
}

func TestOptionsThatLeaveThingsOpen(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		o    Options
		want string
	}{
		"no client": {Options{CacheDir: "x", Now: today()}, "no HTTP client"},
		"no time":   {Options{CacheDir: "x", HTTP: http.DefaultClient}, "not the time"},
		"no open":   {Options{Files: []string{"x"}}, "nothing to open them with"},
		"mirror of an unknown root": {Options{Mirrors: map[string]string{"acme": "https://tuf.example"}},
			`the root "acme", which is not refreshed`},
		"mirror that is no URL": {Options{Mirrors: map[string]string{GitHub: "tuf.example"}}, `"tuf.example"; expected the URL`},
		"mirror in a file":      {Options{Mirrors: map[string]string{GitHub: "file:///x"}}, "expected the URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, _, err := Load(context.Background(), row.o)
			if err == nil || set != nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("set %v, error %v, want %q", set, err, row.want)
			}
		})
	}
}

func TestMirrorOption(t *testing.T) {
	t.Parallel()
	h := build(t)
	h.options.Mirrors = map[string]string{Sigstore: h.mirror.URL + "/"}
	h.instance.mirror = "http://127.0.0.1:1"
	r, _ := h.load(0)
	h.wantRoot(r, h.repo.content)
}
