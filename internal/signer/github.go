package signer

import (
	"fmt"
	"strings"
)

// GitHub returns the services of the instance that GitHub keeps for private
// repositories, by the address of the GitHub: https://github.com, or
// https://TENANT.ghe.com for one with data residency. It has no log of any kind, so
// that nobody else can read what was signed; all time comes from its timestamp
// authority. It certifies jobs and no people, and it names no issuer to log in at.
//
// An enterprise server has no such instance: the error is a *ConfigError.
//
// Source: https://github.com/actions/toolkit/blob/main/packages/attest/src/endpoints.ts
func GitHub(server string) (Services, error) {
	host, secure := strings.CutPrefix(server, "https://")
	tenant, residency := strings.CutSuffix(host, ".ghe.com")
	switch {
	case secure && host == "github.com":
		host = "githubapp.com"
	case secure && residency && isLabel(tenant):
	default:
		return Services{}, &ConfigError{
			Err:  fmt.Errorf("looking for GitHub's own Sigstore instance: %.100q has none, expected https://github.com or https://TENANT.ghe.com", server),
			Next: "name the instance with --signing-config FILE and --trusted-root FILE, or sign with a key",
		}
	}
	return Services{Fulcio: "https://fulcio." + host, TSA: []string{"https://timestamp." + host + "/api/v1/timestamp"}}, nil
}

// isLabel tells whether s is one label of a host's name.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "-") == s && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}
