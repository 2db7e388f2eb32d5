package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// route is one operation.
type route struct {
	method, path string
	do           func(*GitHub, *visit)
	// needs is the permission that it takes, and how; of a public repository anybody may
	// read.
	what, how string
}

func routes() []route {
	return []route{
		{http.MethodGet, repositoryPath, (*GitHub).repository, "contents", "read"},
		{http.MethodPost, attestationsPath, (*GitHub).createAttestation, "attestations", "write"},
		{http.MethodGet, subjectPath, (*GitHub).listAttestations, "attestations", "read"},
		{http.MethodGet, releasesPath, (*GitHub).listReleases, "contents", "read"},
		{http.MethodGet, tagPath, (*GitHub).releaseByTag, "contents", "read"},
		{http.MethodPost, uploadPath, (*GitHub).uploadAsset, "contents", "write"},
		{http.MethodGet, assetPath, (*GitHub).asset, "contents", "read"},
	}
}

// visit is one request on its way.
type visit struct {
	http.ResponseWriter
	exchange
	body       []byte
	name       string
	at         *Repository
	permission Permissions
}

// serve answers the API. The exchange is held to the description before it is sent.
func (g *GitHub) serve(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note(r, false)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Errorf("reading a request: %v", err)
	}
	taken := httptest.NewRecorder()
	taken.Header().Set("Content-Type", "application/json; charset=utf-8")
	v := &visit{ResponseWriter: taken, body: body}
	chosen := match(v, r)
	fault := g.fault(r)
	switch {
	case chosen == nil:
		v.refuse(http.StatusNotFound, "Not Found")
	case fault == nil || fault.Lost:
		g.do(v, chosen)
	}
	if fault != nil {
		taken = httptest.NewRecorder()
		taken.Header().Set("Content-Type", "application/json; charset=utf-8")
		maps.Copy(taken.Header(), fault.Header)
		taken.WriteHeader(fault.Status)
		taken.Body.WriteString(fault.Body)
	}
	if chosen == nil {
		g.t.Errorf("%s %s is no request that a client should make", r.Method, r.URL)
	} else if err := g.spec.holds(v.exchange, body, taken); err != nil {
		what, _, _ := strings.Cut(err.Error(), "\n") // and then the whole schema
		g.t.Errorf("%s %s: %s", r.Method, r.URL, what)
	}
	maps.Copy(w.Header(), taken.Header())
	w.WriteHeader(taken.Code)
	_, _ = w.Write(taken.Body.Bytes())
}

// match finds the operation of a request.
func match(v *visit, r *http.Request) *route {
	for _, candidate := range routes() {
		if candidate.method != r.Method {
			continue
		}
		if parameters, ok := fits(candidate.path, strings.TrimPrefix(r.URL.Path, "/uploads")); ok {
			v.exchange = exchange{request: r, path: candidate.path, parameters: parameters}
			return &candidate
		}
	}
	return nil
}

// fits holds a path against one with parameters, of which the last may have slashes.
func fits(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	if len(got) > len(want) && strings.HasSuffix(pattern, "}") && len(want) > 3 {
		got = append(got[:len(want)-1:len(want)-1], strings.Join(got[len(want)-1:], "/"))
	}
	if len(want) != len(got) {
		return nil, false
	}
	parameters := map[string]string{}
	for i, w := range want {
		if name, ok := strings.CutPrefix(w, "{"); ok {
			parameters[strings.TrimSuffix(name, "}")] = got[i]
		} else if w != got[i] {
			return nil, false
		}
	}
	return parameters, true
}

// do lets in who may, and has the operation carried out.
func (g *GitHub) do(v *visit, chosen *route) {
	token, given := strings.CutPrefix(v.request.Header.Get("Authorization"), "Bearer ")
	permission, known := g.tokens[token]
	if given && !known {
		v.refuse(http.StatusUnauthorized, "Bad credentials")
		return
	}
	v.permission = permission
	v.name = v.parameters["owner"] + "/" + v.parameters["repo"]
	v.at = g.repositories[v.name]
	reads := chosen.how == "read"
	switch {
	case v.at == nil, v.at.Private && !permission.allow("contents", "read"):
		v.refuse(http.StatusNotFound, "Not Found")
	case !given && !reads:
		v.refuse(http.StatusUnauthorized, "Requires authentication")
	case (v.at.Private || !reads) && !permission.allow(chosen.what, chosen.how):
		v.Header().Set("X-Accepted-GitHub-Permissions", chosen.what+"="+chosen.how)
		v.refuse(http.StatusForbidden, "Resource not accessible by integration")
	default:
		chosen.do(g, v)
	}
}

// answer writes a JSON document.
func (v *visit) answer(status int, document any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		status = http.StatusInternalServerError
	}
	v.WriteHeader(status)
	_, _ = v.Write(b.Bytes())
}

// refuse writes one of GitHub's errors.
func (v *visit) refuse(status int, message string, mistakes ...map[string]string) {
	v.answer(status, refusal(status, message, mistakes...))
}

func refusal(status int, message string, mistakes ...map[string]string) map[string]any {
	document := map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)}
	if len(mistakes) > 0 {
		document["errors"] = mistakes
	}
	return document
}

// Refusal is the body of one of GitHub's errors, for a [Fault].
func Refusal(status int, message string, mistakes ...map[string]string) string {
	data, err := json.Marshal(refusal(status, message, mistakes...))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// page cuts a list as per_page asks, and links to the next page as GitHub does.
func (g *GitHub) page(v *visit, cursor string, length int) (from, to int) {
	query := v.request.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 || size > 100 {
		size = 30
	}
	if g.PageSize > 0 {
		size = min(size, g.PageSize)
	}
	if at, err := strconv.Atoi(strings.TrimPrefix(query.Get(cursor), "cursor-")); err == nil {
		from = at
		if cursor == "page" {
			from = (at - 1) * size
		}
	}
	from = min(max(0, from), length)
	to = min(from+size, length)
	if to < length {
		next := fmt.Sprintf("cursor-%d", to)
		if cursor == "page" {
			next = strconv.Itoa(to/size + 1)
		}
		query.Set(cursor, next)
		// Where GitHub sends one on is its own business: a client follows the cursor.
		v.Header().Set("Link", fmt.Sprintf(`<https://api.github.com/repositories/1296269%s?%s>; rel="next"`, v.request.URL.Path, query.Encode()))
	}
	return from, to
}
