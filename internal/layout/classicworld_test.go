package layout

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signatus-dev/signatus/internal/attestation"
	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// classicNow is when the tests judge; their layouts end in 2040.
func classicNow() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

// classicKey is one of the tests' people.
func classicKey(t testing.TB, name string) *attestationtest.ClassicKey {
	t.Helper()
	key, err := attestationtest.NewClassicKey("classic layouts", name, attestationtest.ClassicEd25519)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// classicWorld is a layout and links that satisfy it: alice writes foo in step
// src, bob makes bin of it in step build. A test changes one thing and signs it.
type classicWorld struct {
	t                       testing.TB
	owner, alice, bob, carl *attestationtest.ClassicKey

	layout attestationtest.ClassicLayout
	// editLayout changes the layout's JSON, and replace its text, before it is
	// signed.
	editLayout func(map[string]any)
	replace    []string
	sign       attestationtest.ClassicRequest // Keys, Format and Break
	links      map[string]*signedLink         // by file name without .link; "a/b" lies in a folder
	in         ClassicInput
}

// signedLink is a file in the folder of links: a link, or what text says.
type signedLink struct {
	link attestationtest.ClassicLink
	edit func(map[string]any)
	text []byte // in place of the link's JSON
	file []byte // in place of all
	sign attestationtest.ClassicRequest
}

func newClassicWorld(t testing.TB) *classicWorld {
	t.Helper()
	w := &classicWorld{t: t, owner: classicKey(t, "owner"), alice: classicKey(t, "alice"), bob: classicKey(t, "bob"), carl: classicKey(t, "carl")}
	w.layout = attestationtest.ClassicLayout{
		Keys: []*attestationtest.ClassicKey{w.alice, w.bob, w.carl},
		Steps: []attestationtest.ClassicStep{
			{Name: "src", ExpectedProducts: []string{"CREATE foo", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{w.alice}},
			{Name: "build", ExpectedMaterials: []string{"MATCH foo WITH PRODUCTS FROM src", "DISALLOW *"}, ExpectedProducts: []string{"CREATE bin", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{w.bob}},
		},
	}
	w.sign.Keys = []*attestationtest.ClassicKey{w.owner}
	w.links = map[string]*signedLink{
		"src." + w.alice.ID[:8]: {link: attestationtest.ClassicLink{Name: "src", Products: map[string]string{"foo": "good"}}, sign: by(w.alice)},
		"build." + w.bob.ID[:8]: {link: attestationtest.ClassicLink{Name: "build", Materials: map[string]string{"foo": "good"}, Products: map[string]string{"bin": "binary"}}, sign: by(w.bob)},
	}
	w.in = ClassicInput{Name: "root.layout", Keys: []attestation.InTotoKey{inTotoKey(t, w.owner)}, Now: classicNow()}
	return w
}

func by(keys ...*attestationtest.ClassicKey) attestationtest.ClassicRequest {
	return attestationtest.ClassicRequest{Keys: keys}
}

func inTotoKey(t testing.TB, key *attestationtest.ClassicKey) attestation.InTotoKey {
	t.Helper()
	parsed, err := attestation.ParseInTotoKey(attestationtest.EncodeClassic(key.JSON()))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func (w *classicWorld) src() *signedLink   { return w.links["src."+w.alice.ID[:8]] }
func (w *classicWorld) build() *signedLink { return w.links["build."+w.bob.ID[:8]] }

// check signs everything and judges it.
func (w *classicWorld) check() *ClassicResult {
	w.t.Helper()
	in := w.input()
	return CheckClassic(in)
}

func (w *classicWorld) input() ClassicInput {
	w.t.Helper()
	in := w.in
	text := w.layoutText()
	var refused *attestation.Refusal
	if in.Layout, refused = attestation.ReadEnvelope("root.layout", signClassic(w.t, text, w.sign)); refused != nil {
		w.t.Fatal(refused)
	}
	if in.Links == nil {
		in.Links = w.folder()
	}
	return in
}

func (w *classicWorld) layoutText() []byte {
	document := w.layout.JSON()
	if w.editLayout != nil {
		w.editLayout(document)
	}
	return []byte(strings.NewReplacer(w.replace...).Replace(string(attestationtest.EncodeClassic(document))))
}

func signClassic(t testing.TB, text []byte, request attestationtest.ClassicRequest) []byte {
	t.Helper()
	request.Signed = text
	file, err := attestationtest.SignClassic(request)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// folder writes the links as evidence.Links would find them.
func (w *classicWorld) folder() *attestation.LinkFolder {
	w.t.Helper()
	root := newFolder("links")
	for _, path := range slices.Sorted(maps.Keys(w.links)) {
		folder, name := root, path
		for {
			dir, rest, nested := strings.Cut(name, "/")
			if !nested {
				break
			}
			if folder.Folders[dir] == nil {
				folder.Folders[dir] = newFolder(dir)
			}
			folder, name = folder.Folders[dir], rest
		}
		file := attestation.LinkFile{Name: name}
		file.Envelope, file.Refused = attestation.ReadEnvelope(path+".link", w.links[path].bytes(w.t))
		folder.Files = append(folder.Files, file)
	}
	return root
}

func newFolder(path string) *attestation.LinkFolder {
	return &attestation.LinkFolder{Path: path, Folders: map[string]*attestation.LinkFolder{}}
}

func (l *signedLink) bytes(t testing.TB) []byte {
	t.Helper()
	if l.file != nil {
		return l.file
	}
	text := l.text
	if text == nil {
		document := l.link.JSON()
		if l.edit != nil {
			l.edit(document)
		}
		text = attestationtest.EncodeClassic(document)
	}
	return signClassic(t, text, l.sign)
}

// firstStep is the first step in a layout's JSON.
func firstStep(document map[string]any) map[string]any {
	return document["steps"].([]any)[0].(map[string]any)
}

// ids lists the findings of a verdict, and the reasons of what did not count.
func idsOf(v verdict.Verdict) []verdict.ID {
	var ids []verdict.ID
	for _, f := range v.Findings {
		ids = append(ids, f.ID)
	}
	for _, e := range v.Evidence {
		if e.Reason != nil {
			ids = append(ids, e.Reason.ID)
		}
	}
	return ids
}

// hold is one row: what is changed, and what must come of it. Without a finding
// it is allowed.
type classicRow struct {
	name    string
	change  func(w *classicWorld)
	finding verdict.ID
}

func (row classicRow) hold(t *testing.T) {
	t.Helper()
	w := newClassicWorld(t)
	row.change(w)
	v := w.check().Verdict(nil)
	ids := idsOf(v)
	switch {
	case row.finding == "" && !v.Allowed():
		t.Errorf("denied: %v\n%s", ids, describeAll(v))
	case row.finding != "" && v.Allowed():
		t.Errorf("allowed, expected %s", row.finding)
	case row.finding != "" && !slices.Contains(ids, row.finding):
		t.Errorf("%v, expected %s\n%s", ids, row.finding, describeAll(v))
	}
}

func holdAll(t *testing.T, rows []classicRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.hold(t)
		})
	}
}
