package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	const secret = "eyJhbGciOi.c2VjcmV0.c2lnbmF0dXJl"
	token := NewToken(secret)
	if token.Reveal() != secret || token.IsZero() || token.String() != "[token]" {
		t.Errorf("a token does not keep its secret, or shows it: %s", token)
	}
	holder := struct {
		Name    string
		Public  Token
		private Token
		pointer *Token
		list    []Token
		keyed   map[string]Token
	}{"x", token, token, &token, []Token{token}, map[string]Token{"a": token}}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&shown, verb+verb+verb+"\n", token, &token, holder)
	}
	written, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(written)
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&logged, nil), slog.NewTextHandler(&logged, nil)} {
		slog.New(handler).Info("x", "token", token, "holder", holder, "error", errors.New(token.String()))
	}
	shown.Write(logged.Bytes())
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if strings.Contains(shown.String(), form) {
			t.Errorf("the secret is shown in\n%s", shown.String())
		}
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	for _, token := range []Token{{}, NewToken("")} {
		if !token.IsZero() || token.Reveal() != "" || token.String() != "[token]" {
			t.Errorf("no token is %t, %q, %s", token.IsZero(), token.Reveal(), token)
		}
	}
}
