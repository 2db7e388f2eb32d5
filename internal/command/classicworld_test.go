package command_test

import (
	"cmp"
	"strings"
	"time"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// addClassic puts a layout of in-toto 1.0 and its links into the folder classic:
// alice writes app.py, bob packs it into the file app. The layout's owner signs
// with a key of her own.
func (w world) addClassic() error {
	people := map[string]*attestationtest.ClassicKey{}
	for _, name := range []string{"owner", "alice", "bob", "mallory"} {
		key, err := attestationtest.NewClassicKey("the world of internal/command", name, attestationtest.ClassicEd25519)
		if err != nil {
			return err
		}
		people[name] = key
		w["classic/"+name+".json"] = attestationtest.EncodeClassic(key.JSON())
		if w["classic/"+name+".pub"], err = key.PEM(); err != nil {
			return err
		}
	}
	layout := attestationtest.ClassicLayout{
		Expires: expiry().Format(time.RFC3339),
		Keys:    []*attestationtest.ClassicKey{people["alice"], people["bob"]},
		Steps: []attestationtest.ClassicStep{
			{Name: "write", ExpectedMaterials: []string{"DISALLOW *"}, ExpectedProducts: []string{"CREATE {source}", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{people["alice"]}},
			{Name: "pack", ExpectedMaterials: []string{"MATCH {source} WITH PRODUCTS FROM write", "DISALLOW *"}, ExpectedProducts: []string{"CREATE app", "DISALLOW *"}, Functionaries: []*attestationtest.ClassicKey{people["bob"]}},
		},
	}
	source := map[string]string{"app.py": "print()\n"}
	wrote := attestationtest.ClassicLink{Name: "write", Products: source}
	packed := attestationtest.ClassicLink{Name: "pack", Materials: source, Products: map[string]string{"app": appText}, Command: []string{"pack"}}
	odd := layout.JSON()
	odd["x-note"] = "not in the specification"
	old := layout
	old.Expires = "2026-01-01T00:00:00Z"
	for _, file := range []struct {
		name string
		json map[string]any
		key  string
	}{
		{"root.layout", layout.JSON(), "owner"},
		{"dsse.layout", layout.JSON(), "owner"},
		{"unsigned.layout", layout.JSON(), ""},
		{"old.layout", old.JSON(), "owner"},
		{"odd.layout", odd, "owner"},
		{"links/write.alice.link", wrote.JSON(), "alice"},
		{"links/pack.bob.link", packed.JSON(), "bob"},
		{"forged/pack.bob.link", packed.JSON(), "mallory"},
		{"renamed/pack.bob.link", attestationtest.ClassicLink{Name: "write", Products: map[string]string{"app": appText}}.JSON(), "bob"},
		{"changed/pack.bob.link", attestationtest.ClassicLink{Name: "pack", Materials: map[string]string{"app.py": "evil\n"}, Products: map[string]string{"app": appText}}.JSON(), "bob"},
	} {
		request := attestationtest.ClassicRequest{Signed: attestationtest.EncodeClassic(file.json), Keys: []*attestationtest.ClassicKey{people[cmp.Or(file.key, "owner")]}}
		if file.key == "" {
			request.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakUnsigned}
		}
		if strings.HasPrefix(file.name, "dsse") {
			request.Format = attestationtest.ClassicDSSE
		}
		signed, err := attestationtest.SignClassic(request)
		if err != nil {
			return err
		}
		w["classic/"+file.name] = signed
	}
	for _, dir := range []string{"forged", "renamed", "changed"} {
		w["classic/"+dir+"/write.alice.link"] = w["classic/links/write.alice.link"]
	}
	w["classic/twice.layout"] = []byte(strings.Replace(string(w["classic/root.layout"]), `"threshold": 1`, `"threshold": 1, "threshold": 0`, 1))
	return nil
}
