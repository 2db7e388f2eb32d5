package sandbox

import (
	"cmp"
	"fmt"
	"io"
	"log"
)

// Config says what a sandbox holds. The zero value is the workflow
// .github/workflows/release.yml of acme/app, and alice@example.com of
// https://accounts.google.com.
type Config struct {
	// Claims are those of the workflow's tokens, over the defaults; see
	// [ClaimNames]. A claim that follows from others (such as workflow_ref from
	// repository and ref) does so unless it is set.
	Claims map[string]string
	// Base is the commit that the event of a pull request or merge group names as its
	// base, which no claim does; the job's own commit if empty.
	Base string
	// Without names claims that the tokens lack.
	Without []string
	// ImmutableSubject has sub in the form with numeric ids,
	// repo:acme@98120477/app@728493015:ref:refs/heads/main.
	ImmutableSubject bool

	// Email is who logs in, and Issuer where: https://accounts.google.com if
	// empty, or https://github.com/login/oauth.
	Email  string
	Issuer string

	// RekorVersion is the log that the signing config names: 1, 2, or 0 for both.
	RekorVersion int

	// Stock is the folder of the stock servers, made by `go build -o FOLDER
	// tool`: fulcio, posix (Rekor v2) and timestamp-server. They listen for
	// metrics on all interfaces: have a network namespace around them.
	Stock string

	// Log is where the services complain; nil for nowhere.
	Log io.Writer
}

// withDefaults checks the configuration and fills in what it leaves open.
func (c Config) withDefaults() (Config, error) {
	c.Email = cmp.Or(c.Email, "alice@example.com")
	c.Issuer = cmp.Or(c.Issuer, GoogleIssuer)
	if c.RekorVersion < 0 || c.RekorVersion > 2 {
		return c, fmt.Errorf("configuring sandbox: no Rekor has version %d, expected 1, 2 or 0 for both", c.RekorVersion)
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	return c, nil
}

// base is the commit that a change is to be merged onto.
func (c Config) base(sha string) string { return cmp.Or(c.Base, sha) }

func (c Config) logger() *log.Logger { return log.New(c.Log, "sandbox: ", 0) }

// workflowClaims are the claims of a token, with the changes of one request.
func (c Config) workflowClaims(changes claimChanges) workflowClaims {
	return workflowClaims{
		set:       claimChanges{claims: c.Claims, without: c.Without}.then(changes),
		immutable: c.ImmutableSubject,
	}
}
