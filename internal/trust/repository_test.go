package trust

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// repository is a real TUF repository: four ed25519 keys, consistent snapshots,
// and whatever a test does to it.
type repository struct {
	t       *testing.T
	keys    map[string]ed25519.PrivateKey
	expires time.Time
	version map[string]int64
	content []byte // the trusted root
	first   []byte // 1.root.json
	root    *metadata.Metadata[metadata.RootType]
	files   map[string][]byte // by path
}

// today is the time of the tests; nothing in them reads the clock.
func today() time.Time { return time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC) }

func newRepository(t *testing.T, content []byte) *repository {
	t.Helper()
	r := &repository{
		t:       t,
		keys:    map[string]ed25519.PrivateKey{},
		expires: today().AddDate(0, 0, 7),
		version: map[string]int64{},
		content: content,
		files:   map[string][]byte{},
	}
	r.root = metadata.Root(today().AddDate(1, 0, 0))
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		r.newKey(role)
	}
	r.sign(r.root, "root")
	r.first = r.bytes(r.root)
	r.publish()
	return r
}

// newKey gives a role another key, and takes the old one away from it.
func (r *repository) newKey(role string) {
	r.t.Helper()
	if old := r.root.Signed.Roles[role].KeyIDs; len(old) > 0 {
		if err := r.root.Signed.RevokeKey(old[0], role); err != nil {
			r.t.Fatal(err)
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	key, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.root.Signed.AddKey(key, role); err != nil {
		r.t.Fatal(err)
	}
	r.keys[role] = private
}

// rotate publishes the next root, with new keys for those roles.
func (r *repository) rotate(roles ...string) {
	r.t.Helper()
	oldRootKey := r.keys["root"]
	for _, role := range roles {
		r.newKey(role)
	}
	r.root.Signed.Version++
	r.root.ClearSignatures()
	r.signWith(r.root, oldRootKey)
	if !oldRootKey.Equal(r.keys["root"]) {
		r.signWith(r.root, r.keys["root"])
	}
	r.files[fmt.Sprintf("%d.root.json", r.root.Signed.Version)] = r.bytes(r.root)
}

// publish makes a new version of everything below the root.
func (r *repository) publish() {
	r.t.Helper()
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		r.version[role]++
	}
	r.republish()
}

// republish makes everything below the root with the versions that are set.
func (r *repository) republish() {
	r.t.Helper()
	targets := metadata.Targets(r.expires.AddDate(1, 0, 0))
	targets.Signed.Version = r.version["targets"]
	file, err := metadata.TargetFile().FromBytes(targetName, r.content, "sha256")
	if err != nil {
		r.t.Fatal(err)
	}
	targets.Signed.Targets[targetName] = file
	r.publishTargets(targets)
	sum := sha256.Sum256(r.content)
	r.files["targets/"+hex.EncodeToString(sum[:])+"."+targetName] = r.content
}

func (r *repository) publishTargets(targets *metadata.Metadata[metadata.TargetsType]) {
	r.t.Helper()
	r.sign(targets, "targets")
	r.files[fmt.Sprintf("%d.targets.json", targets.Signed.Version)] = r.bytes(targets)

	snapshot := metadata.Snapshot(r.expires)
	snapshot.Signed.Version = r.version["snapshot"]
	snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets.Signed.Version)
	r.sign(snapshot, "snapshot")
	r.files[fmt.Sprintf("%d.snapshot.json", snapshot.Signed.Version)] = r.bytes(snapshot)

	timestamp := metadata.Timestamp(r.expires)
	timestamp.Signed.Version = r.version["timestamp"]
	timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot.Signed.Version)
	r.sign(timestamp, "timestamp")
	r.files["timestamp.json"] = r.bytes(timestamp)
}

type signed interface {
	Sign(signature.Signer) (*metadata.Signature, error)
	ToBytes(pretty bool) ([]byte, error)
}

func (r *repository) sign(m signed, role string) { r.t.Helper(); r.signWith(m, r.keys[role]) }

func (r *repository) signWith(m signed, key ed25519.PrivateKey) {
	r.t.Helper()
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := m.Sign(signer); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) bytes(m signed) []byte {
	r.t.Helper()
	data, err := m.ToBytes(true)
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// mirror serves a repository, or lies about it. It counts.
type mirror struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	lie   func(w http.ResponseWriter, req *http.Request, path string) bool // true: answered
	asked []string
}

func serve(t *testing.T, r *repository) *mirror {
	t.Helper()
	m := &mirror{}
	m.offer(r)
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

// offer makes the mirror serve the repository as it is now.
func (m *mirror) offer(r *repository) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files = map[string][]byte{}
	for path, data := range r.files {
		m.files[path] = data
	}
}

func (m *mirror) set(path string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data == nil {
		delete(m.files, path)
		return
	}
	m.files[path] = data
}

// requests returns what was asked since the last call.
func (m *mirror) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	path := strings.TrimPrefix(req.URL.Path, "/")
	m.mu.Lock()
	m.asked = append(m.asked, path)
	data, ok := m.files[path]
	lie := m.lie
	m.mu.Unlock()
	switch {
	case lie != nil && lie(w, req, path):
	case ok:
		w.Write(data)
	default:
		http.NotFound(w, req)
	}
}

// madeRoot is a trusted root that no other call returns.
func madeRoot(t testing.TB, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name, Organization: []string{name}},
		NotBefore:             start,
		NotAfter:              start.AddDate(10, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	id := sha256.Sum256(spki)
	logs := map[string]*root.TransparencyLog{hex.EncodeToString(id[:]): {
		BaseURL: "https://rekor.example", ID: id[:], HashFunc: crypto.SHA256, SignatureHashFunc: crypto.SHA256,
		PublicKey: key.Public(), ValidityPeriodStart: start,
	}}
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: cert, ValidityPeriodStart: start, URI: "https://fulcio.example"}},
		logs, nil, logs)
	if err != nil {
		t.Fatal(err)
	}
	data, err := tr.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// house is one instance with its repository, mirror and cache folder.
type house struct {
	*testing.T
	repo     *repository
	mirror   *mirror
	instance instance
	options  Options
}

// build makes a house whose embedded root is one day old and whose repository
// offers another one.
func build(t *testing.T) *house {
	t.Helper()
	repo := newRepository(t, madeRoot(t, "offered"))
	m := serve(t, repo)
	i := instance{
		name:     Sigstore,
		mirror:   m.URL,
		material: madeRoot(t, "embedded"),
		date:     today().AddDate(0, 0, -1).Truncate(24 * time.Hour),
		targets:  1,
		tufRoot:  repo.first,
	}
	return &house{t, repo, m, i, Options{CacheDir: filepath.Join(t.TempDir(), "signatus"), HTTP: m.Client(), Now: today(), Budget: 30 * time.Second}}
}

// load loads the one root, and demands that there are as many warnings.
func (h *house) load(warnings int) (Root, []Warning) {
	h.Helper()
	o := h.options
	o.instances = []instance{h.instance}
	set, w, err := Load(context.Background(), o)
	if err != nil {
		h.Fatal(err)
	}
	if len(set) != 1 {
		h.Fatalf("%d roots, want 1", len(set))
	}
	if len(w) != warnings {
		h.Fatalf("%d warnings, want %d: %v", len(w), warnings, w)
	}
	for _, w := range w {
		if w.Root != Sigstore || w.Err == nil || w.Using != set[0].Source || w.Next == "" {
			h.Errorf("incomplete warning: %+v", w)
		}
	}
	return set[0], w
}

// wantRoot demands that r is the trusted root with these bytes, and usable.
func (h *house) wantRoot(r Root, content []byte) {
	h.Helper()
	if r.SHA256 != digest(content) {
		h.Errorf("root in use is %s; want another", r.Source)
	}
	if r.Material == nil || len(r.Material.FulcioCertificateAuthorities()) == 0 {
		h.Error("root in use has no certificate authority")
	}
}

// cacheFiles returns the files of the cache folder with their bytes.
func (h *house) cacheFiles() map[string]string {
	h.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(h.options.CacheDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.Ext(path)] = string(data)
		if !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".tried") {
			h.Errorf("left in the cache: %s", path)
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return files
}

func (h *house) store() cache { return h.instance.cacheOf(h.options.CacheDir) }

// edit changes the cached record as anybody could who can write there.
func (h *house) edit(change func(*record)) {
	h.Helper()
	rec, err := h.store().read()
	if err != nil {
		h.Fatal(err)
	}
	change(&rec)
	if err := h.store().write(rec); err != nil {
		h.Fatal(err)
	}
}

// tomorrow lets a day pass.
func (h *house) tomorrow() { h.options.Now = h.options.Now.Add(RefreshEvery) }

// jsonEdit changes one JSON document.
func jsonEdit(t testing.TB, data []byte, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
