package command_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// classicScene is a supply chain under a signed layout of in-toto 1.0: two of
// three authors wrote the code, and the builder made dist/app from it.
type classicScene struct {
	t *testing.T
	classicTeam
	layout  attestationtest.ClassicLayout
	owners  []*attestationtest.ClassicKey
	links   []*classicPiece
	edit    func(string) string // of the layout's text, before the owner signs it
	app     string
	noKeys  bool   // the caller names no owner
	mark    string // a file that nothing may make
	files   map[string]string
	args    []string
	request attestationtest.ClassicRequest // format and breaks of the layout
}

// classicPiece is a link to be signed.
type classicPiece struct {
	by   []*attestationtest.ClassicKey
	link attestationtest.ClassicLink
	attestationtest.ClassicRequest
	file string              // its name, if not its step's and first signer's
	edit func(string) string // before it is signed
	// document is what is signed in place of the link.
	document map[string]any
}

// Where the untouched supply chain has its links.
const byAlice, byBob, byBuilder = 0, 1, 2

// onClassic plays on a supply chain with one thing changed.
func onClassic(change func(*classicScene)) play {
	return func(t *testing.T, dir string) []string {
		t.Helper()
		s := &classicScene{t: t, classicTeam: newClassicTeam(t), app: appText, files: map[string]string{}}
		s.owners = []*attestationtest.ClassicKey{s.owner}
		source := map[string]string{"src/main.go": "package main"}
		s.layout = attestationtest.ClassicLayout{
			Expires: "2027-03-01T00:00:00Z", Keys: []*attestationtest.ClassicKey{s.alice, s.bob, s.carol, s.builder},
			Steps: []attestationtest.ClassicStep{
				{Name: "write-code", Functionaries: []*attestationtest.ClassicKey{s.alice, s.bob, s.carol}, Threshold: 2, ExpectedProducts: []string{"CREATE src/*", "DISALLOW *"}},
				{
					Name: "build", Functionaries: []*attestationtest.ClassicKey{s.builder},
					ExpectedMaterials: []string{"REQUIRE src/main.go", "MATCH src/* WITH PRODUCTS FROM write-code", "DISALLOW *"},
					ExpectedProducts:  []string{"CREATE dist/*", "DISALLOW *"},
				},
			},
		}
		s.links = []*classicPiece{
			s.link(s.alice, "write-code", nil, source), s.link(s.bob, "write-code", nil, source),
			s.link(s.builder, "build", source, map[string]string{"dist/app": appText}),
		}
		if change != nil {
			change(s)
		}
		return s.write(dir)
	}
}

// link is one to be signed by its step's functionary.
func (s *classicScene) link(by *attestationtest.ClassicKey, step string, materials, products map[string]string) *classicPiece {
	return &classicPiece{by: []*attestationtest.ClassicKey{by}, link: attestationtest.ClassicLink{Name: step, Materials: materials, Products: products}}
}

func (s *classicScene) write(dir string) []string {
	s.t.Helper()
	links := filepath.Join(dir, "links")
	if err := os.Mkdir(links, 0o700); err != nil {
		s.t.Fatal(err)
	}
	for _, piece := range s.links {
		if piece.file == "" {
			piece.file = attestationtest.ClassicLinkName(piece.link.Name, piece.by[0])
		}
		piece.Keys = piece.by
		if piece.document == nil {
			piece.document = piece.link.JSON()
		}
		write(s.t, links, piece.file, s.sign(piece.ClassicRequest, piece.document, piece.edit))
	}
	writeAll(s.t, dir, s.files)
	s.request.Keys = s.owners
	args := []string{
		"verify", write(s.t, dir, "app", []byte(s.app)), "--link-dir", links, "--format", "json",
		"--layout", write(s.t, dir, "root.layout", s.sign(s.request, s.layout.JSON(), s.edit)),
	}
	if !s.noKeys {
		args = append(args, "--layout-key", write(s.t, dir, "owner.pub", s.pem(s.owner)))
	}
	return append(args, inFolder(dir, s.args)...)
}

func (s *classicScene) sign(request attestationtest.ClassicRequest, document map[string]any, edit func(string) string) []byte {
	s.t.Helper()
	text := string(attestationtest.EncodeClassic(document))
	if edit != nil {
		text = edit(text)
	}
	request.Signed = []byte(text)
	data, err := attestationtest.SignClassic(request)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *classicScene) pem(key *attestationtest.ClassicKey) []byte {
	s.t.Helper()
	public, err := key.PEM()
	if err != nil {
		s.t.Fatal(err)
	}
	return public
}

// certified is a functionary of whom an authority knows the SPIFFE id.
func (s *classicScene) certified(names ...string) (*attestationtest.ClassicAuthority, []*attestationtest.ClassicKey) {
	s.t.Helper()
	authority, err := attestationtest.NewClassicAuthority("the table of attacks", "authority", attackTime(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	var leaves []*attestationtest.ClassicKey
	for _, name := range names {
		leaf, err := authority.Issue(name, attestationtest.ClassicSubject{CommonName: "builder", URIs: []string{"spiffe://acme.example/builder"}})
		if err != nil {
			s.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	return authority, leaves
}

// swaps is an edit that replaces text which stands once.
func (s *classicScene) swaps(instead, text string) func(string) string {
	return func(whole string) string { return inPlace(s.t, whole, instead, text) }
}
