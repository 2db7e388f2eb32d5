package command_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signatus-dev/signatus/internal/githubtest"
)

// described is GitHub's description, read once for all tests.
var described = sync.OnceValues(githubtest.Load)

// hub gives each script a GitHub of its own, which GITHUB_API_URL names from the first
// of these on:
//
//	github repository OWNER/NAME [private]
//	github token SECRET [PERMISSION=read|write]...
//	github store OWNER/NAME FILE...          stores bundles as attestations
//	github release OWNER/NAME TAG FILE...    publishes a release; TAG may be draft:TAG
//	github detached                          keeps bundles elsewhere: bundle_url
//	github pages N                           has N attestations on a page
//	github fail TIMES METHOD PATH STATUS MESSAGE [HEADER=VALUE]...
//	github asked                             writes what it was asked for into asked
func hub(t *testing.T) func(*testscript.TestScript, bool, []string) {
	var mu sync.Mutex
	hubs := map[string]*scriptHub{} // by the script's folder
	return func(ts *testscript.TestScript, _ bool, args []string) {
		mu.Lock()
		defer mu.Unlock()
		folder := ts.Getenv("WORK")
		if hubs[folder] == nil {
			hubs[folder] = &scriptHub{GitHub: githubtest.New(t, described), repositories: map[string]*githubtest.Repository{}}
			ts.Setenv("GITHUB_API_URL", hubs[folder].URL)
		}
		if len(args) == 0 {
			ts.Fatalf("usage: github repository|token|store|release|detached|pages|fail|asked")
		}
		hubs[folder].do(ts, args[0], args[1:])
	}
}

type scriptHub struct {
	*githubtest.GitHub
	repositories map[string]*githubtest.Repository
}

func (h *scriptHub) do(ts *testscript.TestScript, what string, args []string) {
	switch what {
	case "repository":
		r := h.Add(args[0])
		h.Hold(func() { r.Private = len(args) > 1 })
		h.repositories[args[0]] = r
	case "token":
		permissions := githubtest.Permissions{}
		for _, p := range args[1:] {
			name, how, _ := strings.Cut(p, "=")
			permissions[name] = how
		}
		h.Allow(args[0], permissions)
	case "store":
		for _, file := range args[1:] {
			h.Store(h.repositories[args[0]], []byte(ts.ReadFile(file)))
		}
	case "release":
		tag, draft := strings.CutPrefix(args[1], "draft:")
		release := githubtest.Release{Tag: tag, Draft: draft}
		for _, file := range args[2:] {
			name, from, renamed := strings.Cut(file, "=")
			if !renamed {
				name, from = filepath.Base(file), file
			}
			release.Assets = append(release.Assets, githubtest.Asset{Name: name, Data: []byte(ts.ReadFile(from))})
		}
		h.Publish(h.repositories[args[0]], release)
	case "detached":
		h.Hold(func() { h.Detached = true })
	case "pages":
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		h.Hold(func() { h.PageSize = n })
	case "fail":
		times, err := strconv.Atoi(args[0])
		ts.Check(err)
		status, err := strconv.Atoi(args[3])
		ts.Check(err)
		fault := githubtest.Fault{Times: times, Method: args[1], Path: args[2], Status: status, Body: githubtest.Refusal(status, args[4]), Header: http.Header{}}
		for _, header := range args[5:] {
			name, value, _ := strings.Cut(header, "=")
			fault.Header.Set(name, value)
		}
		h.Fail(fault)
	case "asked":
		var asked strings.Builder
		for _, a := range h.Asked() {
			at, who := "api", "stranger"
			if a.Storage {
				at = "storage"
			}
			if a.Authorization != "" {
				who = "token"
			}
			asked.WriteString(a.Method + " " + at + " " + a.Path + " " + who + "\n")
		}
		ts.Check(os.WriteFile(ts.MkAbs("asked"), []byte(asked.String()), 0o600))
	default:
		ts.Fatalf("github %s: there is no such thing", what)
	}
}
