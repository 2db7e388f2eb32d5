package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/signatus-dev/signatus/internal/sandbox/roundtrip"
	"github.com/spf13/cobra"
)

func checkCommand(e env) *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "Sign and verify with sigstore-go, through what is exported",
		Long: `Signs as the workflow and as a person, with every Rekor of the signing config,
and verifies, with sigstore-go. It uses what sandbox run exports, and knows
nothing else of the sandbox, stock servers or not.`,
		Args: cobra.NoArgs,
	}
	command.RunE = func(command *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(command.Context(), 2*time.Minute)
		defer cancel()
		return check(ctx, e)
	}
	return command
}

// check signs with each identity and each Rekor.
func check(ctx context.Context, e env) error {
	config, err := os.ReadFile(e.getenv("SIGNATUS_SANDBOX_SIGNING_CONFIG"))
	if err != nil {
		return fmt.Errorf("reading signing config: %w", err)
	}
	trusted, err := os.ReadFile(e.getenv("SIGNATUS_SANDBOX_TRUSTED_ROOT"))
	if err != nil {
		return fmt.Errorf("reading trusted root: %w", err)
	}
	control, err := connect(e.getenv("SIGNATUS_SANDBOX_DIR"))
	if err != nil {
		return err
	}
	versions, err := rekorVersions(config)
	if err != nil {
		return err
	}
	workflow := e.getenv("GITHUB_SERVER_URL") + "/" + e.getenv("GITHUB_WORKFLOW_REF")
	signers := []struct {
		san, issuer string
		token       func() (string, error)
	}{
		{workflow, sandbox.GitHubIssuer, func() (string, error) { return jobToken(ctx, e) }},
		{"bob@example.com", sandbox.OAuthIssuer, func() (string, error) {
			return control.Token(ctx, sandbox.TokenRequest{
				Kind: sandbox.Email, Email: "bob@example.com", Issuer: sandbox.OAuthIssuer,
			})
		}},
	}
	for _, version := range versions {
		for _, signer := range signers {
			started := time.Now()
			token, err := signer.token()
			if err != nil {
				return err
			}
			bundle, err := roundtrip.Sign(ctx, roundtrip.Request{SigningConfig: config, Token: token, RekorVersion: version})
			if err != nil {
				return fmt.Errorf("rekor v%d, %s: %w", version, signer.san, err)
			}
			signed := time.Now()
			if _, err := roundtrip.Verify(trusted, bundle, signer.san, signer.issuer); err != nil {
				return fmt.Errorf("rekor v%d, %s: %w", version, signer.san, err)
			}
			_, err = fmt.Fprintf(e.stdout, "✓ rekor v%d  signed in %4d ms, verified in %2d ms  %s\n", version,
				signed.Sub(started).Milliseconds(), time.Since(signed).Milliseconds(), signer.san)
			if err != nil {
				return fmt.Errorf("printing: %w", err)
			}
		}
	}
	return nil
}

// rekorVersions lists the major versions that the signing config has.
func rekorVersions(config []byte) ([]uint32, error) {
	var read struct {
		RekorTLogURLs []struct {
			MajorAPIVersion uint32 `json:"majorApiVersion"`
		} `json:"rekorTlogUrls"`
	}
	if err := json.Unmarshal(config, &read); err != nil {
		return nil, fmt.Errorf("reading signing config: %w", err)
	}
	var versions []uint32
	for _, rekor := range read.RekorTLogURLs {
		versions = append(versions, rekor.MajorAPIVersion)
	}
	if len(versions) == 0 {
		return nil, errors.New("reading signing config: it names no Rekor")
	}
	return versions, nil
}

// jobToken asks for a token as a job does.
func jobToken(ctx context.Context, e env) (string, error) {
	address := e.getenv("ACTIONS_ID_TOKEN_REQUEST_URL")
	if address == "" {
		return "", errors.New("asking for the job's token: ACTIONS_ID_TOKEN_REQUEST_URL is not set")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"&audience=sigstore", nil)
	if err != nil {
		return "", fmt.Errorf("asking for the job's token: %w", err)
	}
	request.Header.Set("Authorization", "bearer "+e.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return "", fmt.Errorf("asking for the job's token: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("asking for the job's token: %w", err)
	}
	var answer struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(content, &answer); err != nil || answer.Value == "" {
		return "", fmt.Errorf("asking for the job's token: %s: %s", response.Status, content)
	}
	return answer.Value, nil
}
