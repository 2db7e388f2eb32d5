package gitrepo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithin has a workspace ws, a folder beside it, and links between and within
// the two. The same holds where the workspace is named by a link to it.
func TestWithin(t *testing.T) {
	t.Parallel()
	top := realTemp(t)
	for _, file := range []string{"ws/layouts/a.yml", "beside/b.yml", "ws-not/c.yml", "beside/deep/er/d.yml"} {
		write(t, filepath.Join(top, file), "")
	}
	for link, target := range map[string]string{
		"ws/here": ".", "ws/out": "../beside", "ws/evil": "layouts", "ws2": "ws",
		"beside/to-ws": "../ws", "beside/to-file": "../ws/layouts/a.yml", "beside/to-evil": "../ws/evil/a.yml",
		"beside/to-layouts": filepath.Join(top, "ws/layouts"), "beside/to-to-file": "to-file", "beside/loop": "loop",
		"beside/deep/up": "er/../../../ws", "beside/dangling": "../ws/gone/e.yml", "beside/nowhere": "../gone",
	} {
		if err := os.Symlink(target, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	const outside = ""
	for path, want := range map[string]string{
		"ws/layouts/a.yml":                     "layouts/a.yml",
		"ws/layouts/gone.yml":                  "layouts/gone.yml",
		"ws/gone/gone.yml":                     "gone/gone.yml",
		"ws":                                   ".",
		"ws/":                                  ".",
		"ws/./layouts//a.yml":                  "layouts/a.yml",
		"ws/gone/../layouts/a.yml":             "layouts/a.yml",
		"beside/../ws/layouts/a.yml":           "layouts/a.yml",
		"ws/here/layouts/a.yml":                "here/layouts/a.yml", // as written: a change can make links
		"ws/evil/a.yml":                        "evil/a.yml",
		"ws/out/b.yml":                         "out/b.yml",
		"ws/..a":                               "..a",
		"ws2/layouts/a.yml":                    "layouts/a.yml",
		"ws2/gone.yml":                         "gone.yml",
		"beside/to-ws/layouts/a.yml":           "layouts/a.yml",
		"beside/to-ws/here/layouts/a.yml":      "here/layouts/a.yml",
		"beside/to-file":                       "layouts/a.yml",
		"beside/to-to-file":                    "layouts/a.yml",
		"beside/to-layouts/a.yml":              "layouts/a.yml",
		"beside/to-layouts/gone.yml":           "layouts/gone.yml",
		"beside/to-evil":                       "evil/a.yml", // not layouts/a.yml
		"beside/dangling":                      "gone/e.yml",
		"beside/deep/up/layouts/a.yml":         "layouts/a.yml",
		"beside/to-layouts/../layouts/a":       "layouts/a", // "..": the system goes up in ws, not in beside
		"beside/to-ws/layouts/../../ws/a":      "a",
		"beside/to-layouts/../../beside/b":     outside,
		"ws/out/../../gone":                    "!leads out again through the symbolic link",
		"ws/layouts/../out/../../beside/b.yml": "!leads out again through the symbolic link",
		"beside/loop":                          "!too many symbolic links",
		"beside/loop/a.yml":                    "!too many symbolic links",
		"beside/b.yml/../../ws-not":            outside,
		"beside/b.yml":                         outside,
		"beside/gone.yml":                      outside,
		"beside/nowhere":                       outside,
		"beside/nowhere/a.yml":                 outside,
		"beside/deep/er/d.yml":                 outside,
		"ws-not/c.yml":                         outside,
		"ws-not":                               outside,
		"":                                     outside,
		"ws/../beside/b.yml":                   outside,
		"ws/layouts/../../ws-not/c.yml":        outside,
		"beside/deep/er/../../../ws/x.yml":     "x.yml",
		"beside/deep/er/../../b.yml":           outside,
		"beside/to-ws/../ws-not/c.yml":         outside,
		"beside/to-ws/../ws/layouts/a.yml":     "layouts/a.yml",
		"../" + filepath.Base(top) + "/ws/x":   "x",
	} {
		for _, folder := range []string{"ws", "ws2", "beside/to-ws"} {
			got, ok, err := Within(filepath.Join(top, folder), top+"/"+path)
			if words, refused := strings.CutPrefix(want, "!"); refused {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%s in %s: got %v, expected %q", path, folder, err, words)
				}
				continue
			}
			if err != nil || ok != (want != outside) {
				t.Errorf("%s in %s: got %q, %t, %v; expected %q", path, folder, got, ok, err, want)
			}
			if folder == "ws" && got != want {
				t.Errorf("%s in %s: got %q, expected %q", path, folder, got, want)
			}
		}
	}
	// As it is written it lies in ws, though the system would open elsewhere/ws.
	write(t, filepath.Join(top, "elsewhere/ws/a.yml"), "")
	write(t, filepath.Join(top, "elsewhere/b/c/d"), "")
	if err := os.Symlink("../elsewhere/b/c", filepath.Join(top, "beside/far")); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := Within(filepath.Join(top, "ws"), top+"/beside/far/../../ws/a.yml"); got != "a.yml" || !ok || err != nil {
		t.Errorf("got %q, %t, %v", got, ok, err)
	}
	if _, _, err := Within(filepath.Join(top, "gone"), top); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, expected an error for a folder that does not exist", err)
	}
}

// TestWithinRelative names a file as one does in a shell.
func TestWithinRelative(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"within_test.go": "gitrepo/within_test.go", "./gone": "gitrepo/gone", "../command": "command", "": "gitrepo", "../../go.mod": "",
	} {
		got, ok, err := Within(filepath.Dir(here), path)
		if err != nil || got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t, %v; expected %q", path, got, ok, err, want)
		}
	}
	if got, ok, err := Within("..", "within_test.go"); got != "gitrepo/within_test.go" || !ok || err != nil {
		t.Errorf("got %q, %t, %v", got, ok, err)
	}
}

func TestAlong(t *testing.T) {
	t.Parallel()
	ws := handMade(t)
	inner := filepath.Join(ws, "a/inner")
	write(t, filepath.Join(inner, ".git"), "gitdir: "+filepath.Join(handMade(t), ".git")+"\n")
	write(t, filepath.Join(ws, "a/x"), "")
	if err := os.Symlink(handMade(t), filepath.Join(ws, "linked")); err != nil {
		t.Fatal(err)
	}
	type place struct{ root, path string }
	for _, tc := range []struct {
		folder, rel string
		want        []place
	}{
		{ws, "a/x", []place{{ws, "a/x"}}},
		{ws, "gone/x", []place{{ws, "gone/x"}}},
		{ws, "a/inner/x", []place{{ws, "a/inner/x"}, {inner, "x"}}},
		{ws, "a/inner", []place{{ws, "a/inner"}}},
		{ws, "linked/x", []place{{ws, "linked/x"}}}, // a change can make links
		{filepath.Join(ws, "a"), "x", []place{{ws, "a/x"}}},
		{filepath.Join(ws, "a"), "inner/x", []place{{inner, "x"}}},
	} {
		places, err := Along(tc.folder, tc.rel)
		if err != nil || len(places) != len(tc.want) {
			t.Errorf("%s in %s: got %d places, %v", tc.rel, tc.folder, len(places), err)
			continue
		}
		for i, want := range tc.want {
			if got := (place{places[i].Repository.root, places[i].Path}); got != want {
				t.Errorf("%s in %s: got %v, expected %v", tc.rel, tc.folder, got, want)
			}
		}
	}
	if _, err := Along(realTemp(t), "x"); !errors.Is(err, ErrNoRepository) {
		t.Errorf("got %v, expected no repository", err)
	}
	write(t, filepath.Join(ws, "broken/.git"), "garbage")
	if _, err := Along(ws, "broken/x"); err == nil {
		t.Error("a broken pointer on the way is overlooked")
	}
}

// TestAlongIgnoresPlantedRepositories has a folder of a change that looks like a
// bare repository. It must not become the root that paths are counted from.
func TestAlongIgnoresPlantedRepositories(t *testing.T) {
	t.Parallel()
	ws := handMade(t)
	planted := filepath.Join(ws, "layouts")
	write(t, filepath.Join(planted, "HEAD"), "ref: refs/heads/main\n")
	write(t, filepath.Join(planted, "objects/keep"), "")
	write(t, filepath.Join(planted, "refs/keep"), "")
	places, err := Along(ws, "layouts/x.yml")
	if err != nil || len(places) != 1 || places[0].Path != "layouts/x.yml" || places[0].Repository.root != ws {
		t.Errorf("got %v, %v", places, err)
	}
}
