package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Publish adds a release with its assets.
func (g *GitHub) Publish(r *Repository, release Release) *Release {
	g.mu.Lock()
	defer g.mu.Unlock()
	release.ID = g.nextID()
	for i := range release.Assets {
		release.Assets[i].ID = g.nextID()
	}
	r.Releases = append(r.Releases, &release)
	return &release
}

// Asset gives an asset's content.
func (r *Release) Asset(name string) ([]byte, bool) {
	for _, a := range r.Assets {
		if a.Name == name {
			return a.Data, true
		}
	}
	return nil, false
}

func (g *GitHub) listReleases(v *visit) {
	var visible []*Release
	for _, r := range v.at.Releases {
		if !r.Draft || v.permission.allow("contents", "write") {
			visible = append(visible, r)
		}
	}
	from, to := g.page(v, "page", len(visible))
	list := []any{}
	for _, r := range visible[from:to] {
		list = append(list, g.describe(v.name, r))
	}
	v.answer(http.StatusOK, list)
}

func (g *GitHub) releaseByTag(v *visit) {
	for _, r := range v.at.Releases {
		if r.Tag == v.parameters["tag"] && !r.Draft {
			v.answer(http.StatusOK, g.describe(v.name, r))
			return
		}
	}
	v.refuse(http.StatusNotFound, "Not Found")
}

func (g *GitHub) uploadAsset(v *visit) {
	name := rename(v.request.URL.Query().Get("name"))
	for _, r := range v.at.Releases {
		if strconv.FormatInt(r.ID, 10) != v.parameters["release_id"] {
			continue
		}
		if r.Immutable && !r.Draft {
			v.refuse(http.StatusUnprocessableEntity, "Cannot upload assets to an immutable release.")
			return
		}
		for _, a := range r.Assets {
			if strings.EqualFold(a.Name, name) {
				v.refuse(http.StatusUnprocessableEntity, "Validation Failed", map[string]string{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"})
				return
			}
		}
		a := Asset{ID: g.nextID(), Name: name, Data: v.body}
		r.Assets = append(r.Assets, a)
		v.answer(http.StatusCreated, g.describeAsset(v.name, r.Tag, a))
		return
	}
	v.refuse(http.StatusNotFound, "Not Found")
}

// rename does what GitHub does to a name: "GitHub renames asset filenames that have
// special characters, non-alphanumeric characters, and leading or trailing periods."
func rename(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+@~", r) {
			return r
		}
		return '.'
	}, name), ".")
}

func (g *GitHub) asset(v *visit) {
	for _, r := range v.at.Releases {
		for _, a := range r.Assets {
			if strconv.FormatInt(a.ID, 10) != v.parameters["asset_id"] {
				continue
			}
			if v.request.Header.Get("Accept") != "application/octet-stream" {
				v.answer(http.StatusOK, g.describeAsset(v.name, r.Tag, a))
				return
			}
			v.Header().Set("Location", g.keep(fmt.Sprintf("/assets/%d", a.ID), file{contentType: "application/octet-stream", data: a.Data}))
			v.WriteHeader(http.StatusFound)
			return
		}
	}
	v.refuse(http.StatusNotFound, "Not Found")
}

// example is one of the description's own.
func (d *Description) example(name string) any {
	e := d.document.Components.Examples[name]
	if e == nil || e.Value == nil {
		return nil
	}
	if object, ok := e.Value.Value.(map[string]any); ok {
		return maps.Clone(object)
	}
	return e.Value.Value
}

// describe is a release as GitHub's own example, with this one's particulars.
func (g *GitHub) describe(repository string, r *Release) any {
	document, ok := g.spec.example("release").(map[string]any)
	if !ok {
		return nil
	}
	assets := []any{}
	for _, a := range r.Assets {
		assets = append(assets, g.describeAsset(repository, r.Tag, a))
	}
	document["id"], document["tag_name"], document["draft"], document["immutable"], document["assets"] = r.ID, r.Tag, r.Draft, r.Immutable, assets
	document["html_url"] = "https://github.com/" + repository + "/releases/tag/" + r.Tag
	document["upload_url"] = fmt.Sprintf("%s/uploads/repos/%s/releases/%d/assets{?name,label}", g.URL, repository, r.ID)
	return document
}

func (g *GitHub) describeAsset(repository, tag string, a Asset) any {
	release, ok := g.spec.example("release").(map[string]any)
	if !ok {
		return nil
	}
	examples, ok := release["assets"].([]any)
	if !ok || len(examples) == 0 {
		return nil
	}
	example, ok := examples[0].(map[string]any)
	if !ok {
		return nil
	}
	document := maps.Clone(example)
	sum := sha256.Sum256(a.Data)
	document["digest"] = "sha256:" + hex.EncodeToString(sum[:])
	if a.Undigested {
		document["digest"] = nil
	}
	document["state"] = "uploaded"
	if a.Open {
		document["state"] = "open"
	}
	document["id"], document["name"], document["size"] = a.ID, a.Name, len(a.Data)
	document["url"] = fmt.Sprintf("%s/repos/%s/releases/assets/%d", g.URL, repository, a.ID)
	document["browser_download_url"] = fmt.Sprintf("https://github.com/%s/releases/download/%s/%s", repository, tag, a.Name)
	return document
}
