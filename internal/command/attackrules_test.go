package command_test

import (
	"slices"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// pathAlias: one file under two names, of which a rule sees one.
func pathAlias() []attack {
	const precedent = "in-toto-golang CVE-2021-41087"
	source := func(name string) func(s *classicScene) {
		return func(s *classicScene) {
			for _, i := range []int{byAlice, byBob} {
				s.links[i].link.Products = map[string]string{"src/main.go": "package main", name: "an evil one"}
			}
		}
	}
	return []attack{
		{"an evil ./src/main.go beside the good one", precedent + ", a36", onClassic(source("./src/main.go")), "artifact-name-ambiguous", 0},
		{"an evil src//main.go beside the good one", precedent + ", a37", onClassic(source("src//main.go")), "artifact-name-ambiguous", 0},
		{"an evil src/../src/main.go beside the good one", precedent + ", a12", onClassic(source("src/../src/main.go")), "artifact-name-ambiguous", 0},
		{"an unmodified file passes for a modified one", precedent + ", a14", onClassic(func(s *classicScene) {
			s.layout.Steps[1].ExpectedProducts = []string{"CREATE dist/*", "MODIFY src/*", "DISALLOW *"}
			s.links[byBuilder].link.Materials = map[string]string{"./src/main.go": "package main", "src/main.go": "package main"}
			s.links[byBuilder].link.Products["src/main.go"] = "package main"
		}), "artifact-name-ambiguous", 0},
		{"an unmodified file is no modified one", precedent, onClassic(func(s *classicScene) {
			s.layout.Steps[1].ExpectedProducts = []string{"CREATE dist/*", "MODIFY src/*", "DISALLOW *"}
			s.links[byBuilder].link.Products["src/main.go"] = "package main"
		}), "rule-disallow", 0},
		{"one repository in two spellings, and two commits", precedent, onRelease(func(s *releaseScene) {
			s.evidence[ofBob] = says("bob", attestationtest.Statement([]attestationtest.Subject{
				{URI: "git+https://github.com/acme/app@refs/heads/main", Digest: map[string]string{"gitCommit": commit}},
				{URI: "git+https://GitHub.com/acme/app.git", Digest: map[string]string{"gitCommit": otherCommit}},
			}, linkType, map[string]any{"name": "author"}))
		}), "descriptor-conflict", 0},
		{"a file's name beside another source's address", "attestation-verifier: a uri without a name is the empty name", onRelease(func(s *releaseScene) {
			s.evidence[ofBob] = says("bob", attestationtest.Statement([]attestationtest.Subject{
				{Name: "git+https://github.com/acme/app", URI: "git+https://github.com/mallory/app", Digest: map[string]string{"gitCommit": commit}},
			}, linkType, map[string]any{"name": "author"}))
		}), "statement-malformed", 0},
	}
}

// globDialect: a pattern that two readers understand differently.
func globDialect() []attack {
	const precedent = "in-toto-golang GHSA-pmwq-pjrm-6p5r"
	forbids := func(pattern, name string) play {
		return onClassic(func(s *classicScene) {
			s.layout.Steps[1].ExpectedProducts = []string{"DISALLOW " + pattern, "ALLOW *"}
			s.links[byBuilder].link.Products[name] = "evil"
		})
	}
	identity := func(pattern string) play {
		return onRelease(func(s *releaseScene) {
			s.asks(`identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"`, `identity: "`+pattern+`"`)
		})
	}
	return []attack{
		{"a star in DISALLOW that stops at a slash", precedent, forbids("evil*", "evil/deep/miner"), "rule-disallow", 0},
		{"a star in DISALLOW that skips a leading dot", precedent, forbids("*", ".hidden"), "rule-disallow", 0},
		{"a question mark in DISALLOW that is not one letter", precedent, forbids("evi?", "evi\u00fc"), "rule-disallow", 0},
		{"a bracket in DISALLOW that is not closed", precedent + ", g06", forbids("dist/app[", "dist/app["), "glob-malformed", 0},
		{"a range in DISALLOW that is not ended", precedent + ", g11", forbids("[a-]pp", "app"), "glob-malformed", 0},
		{"a backslash at the end of DISALLOW", precedent + ", g07", forbids(`evil\`, `evil\`), "glob-malformed", 0},
		{"a bracket that is not closed, in an attestation layout", precedent, onRelease(func(s *releaseScene) {
			s.asks(`["CREATE *", "DISALLOW *"]`, `["DISALLOW app[", "CREATE *", "DISALLOW *"]`)
		}), "glob-malformed", 0},
		{"a control character in DISALLOW, which no name holds", precedent + ", g06", onRelease(func(s *releaseScene) {
			s.asks(`["CREATE *", "DISALLOW *"]`, `["DISALLOW \x00*", "CREATE *", "DISALLOW *"]`)
		}), "glob-malformed", 0},
		{"a star in an identity that crosses a slash", "go-witness: globs over certificate extensions", identity("https://github.com/acme/*/release.yml@refs/heads/main"), "signer-not-functionary", 0},
		{"two stars in an identity", "go-witness: globs over certificate extensions", identity("https://github.com/**"), "glob-malformed", 0},
		{"a pattern that a regular expression engine dies of", "go-witness: regexp.MustCompile panics", identity("https://github.com/acme/app/(*@refs/heads/main"), "signer-not-functionary", 0},
		{"a bracket in an identity that is not closed", "go-witness: regexp.MustCompile panics", identity("https://github.com/acme/app/["), "glob-malformed", 0},
		{"a dot that stands for any letter", "octo-sts: an alternation between anchors", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].As = attestationtest.Workflow(attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit, Workflow: ".github/workflows/releaseXyml"})
			s.evidence[ofBuilder].Payload = attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(appText))}, provenanceType, attestationtest.Provenance(attestationtest.WorkflowClaims{Repository: "acme/app", SHA: commit, Workflow: ".github/workflows/releaseXyml"}))
		}), "signer-not-functionary", 0},
		{"an identity that only begins as it must", "gh --signer-workflow without an anchor", identity("https://github.com/acme/app/.github/workflows/release.yml@refs/heads/mai"), "signer-not-functionary", 0},
		{"a star for any host", "go-witness: globs over certificate extensions", identity("https://*/acme/app/.github/workflows/release.yml@refs/heads/main"), "wildcard-host", 0},
		{"a star in an extension", "go-witness: globs over certificate extensions", onRelease(func(s *releaseScene) {
			s.asks(`sourceRepositoryURI: "https://github.com/acme/app"`, `sourceRepositoryURI: "https://github.com/*"`)
		}), "glob-malformed", 0},
	}
}

// vacuousPolicy: nothing is asked, or nothing is there, and so nothing is wrong.
func vacuousPolicy() []attack {
	steps := func(s *releaseScene) string {
		_, rest, _ := strings.Cut(s.layout, "\nsteps:")
		found, _, _ := strings.Cut(rest, "\nsubjects:")
		return found
	}
	sbom := attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(appText))}, "https://cyclonedx.org/bom", map[string]any{"bomFormat": "CycloneDX"})
	return []attack{
		{"no steps", "go-witness GHSA-rgp5-33mp-jhfm", onRelease(func(s *releaseScene) { s.asks("steps:"+steps(s), "steps: []") }), "layout-empty", 0},
		{"a step that asks for no predicate", "attestation-verifier: its rules are never applied", onRelease(func(s *releaseScene) {
			s.asks(`expectedPredicates: [{predicateType: "`+provenanceType+`", functionaries: [release], threshold: 1}]`, "expectedPredicates: []")
		}), "layout-empty", 0},
		{"no subjects", "attestation-verifier: subjects are skipped", onRelease(func(s *releaseScene) {
			s.asks(`subjects: [{subject: ["*"], from: build}]`, "subjects: []")
		}), "layout-empty", 0},
		{"a rule list without an end", "in-toto: ALLOW * at the end", onRelease(func(s *releaseScene) { s.asks(`["CREATE *", "DISALLOW *"]`, `["CREATE *"]`) }), "rule-list-open", 0},
		{"no attestation", "go-witness GHSA-567m-4668-m656", onRelease(func(s *releaseScene) { s.evidence = nil }), "no-candidate", 0},
		{"no attestation of the type", "cosign CVE-2022-35929, policy-controller CVE-2022-35930", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Payload = sbom
		}), "predicate-type-not-expected", 0},
		{"no attestation of the type, without a layout", "cosign CVE-2022-35929, policy-controller CVE-2022-35930", onRelease(func(s *releaseScene) {
			s.layout, s.evidence[ofBuilder].Payload = "", sbom
			s.args = []string{"--certificate-identity", workflow, "--certificate-oidc-issuer", actions}
		}), "predicate-type-not-expected", 0},
		{"what is signed cannot be read as a statement", "cosign CVE-2026-39395", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Payload = []byte(`"a text"`)
		}), "statement-malformed", 0},
		{"what is signed is of another type than statements are", "cosign CVE-2026-39395", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].PayloadType = "text/plain"
		}), "statement-malformed", 0},
		{"artifacts of two steps that do not overlap", "go-witness GHSA-vmvj-p3hw-39q3", onClassic(func(s *classicScene) {
			s.links[byBuilder].link.Materials = map[string]string{}
		}), "rule-require", 0},
		{"a provenance by a key, with no source in it", "go-witness GHSA-vmvj-p3hw-39q3", onRelease(func(s *releaseScene) {
			s.builderIsKey()
			s.evidence[ofBuilder].Payload = attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte(appText))}, provenanceType,
				map[string]any{"buildDefinition": map[string]any{"buildType": "https://example.com/make", "externalParameters": map[string]any{}}, "runDetails": map[string]any{"builder": map[string]any{"id": "https://example.com/builder"}}})
		}), "rule-require", 0},
		{"the same provenance with its source", "", onRelease(func(s *releaseScene) { s.builderIsKey() }), "", 0},
		{"MATCH without REQUIRE", "go-witness GHSA-vmvj-p3hw-39q3", onRelease(func(s *releaseScene) {
			s.asks(`["REQUIRE git+https://github.com/acme/app", "MATCH`, `["MATCH`)
		}), "match-without-require", 0},
		{"an empty layout of in-toto 1.0", "in-toto, t24", onClassic(func(s *classicScene) { s.layout.Steps = nil }), "layout-empty", 0},
		{"an empty layout in a functionary's place", "in-toto, u06", onClassic(func(s *classicScene) {
			s.links[byBuilder].document = attestationtest.ClassicLayout{Expires: "2027-03-01T00:00:00Z", Keys: []*attestationtest.ClassicKey{s.builder}}.JSON()
		}), "layout-empty", 0},
		{"a layout that nobody is asked to have signed", "in-toto, s06", onClassic(func(s *classicScene) { s.owners, s.noKeys = []*attestationtest.ClassicKey{s.carol}, true }), "layout-key-missing", 0},
		{"a layout that somebody else signed", "in-toto, s03", onClassic(func(s *classicScene) { s.owners = []*attestationtest.ClassicKey{s.carol} }), "layout-signature-threshold", 0},
		{"a layout that nobody signed", "in-toto, s02", onClassic(func(s *classicScene) {
			s.request.Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakUnsigned}
		}), "layout-unsigned", 0},
	}
}

// unsetConstraint: what is not said is not checked.
func unsetConstraint() []attack {
	const precedent = "go-witness GHSA-mpvw-hw8p-7x27"
	simple := func(args ...string) play {
		return onRelease(func(s *releaseScene) { s.layout, s.args = "", args })
	}
	asks := func(instead, text string) play { return onRelease(func(s *releaseScene) { s.asks(instead, text) }) }
	return []attack{
		{"an empty identity", precedent, asks(`identity: alice@example.com`, `identity: ""`), "layout-malformed", 0},
		{"no identity", precedent, asks(`, identity: alice@example.com`, ``), "layout-malformed", 0},
		{"an empty issuer", precedent, asks(`issuer: "https://token.actions.githubusercontent.com"`, `issuer: ""`), "layout-malformed", 0},
		{"an issuer that is none", precedent, asks(`issuer: "https://token.actions.githubusercontent.com"`, `issuer: none`), "functionary-malformed", 0},
		{"no root", "go-witness GHSA-2v4r-xhmm-ghv8", asks("\n      root: sigstore", ""), "layout-malformed", 0},
		{"an extension with an empty list of values", "go-witness GHSA-2v4r-xhmm-ghv8", asks("runnerEnvironment: github-hosted", "runnerEnvironment: []"), "layout-malformed", 0},
		{"an extension with an empty value", "go-witness GHSA-2v4r-xhmm-ghv8", asks("runnerEnvironment: github-hosted", `runnerEnvironment: ""`), "layout-malformed", 0},
		{"an extension that the certificate does not have", "go-witness GHSA-2v4r-xhmm-ghv8", onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].As = s.evidence[ofBuilder].As.Without("runnerEnvironment")
		}), "extension-mismatch", 0},
		{"an empty key", precedent, onRelease(func(s *releaseScene) {
			s.asks("keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: \"https://github.com/login/oauth\", identity: alice@example.com}", `keyType: ecdsa, keyVal: {public: ""}`)
		}), "layout-malformed", 0},
		{"a predicate that nobody is named for", "AMPEL: no identities", asks("functionaries: [release], ", "functionaries: [], "), "threshold-out-of-range", 0},
		{"no threshold", "go-tuf CVE-2026-23992", asks("functionaries: [release], threshold: 1", "functionaries: [release]"), "layout-malformed", 0},
		{"a broken signature, and nobody named", "AMPEL: no identities", onRelease(func(s *releaseScene) {
			s.asks("functionaries: [release], threshold: 1", "functionaries: [release], threshold: 0")
			s.breaks(ofBuilder, attestationtest.BreakSignature)
		}), "threshold-out-of-range", 0},
		{"an empty identity on the command line", precedent, simple("--certificate-identity", "", "--certificate-oidc-issuer", actions), "", 2},
		{"an empty issuer on the command line", precedent, simple("--certificate-identity", workflow, "--certificate-oidc-issuer", ""), "", 2},
		{"an identity without an issuer", precedent, simple("--certificate-identity", workflow), "", 2},
		{"a star for an identity on the command line", precedent, simple("--certificate-identity", "*", "--certificate-oidc-issuer", actions), "", 2},
		{"an empty layout name", precedent, simple("--layout", ""), "", 2},
		{"nobody at all", "AMPEL: no identities", simple(), "", 2},
		{"empty certificate constraints", "in-toto-golang, ITE-7", onClassic(func(s *classicScene) {
			authority, leaves := s.certified("builder")
			s.layout.RootCAs, s.layout.IntermediateCAs = []*attestationtest.ClassicKey{authority.Root}, []*attestationtest.ClassicKey{authority.Intermediate}
			s.layout.Steps[1].Functionaries = nil
			s.layout.Steps[1].Constraints = []map[string]any{{"common_name": "", "dns_names": []string{}, "emails": []string{}, "organizations": []string{}, "roots": []string{authority.Root.ID}, "uris": []string{}}}
			s.links[byBuilder].by = leaves
		}), "certificate-constraint", 0},
	}
}

// policyReplay: what was once the layout.
func policyReplay() []attack {
	carol := []string{"--layout-identity", "carol@example.com", "--layout-issuer", login}
	// signed has the layout signed, and carol's signature asked for.
	signed := func(by string, args ...string) play {
		return onRelease(func(s *releaseScene) {
			s.signed, s.args = says(by, nil), slices.Concat(carol, args)
		})
	}
	return []attack{
		{"an older version of the layout", "gittuf CVE-2026-44544", onRelease(func(s *releaseScene) { s.args = []string{"--min-layout-version", "8"} }), "layout-version-too-low", 0},
		{"an older version of the layout, under its true signature", "gittuf CVE-2026-44544", signed("carol", "--min-layout-version", "8"), "layout-version-too-low", 0},
		{"a signed layout", "", signed("carol"), "", 0},
		{"a layout that somebody else signed", "gittuf CVE-2026-44544", signed("mallory"), "layout-signature-threshold", 0},
		{"a layout that nobody signed", "gittuf CVE-2026-44544", onRelease(func(s *releaseScene) { s.args = carol }), "layout-unsigned", 0},
		{"a layout that was changed after it was signed", "gittuf CVE-2026-44544", onRelease(func(s *releaseScene) {
			s.signed, s.args = says("carol", nil), carol
			s.signed.Break = []attestationtest.Break{attestationtest.BreakPayload}
		}), "layout-signature-threshold", 0},
		{"the layout's owner, heard twice", "in-toto, t07", signed("carol", "--layout-identity", "carol@example.com", "--layout-issuer", login, "--layout-threshold", "2"), "", 2},
		{"the version that is asked for", "", onRelease(func(s *releaseScene) { s.args = []string{"--min-layout-version", "7"} }), "", 0},
		{"a version below the first", "gittuf CVE-2026-44544", onRelease(func(s *releaseScene) { s.asks("version: 7", "version: -7") }), "layout-malformed", 0},
		{"a layout that has expired", "gittuf: expiry is ignored", onRelease(func(s *releaseScene) { s.asks("2027-03-01", "2026-03-01") }), "layout-expired", 0},
		{"a layout that expires never", "gittuf: expiry is ignored", onRelease(func(s *releaseScene) { s.asks("2027-03-01", "9999-03-01") }), "layout-expiry-too-far", 0},
		{"a layout without expiry", "gittuf: expiry is ignored", onRelease(func(s *releaseScene) { s.asks("expires: \"2027-03-01T00:00:00Z\"\n", "") }), "layout-malformed", 0},
		{"a layout of in-toto 1.0 that has expired", "in-toto, s07", onClassic(func(s *classicScene) { s.layout.Expires = "2026-03-01T00:00:00Z" }), "layout-expired", 0},
		{"a layout that expires on no day", "in-toto, s10", onClassic(func(s *classicScene) { s.layout.Expires = "2027-02-30T00:00:00Z" }), "layout-malformed", 0},
		{"the deny list of a withdrawn release", "go-witness: no revocation", onRelease(func(s *releaseScene) {
			s.layout += "deny: [{digest: \"sha256:" + sha256Of(appText) + "\", reason: withdrawn}]\n"
		}), "artifact-denied", 0},
	}
}

// stepConfusion: a statement that is true of another step.
func stepConfusion() []attack {
	return []attack{
		{"a link under the file name of another step", "in-toto, t17", onClassic(func(s *classicScene) {
			s.layout.Steps[1].Functionaries = []*attestationtest.ClassicKey{s.alice}
			s.links[byBuilder] = s.link(s.alice, "test", map[string]string{"src/main.go": "package main"}, map[string]string{"dist/app": appText})
			s.links[byBuilder].file = attestationtest.ClassicLinkName("build", s.alice)
		}), "link-of-another-step", 0},
		{"a layout whose steps have one name", "in-toto-golang, t25", onClassic(func(s *classicScene) { s.layout.Steps[1].Name = "write-code" }), "name-clash", 0},
		{"an author's link for another step", "in-toto, t17", onRelease(func(s *releaseScene) {
			s.evidence[ofBob] = says("bob", attestationtest.CommitLink("review", attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: commit}))
		}), "link-of-another-step", 0},
		{"the builder's word for an author's", "in-toto, t17", onRelease(func(s *releaseScene) {
			s.evidence[ofBob] = workflowSays(theRun(), vouch(commit))
		}), "signer-not-functionary", 0},
	}
}
