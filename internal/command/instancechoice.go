package command

import (
	"fmt"
	"strings"

	"github.com/signatus-dev/signatus/internal/provenance"
	"github.com/signatus-dev/signatus/internal/report"
	"github.com/signatus-dev/signatus/internal/signer"
)

// The instances, as --instance and reports call them.
const (
	instanceAuto       = "auto"        // by who signs, and for a job by its repository
	instancePublicGood = "public-good" // certificates and signatures are logged for anybody to read
	instanceGitHub     = "github"      // GitHub's own: no log, for jobs of GitHub Actions
	instanceCustom     = "custom"      // that of a signing config
)

// choose says where to sign, now that it is known who does. A job whose token does not
// say that its repository is public signs where nothing is logged, unless the caller
// names another instance, at which the guard then stops it. (TestInstances)
func (o offer) choose(who *credential) (instance, error) {
	at := instance{roots: o.roots, files: o.flags.roots.files}
	if o.custom != nil {
		at.name, at.reason, at.services = instanceCustom, "named by --signing-config", *o.custom
		return at, at.checkCustom()
	}
	if who.key != nil && !o.flags.forced() {
		return at, nil
	}
	var err error
	if at.name, at.reason, err = o.flags.pick(who.job); err != nil {
		return instance{}, err
	}
	if at.services, err = o.known(at, who); err != nil {
		return instance{}, err
	}
	if who.key == nil {
		return at, at.checkKnown(who.job)
	}
	return at, nil
}

// pick names one of the instances that are known, and why.
func (f *instanceFlags) pick(job *provenance.Claims) (name, reason string, err error) {
	switch {
	case f.forced():
		return f.name, "named by --instance", nil
	case job == nil:
		return instancePublicGood, "a person signs", nil
	}
	server, err := job.ServerURL()
	if err != nil {
		return "", "", undecided("run it in a job of GitHub Actions", err)
	}
	switch _, none := signer.GitHub(server); {
	case none != nil:
		return "", "", usage("name one that does with --signing-config FILE and --trusted-root FILE, or sign with --key FILE",
			"no instance is known that certifies the jobs of %s", server)
	case server != "https://github.com":
		return instanceGitHub, "the jobs of " + server + " are certified there", nil
	case job.Public():
		return instancePublicGood, "the repository " + job.Repository + " is public", nil
	}
	return instanceGitHub, "the repository " + job.Repository + " is " + visibility(job.Visibility) + ", and nothing is logged there", nil
}

// visibility is what is said of a repository, in words.
func visibility(said string) string {
	if said == "" {
		return "of unknown visibility"
	}
	return report.Clean(said)
}

// known are the services of a known instance.
func (o offer) known(at instance, who *credential) (signer.Services, error) {
	if at.name == instancePublicGood {
		config, err := signer.PublicGood(o.flags.rekorVersion)
		if err != nil {
			return signer.Services{}, signingError(err)
		}
		services, err := config.Select(o.now, o.flags.rekorVersion)
		if err != nil {
			return signer.Services{}, signingError(err)
		}
		return services, nil
	}
	if o.flags.rekorVersion != signer.ConfigDecides {
		return signer.Services{}, usage("leave --rekor-version out; or, if the name may be logged for good, say --instance public-good and --allow-public-log",
			"--rekor-version is the version of a log, and GitHub's own instance has none; it is taken because %s", at.reason)
	}
	server := "https://github.com"
	switch {
	case who.job != nil:
		var err error
		if server, err = who.job.ServerURL(); err != nil {
			return signer.Services{}, undecided("run it in a job of GitHub Actions", err)
		}
	case who.key == nil:
		return signer.Services{}, errJobsAlone()
	}
	services, err := signer.GitHub(server)
	if err != nil {
		return signer.Services{}, usage("", "%w", err)
	}
	return services, nil
}

// errJobsAlone says why no person signs with GitHub's own instance.
func errJobsAlone() error {
	return usage("leave --instance out, or sign in a workflow", "GitHub's own instance certifies jobs of GitHub Actions, and nobody else")
}

// issuer is where a person logs in; empty where nothing says so.
func (o offer) issuer() (string, error) {
	switch {
	case o.custom != nil:
		return o.custom.OIDC, nil
	case o.flags.name == instanceGitHub:
		return "", errJobsAlone()
	}
	services, err := o.known(instance{name: instancePublicGood}, &credential{})
	return services.OIDC, err
}

// checkCustom demands the trusted root of a signing config's instance.
func (at instance) checkCustom() error {
	if len(at.files) > 0 || at.services.Fulcio == "" || len(at.named()) > 0 {
		return nil
	}
	return usage("give the trusted root of that instance with --trusted-root FILE",
		"no trusted root is loaded that names the certificate authority %s of the signing config: what is signed there could not be verified", at.services.Fulcio)
}

// checkKnown demands that a trusted root names the authority that certifies: what is
// logged and does not verify is logged all the same.
func (at instance) checkKnown(job *provenance.Claims) error {
	if len(at.named()) > 0 {
		return nil
	}
	next := "leave --trusted-root out; or, if another instance is to sign, name its services with --signing-config FILE"
	if server := serverOf(job); len(at.files) == 0 && server != "" {
		next = fmt.Sprintf("write it with  GH_HOST=%s gh attestation trusted-root > trusted_root.jsonl  and give --trusted-root trusted_root.jsonl", server)
	}
	return usage(next, "no trusted root is loaded that names the certificate authority %s of the instance %s (%s): what is signed there could not be verified", at.services.Fulcio, at.name, at.reason)
}

// serverOf is the host of a job's GitHub; empty for nobody's.
func serverOf(job *provenance.Claims) string {
	if job == nil {
		return ""
	}
	server, err := job.ServerURL()
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(server, "https://")
}

// shown is the instance for the report.
func (at instance) shown() report.Instance { return report.Instance{Name: at.name, Reason: at.reason} }

// line is the instance in one line; empty for nowhere.
func (at instance) line() string {
	if at.name == "" {
		return ""
	}
	return "signed with the instance " + at.name + ": " + at.reason
}
