package identity

// Token is a secret that stands for somebody: an OIDC identity token. However it
// is printed, logged or written as JSON, also inside of another value, it is
// "[token]" or an address. The zero value is no token.
type Token struct {
	// A pointer, because fmt does not ask String of an unexported field of
	// another struct: it prints what is in it.
	secret *string
}

// NewToken keeps a secret.
func NewToken(secret string) Token {
	if secret == "" {
		return Token{}
	}
	return Token{secret: &secret}
}

// Reveal gives the secret, to be sent to whom it is for and nowhere else; empty
// for no token.
func (t Token) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secret == nil }

// String never shows the secret.
func (Token) String() string { return "[token]" }

// GoString never shows the secret.
func (Token) GoString() string { return "[token]" }

// MarshalText never shows the secret. JSON and slog ask it too.
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }
