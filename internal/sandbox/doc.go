// Package sandbox runs a whole Sigstore on loopback, for the demo and the
// end-to-end tests. It opens no connection to anything else, and nothing of it
// listens on another interface.
//
// One process holds Fulcio (from its own packages), a certificate transparency
// log, a Rekor v1 and a Rekor v2, a timestamp authority, the OIDC provider of
// GitHub Actions and an OIDC provider where people log in with an e-mail
// address. To a signer it is just another Sigstore: it needs the trusted root
// and the signing config, and no switch of its own.
//
// # From a shell
//
// Let a command be the job of a workflow:
//
//	sandbox run --claim repository=acme/app --claim ref=refs/tags/v1 -- \
//		sh -c 'sign --trusted-root "$SIGNATUS_SANDBOX_TRUSTED_ROOT" ...'
//
// Build it with `go build -o sandbox ./cmd/sandbox` in this folder, a module of
// its own. The command has what a runner sets for these claims (GITHUB_*, RUNNER_*,
// ACTIONS_ID_TOKEN_REQUEST_*), and the addresses of the sandbox
// (SIGNATUS_SANDBOX_*, see [Folder.Variables]). Its exit code is the
// sandbox's own. Or keep one running:
//
//	sandbox serve --dir D --for 10m &
//	until [ -e D/env ]; do sleep 0.02; done
//	. D/env              # a job of the workflow; or D/env.person: somebody at a desk
//	sandbox token email --email alice@example.com
//	sandbox fault rekor1 status --status 429 --retry-after 1 --times 1
//	sandbox check        # signs and verifies through what is exported, and nothing else
//
// D has trusted_root.json, signing_config.json and sandbox.json (the addresses,
// see [Endpoints]). env is written last, and removed at the end.
//
// # From a Go test
//
//	sb, err := sandbox.Start(sandbox.Config{})
//	...
//	defer sb.Close()
//	token, err := sb.Token(sandbox.TokenRequest{Kind: sandbox.GitHub, Claims: map[string]string{"sha": commit}})
//
// # What is genuine, and what is not
//
// Certificates come from Fulcio's own code, with the public good instance's
// templates: all GitHub extensions, .23 and .24 included, and the genuine
// issuers https://token.actions.githubusercontent.com[/ENTERPRISE],
// https://github.com/login/oauth and https://accounts.google.com. The latter two
// stand in a claim of the token (federated_claims.connector_id) as at
// oauth2.sigstore.dev; the token's own issuer is an address on loopback.
//
// Fulcio verifies tokens with the providers' keys, and does not look them up
// over the network; discovery documents and JWKS are served to everybody else.
// Both Rekors and the timestamp authority are those of attestationtest. With
// [Config.Stock], Fulcio, Rekor v2 and the timestamp authority are the stock
// servers instead, with the same keys, so that trusted root and environment are
// the same. stock/run builds them, and runs a command in a network of its own;
// stock/run --check holds the in-process Fulcio against the stock one.
//
// Everybody who reaches the loopback interface can have any token. Nobody
// trusts the sandbox's keys, which are drawn at each start and never stored,
// but by the stock servers' files.
//
// # Faults
//
// Each service can be made down, slow, answering with an error or garbage, and
// Fulcio to certify another key or identity: see [Fault].
package sandbox
