package main

import (
	"fmt"
	"time"

	"github.com/signatus-dev/signatus/internal/sandbox"
	"github.com/spf13/cobra"
)

func tokenCommand(e env) *cobra.Command {
	request := sandbox.TokenRequest{Claims: make(map[string]string)}
	var lifetime time.Duration
	command := &cobra.Command{
		Use:       "token github|email",
		Short:     "Print a token of a running sandbox",
		ValidArgs: []string{string(sandbox.GitHub), string(sandbox.Email)},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
	}
	dir := dirFlag(e, command)
	flags := command.Flags()
	flags.Var(claims(request.Claims), "claim", "a claim of the token (repeatable)")
	flags.StringArrayVar(&request.Without, "without", nil, "a claim that the token lacks (repeatable)")
	flags.StringVar(&request.Audience, "audience", "", "whom the token is for (sigstore)")
	flags.DurationVar(&lifetime, "lifetime", 0, "from now to exp; negative for a token that has expired (5m)")
	flags.StringVar(&request.Email, "email", "", "who logged in")
	flags.StringVar(&request.Issuer, "issuer", "", "where they logged in: "+sandbox.GoogleIssuer+" or "+sandbox.OAuthIssuer)
	flags.BoolVar(&request.ForeignKey, "foreign-key", false, "sign it with a key that is not the issuer's")
	command.RunE = func(command *cobra.Command, arguments []string) error {
		control, err := connect(*dir)
		if err != nil {
			return err
		}
		request.Kind, request.Lifetime = sandbox.TokenKind(arguments[0]), sandbox.Duration(lifetime)
		token, err := control.Token(command.Context(), request)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, token)
		return err
	}
	return command
}

func loginCommand(e env) *cobra.Command {
	var email, issuer string
	command := &cobra.Command{
		Use:   "login",
		Short: "Change who logs in at a running sandbox from now on",
		Args:  cobra.NoArgs,
	}
	dir := dirFlag(e, command)
	command.Flags().StringVar(&email, "email", "", "who logs in")
	command.Flags().StringVar(&issuer, "issuer", "", "where they log in")
	command.RunE = func(command *cobra.Command, _ []string) error {
		control, err := connect(*dir)
		if err != nil {
			return err
		}
		return control.LogIn(command.Context(), email, issuer)
	}
	return command
}
