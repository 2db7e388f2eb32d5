package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is something wrong with a service. A service has one at a time.
type Fault struct {
	// Service is one of [Services].
	Service string `json:"service"`
	// Mode is one of [Modes]; only fulcio and email have those that say so.
	Mode string `json:"mode"`
	// Status is the HTTP status of the mode "status": 500 if 0.
	Status int `json:"status,omitempty"`
	// RetryAfter, in seconds, is a header of the mode "status"; 0 for none.
	RetryAfter int `json:"retryAfter,omitempty"`
	// Delay is how long the mode "slow" waits: 30 seconds if 0.
	Delay Duration `json:"delay,omitempty"`
	// Times is how many requests are struck; 0 means until another word.
	Times int `json:"times,omitempty"`
	// Claims are the other identity's, of the mode "other-identity": by default
	// the repository mallory/app, or the e-mail address mallory@example.com.
	Claims map[string]string `json:"claims,omitempty"`
}

// Duration is a time.Duration that JSON has as "1.5s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

const (
	modeDown          = "down"
	modeSlow          = "slow"
	modeStatus        = "status"
	modeGarbage       = "garbage"
	modeLost          = "lost"
	modeConflict      = "conflict"
	modeOtherKey      = "other-key"
	modeOtherIdentity = "other-identity"
	modePending       = "pending"
	modeDenied        = "denied"
)

// Services returns the names of the services that can have a fault.
func Services() []string {
	return []string{"fulcio", "ctlog", "rekor1", "rekor2", "tsa", "github", "email"}
}

// Modes returns what can be wrong with a service, each with its meaning.
func Modes() [][2]string {
	return [][2]string{
		{modeDown, "the connection ends without an answer"},
		{modeSlow, "the answer waits for Delay"},
		{modeStatus, "an error with Status and RetryAfter"},
		{modeGarbage, "the status of success, and no content of the kind expected"},
		{modeLost, "a POST is served, but its answer is lost: the connection ends"},
		{modeConflict, "a POST is served, but answered with 409 and its Location"},
		{modeOtherKey, "fulcio: the certificate is for another key"},
		{modeOtherIdentity, "fulcio: the certificate is for another identity, see Claims"},
		{modePending, "email: a device login is not approved yet"},
		{modeDenied, "email: a device login is denied"},
	}
}

func (f Fault) check() error {
	if !slices.Contains(Services(), f.Service) {
		return fmt.Errorf("setting fault: no service is %q, expected one of %s", f.Service, strings.Join(Services(), ", "))
	}
	for _, mode := range Modes() {
		if mode[0] != f.Mode {
			continue
		}
		if owner, _, ok := strings.Cut(mode[1], ": "); ok && slices.Contains(Services(), owner) && owner != f.Service {
			return fmt.Errorf("setting fault: only %s can be %q", owner, f.Mode)
		}
		if f.Status != 0 && (f.Status < 400 || f.Status > 599) || f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0 {
			return fmt.Errorf("setting fault: status is 400 to 599, times, delay and retry-after are not negative")
		}
		return nil
	}
	var modes []string
	for _, mode := range Modes() {
		modes = append(modes, mode[0])
	}
	return fmt.Errorf("setting fault: no mode is %q, expected one of %s", f.Mode, strings.Join(modes, ", "))
}

// faults holds what is wrong at the moment.
type faults struct {
	mu     sync.Mutex
	active map[string]*Fault
	ended  <-chan struct{} // closed when the sandbox ends
}

func (f *faults) set(fault Fault) error {
	if err := fault.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active[fault.Service] = &fault
	return nil
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.active)
}

func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []Fault{}
	for _, fault := range f.active {
		list = append(list, *fault)
	}
	slices.SortFunc(list, func(a, b Fault) int { return strings.Compare(a.Service, b.Service) })
	return list
}

// strike returns the service's fault if it is of one of the modes, and counts
// it as having struck.
func (f *faults) strike(service string, modes ...string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault, ok := f.active[service]
	if !ok || !slices.Contains(modes, fault.Mode) {
		return Fault{}, false
	}
	struck := *fault
	if fault.Times > 0 {
		if fault.Times--; fault.Times == 0 {
			delete(f.active, service)
		}
	}
	return struck, true
}

// before lets the service's faults strike its requests.
func (f *faults) before(service string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		modes := []string{modeDown, modeSlow, modeStatus, modeGarbage}
		if r.Method == http.MethodPost {
			modes = append(modes, modeLost, modeConflict)
		}
		fault, ok := f.strike(service, modes...)
		if !ok {
			handler.ServeHTTP(w, r)
			return
		}
		switch fault.Mode {
		case modeDown:
			panic(http.ErrAbortHandler)
		case modeSlow:
			if f.wait(r, fault) {
				handler.ServeHTTP(w, r)
			}
		case modeStatus:
			answerFault(w, fault)
		case modeGarbage:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(garbageStatus(service))
			_, _ = w.Write([]byte("<html><title>Welcome to this hotel's network</title>\x00\xff"))
		case modeLost:
			handler.ServeHTTP(newRecording(), r)
			panic(http.ErrAbortHandler)
		case modeConflict:
			answerConflict(w, handler, r)
		}
	})
}

// wait returns true when the delay is over, and false if nobody waits for the
// answer any more.
func (f *faults) wait(r *http.Request, fault Fault) bool {
	delay := time.Duration(fault.Delay)
	if delay == 0 {
		delay = 30 * time.Second
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-f.ended:
		return false
	}
}

// serviceError is an error in the shapes of all services at once.
type serviceError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func answerFault(w http.ResponseWriter, fault Fault) {
	status := fault.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if fault.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfter))
	}
	answerJSON(w, status, serviceError{Code: status, Message: "a fault of the sandbox: " + http.StatusText(status)})
}

// garbageStatus is the status with which the service answers a success.
func garbageStatus(service string) int {
	if slices.Contains([]string{"rekor1", "rekor2", "tsa"}, service) {
		return http.StatusCreated
	}
	return http.StatusOK
}

// answerConflict serves the request, and says that this was done before.
func answerConflict(w http.ResponseWriter, handler http.Handler, r *http.Request) {
	served := newRecording()
	handler.ServeHTTP(served, r)
	if served.status >= 400 {
		served.replay(w)
		return
	}
	message := "an equivalent entry already exists in the transparency log"
	if location := served.header.Get("Location"); location != "" {
		w.Header().Set("Location", location)
		message += " with UUID " + location[strings.LastIndexByte(location, '/')+1:]
	}
	var entry struct {
		LogIndex string `json:"logIndex"`
	}
	if json.Unmarshal(served.body.Bytes(), &entry) == nil && entry.LogIndex != "" {
		w.Header().Set("X-Log-Index", entry.LogIndex)
		message += " with index " + entry.LogIndex
	}
	answerJSON(w, http.StatusConflict, serviceError{Code: http.StatusConflict, Message: message})
}

// recording is an answer that is not sent.
type recording struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecording() *recording { return &recording{header: make(http.Header), status: http.StatusOK} }

func (r *recording) Header() http.Header         { return r.header }
func (r *recording) WriteHeader(status int)      { r.status = status }
func (r *recording) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recording) replay(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes())
}
