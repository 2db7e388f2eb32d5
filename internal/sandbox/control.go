package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startControl serves what a sandbox can be told from outside:
//
//	POST   /token   a [TokenRequest]; the token comes as text
//	GET    /faults  the present ones
//	POST   /faults  a [Fault] more
//	DELETE /faults  everything is right again
//	POST   /login   {"email": …, "issuer": …}: who logs in from now on
func (s *Sandbox) startControl() (err error) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		var request TokenRequest
		if !readJSON(w, r, &request) {
			return
		}
		token, err := s.Token(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, token)
	})
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, s.faults.list())
	})
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var fault Fault
		if !readJSON(w, r, &fault) {
			return
		}
		if err := s.SetFault(fault); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("DELETE /faults", func(http.ResponseWriter, *http.Request) { s.ClearFaults() })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		var who person
		if readJSON(w, r, &who) {
			s.LogIn(who.Email, who.Issuer)
		}
	})
	s.endpoints.Control, err = s.serve("", fixed(mux))
	return err
}

// Control tells a sandbox of another process what to do.
type Control struct {
	Endpoints Endpoints

	client *http.Client
}

// Connect returns the control of the sandbox that wrote the folder.
func Connect(dir string) (*Control, error) {
	content, err := os.ReadFile(filepath.Join(dir, endpointsFile))
	if err != nil {
		return nil, fmt.Errorf("looking for a running sandbox: %w", err)
	}
	c := &Control{client: &http.Client{Timeout: 10 * time.Second}}
	if err := json.Unmarshal(content, &c.Endpoints); err != nil {
		return nil, fmt.Errorf("reading %s: %w", endpointsFile, err)
	}
	return c, nil
}

// Token is [Sandbox.Token].
func (c *Control) Token(ctx context.Context, request TokenRequest) (string, error) {
	return c.tell(ctx, "/token", request)
}

// SetFault is [Sandbox.SetFault].
func (c *Control) SetFault(ctx context.Context, fault Fault) error {
	_, err := c.tell(ctx, "/faults", fault)
	return err
}

// ClearFaults is [Sandbox.ClearFaults].
func (c *Control) ClearFaults(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.Endpoints.Control+"/faults", nil)
	if err != nil {
		return fmt.Errorf("telling sandbox: %w", err)
	}
	_, err = c.do(request)
	return err
}

// LogIn is [Sandbox.LogIn].
func (c *Control) LogIn(ctx context.Context, email, issuer string) error {
	_, err := c.tell(ctx, "/login", person{Email: email, Issuer: issuer})
	return err
}

func (c *Control) tell(ctx context.Context, path string, value any) (string, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("telling sandbox: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoints.Control+path, bytes.NewReader(encoded))
	if err != nil {
		return "", fmt.Errorf("telling sandbox: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	return c.do(request)
}

func (c *Control) do(request *http.Request) (string, error) {
	response, err := c.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("telling sandbox: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("telling sandbox: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("telling sandbox: %s", strings.TrimSpace(string(content)))
	}
	return string(content), nil
}
