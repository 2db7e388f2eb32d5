package command_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// duplicateCounting: one voice that is heard twice.
func duplicateCounting() []attack {
	// alone leaves one author, whose word comes in another shape too.
	alone := func(again func(s *releaseScene) *signedPiece) play {
		return onRelease(func(s *releaseScene) { s.evidence[ofBob] = again(s) })
	}
	certificates := func(names ...string) play {
		return onClassic(func(s *classicScene) {
			authority, leaves := s.certified(names...)
			s.layout.RootCAs, s.layout.IntermediateCAs = []*attestationtest.ClassicKey{authority.Root}, []*attestationtest.ClassicKey{authority.Intermediate}
			s.layout.Steps[0].Functionaries = nil
			s.layout.Steps[0].Threshold = 1
			s.layout.Steps[0].Constraints = []map[string]any{{"common_name": "*", "dns_names": []string{""}, "emails": []string{""}, "organizations": []string{"*"}, "roots": []string{"*"}, "uris": []string{"spiffe://acme.example/builder"}}}
			s.links[byAlice].by = leaves[:1]
			s.links = append(s.links[:1], s.links[2])
			for _, leaf := range leaves[1:] {
				s.layout.Steps[0].Threshold = 2
				s.links = append(s.links, s.link(leaf, "write-code", nil, s.links[byAlice].link.Products))
			}
		})
	}
	return []attack{
		{"one log's entry twice", "sigstore-go CVE-2026-49834", onRelease(func(s *releaseScene) { s.breaks(ofBuilder, attestationtest.BreakDuplicateEntry) }), "signature-invalid", 0},
		{"one bundle twice", "go-witness GHSA-c346-qp3r-53vf", onRelease(func(s *releaseScene) {
			once := string(s.sign(s.evidence[ofAlice]))
			s.evidence[ofAlice].edit = func(string) string { return once }
			s.evidence[ofBob].edit = func(string) string { return once + "\n" }
		}), "threshold-not-met", 0},
		{"one author with two certificates", "go-witness GHSA-c346-qp3r-53vf", alone(func(*releaseScene) *signedPiece { return says("alice", vouch(commit)) }), "threshold-not-met", 0},
		{"one author, and the same in capitals", "go-witness GHSA-c346-qp3r-53vf", alone(func(*releaseScene) *signedPiece { return says("Alice", vouch(commit)) }), "threshold-not-met", 0},
		{"two signatures in one envelope", "go-tuf CVE-2026-23992", alone(func(*releaseScene) *signedPiece {
			twice := says("alice", vouch(commit))
			twice.Break = []attestationtest.Break{attestationtest.BreakTwoSignatures}
			return twice
		}), "bundle-malformed", 0},
		{"one identity under two functionaries", "in-toto, t07", onRelease(func(s *releaseScene) { s.asks("identity: bob@example.com", "identity: alice@example.com") }), "shared-identity", 0},
		{"one key under two functionaries", "in-toto, t07", onRelease(func(s *releaseScene) {
			s.hasKey("alice", "one", "")
			s.hasKey("bob", "one", "")
		}), "shared-key", 0},
		{"a threshold of none", "go-tuf CVE-2026-23992", onRelease(func(s *releaseScene) { s.asks("threshold: 2", "threshold: 0") }), "threshold-out-of-range", 0},
		{"a negative threshold", "go-tuf CVE-2026-23992", onRelease(func(s *releaseScene) { s.asks("threshold: 2", "threshold: -1") }), "threshold-out-of-range", 0},
		{"an author named twice for a threshold of four", "go-witness GHSA-c346-qp3r-53vf", onRelease(func(s *releaseScene) {
			s.asks("functionaries: [alice, bob, carol], threshold: 2", "functionaries: [alice, alice, bob, carol], threshold: 4")
		}), "threshold-out-of-range", 0},
		{"a key under two ids, in-toto 1.0", "in-toto, t07", onClassic(func(s *classicScene) {
			again := s.alice.WithID(strings.Repeat("ab", 32))
			s.layout.Keys = append(s.layout.Keys, again)
			s.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{s.alice, again}
			s.links[byBob].by = []*attestationtest.ClassicKey{again}
		}), "shared-key", 0},
		{"a key under the ids of two implementations", "in-toto, t07", onClassic(func(s *classicScene) {
			again, err := s.alice.Python()
			if err != nil {
				s.t.Fatal(err)
			}
			s.layout.Keys = append(s.layout.Keys, again)
			s.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{s.alice, again}
			s.links[byBob].by = []*attestationtest.ClassicKey{again}
		}), "shared-key", 0},
		{"a link that is signed twice", "in-toto, t07", onClassic(func(s *classicScene) {
			s.links[byAlice].Break = []attestationtest.ClassicBreak{attestationtest.ClassicBreakTwice}
			s.links = append(s.links[:byBob], s.links[byBuilder])
		}), "threshold-not-met", 0},
		{"one link under two file names", "in-toto, t07", onClassic(func(s *classicScene) {
			s.links[byBob] = s.link(s.alice, "write-code", nil, s.links[byAlice].link.Products)
			s.links[byBob].file = attestationtest.ClassicLinkName("write-code", s.bob)
		}), "threshold-not-met", 0},
		{"a key listed twice for a step", "in-toto, t10", onClassic(func(s *classicScene) {
			s.layout.Steps[0].Functionaries = []*attestationtest.ClassicKey{s.alice, s.alice}
			s.links = append(s.links[:byBob], s.links[byBuilder])
		}), "threshold-not-met", 0},
		{"a threshold of none, in-toto 1.0", "in-toto-golang, t11", onClassic(func(s *classicScene) {
			s.edit = s.swaps(`"threshold": 2`, `"threshold": 0`)
		}), "threshold-out-of-range", 0},
		{"one certificate for a threshold of one", "", certificates("one"), "", 0},
		{"two certificates of one identity", "in-toto-golang, ITE-7", certificates("one", "two"), "threshold-not-met", 0},
		{"one owner's key for two", "in-toto, t07", onClassic(func(s *classicScene) {
			s.args = []string{"--layout-key", "DIR/again.pub", "--layout-threshold", "2"}
			s.files["again.pub"] = string(s.pem(s.owner))
		}), "layout-signature-threshold", 0},
	}
}

// lastOneWins: a name that stands twice, and readers who take another one.
func lastOneWins() []attack {
	layout := func(instead, text string) play {
		return onClassic(func(s *classicScene) { s.edit = s.swaps(instead, text) })
	}
	link := func(format attestationtest.ClassicFormat, instead, text string) play {
		return onClassic(func(s *classicScene) {
			s.links[byBuilder].Format = format
			s.links[byBuilder].edit = s.swaps(instead, text)
		})
	}
	statement := func(instead, text string) play {
		return onRelease(func(s *releaseScene) {
			s.evidence[ofBob].Payload = []byte(inPlace(s.t, string(s.evidence[ofBob].Payload), instead, text))
		})
	}
	bundle := func(instead, text string) play {
		return onRelease(func(s *releaseScene) {
			s.evidence[ofBob].edit = func(whole string) string { return inPlace(s.t, whole, instead, text) }
		})
	}
	const golang = "in-toto-golang, j01"
	const both = "in-toto, j02"
	const bundleType = `"mediaType":`
	return []attack{
		{"a threshold twice", both, layout(`"threshold": 2`, `"threshold": 2, "threshold": 1`), "json-key-ambiguous", 0},
		{"a threshold in capitals", golang, layout(`"threshold": 2`, `"threshold": 2, "Threshold": 1`), "json-key-ambiguous", 0},
		{"the kind of document in capitals", golang, layout(`"_type": "layout"`, `"_type": "layout", "_Type": "link"`), "json-key-ambiguous", 0},
		{"the products of a link twice", both, link(attestationtest.ClassicMetablock, `"products": {`, `"products": {}, "products": {`), "json-key-ambiguous", 0},
		{"the products of a link in capitals", golang, link(attestationtest.ClassicMetablock, `"products": {`, `"Products": {}, "products": {`), "json-key-ambiguous", 0},
		{"the products of a link twice, in an envelope", both, link(attestationtest.ClassicDSSE, `"products": {`, `"products": {}, "products": {`), "json-key-ambiguous", 0},
		{"one product twice", both, link(attestationtest.ClassicMetablock, `"dist/app": {`, `"dist/app": {"sha256": "`+sha256Of("evil")+`"}, "dist/app": {`), "json-key-ambiguous", 0},
		{"a field that nobody reads", "in-toto, j03", layout(`"threshold": 2`, `"threshold": 2, "expectedAttributes": []`), "layout-field-unknown", 0},
		{"a key whose id is another's", "in-toto, t09", onClassic(func(s *classicScene) {
			s.edit = s.swaps(`"keyid": "`+s.bob.ID+`"`, `"keyid": "`+s.carol.ID+`"`)
		}), "key-id-mismatch", 0},
		{"a predicate type twice", both, statement(`"predicateType":`, `"predicateType":"https://example.com/other","predicateType":`), "statement-malformed", 0},
		{"a predicate type in capitals", golang, statement(`"predicateType":`, `"PredicateType":"https://example.com/other","predicateType":`), "statement-malformed", 0},
		{"a predicate type with an underscore", golang, statement(`"predicateType":`, `"predicate_type":"https://example.com/other","predicateType":`), "statement-malformed", 0},
		{"the subjects twice", both, statement(`"subject":[`, `"subject":[],"subject":[`), "statement-malformed", 0},
		{"an envelope twice", both, bundle(`"dsseEnvelope":`, `"dsseEnvelope":{},"dsseEnvelope":`), "bundle-malformed", 0},
		{"an envelope in capitals", golang, bundle(`"dsseEnvelope":`, `"DsseEnvelope":{},"dsseEnvelope":`), "bundle-malformed", 0},
		{"an envelope and a message signature", both, bundle(`"dsseEnvelope":`, `"messageSignature":{},"dsseEnvelope":`), "bundle-malformed", 0},
		{"a bundle's version twice", both, bundle(bundleType, `"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",`+bundleType), "bundle-malformed", 0},
		{"a layout's threshold twice", both, onRelease(func(s *releaseScene) { s.asks("threshold: 2", "threshold: 2, threshold: 1") }), "layout-malformed", 0},
		{"a layout's threshold in capitals", golang, onRelease(func(s *releaseScene) { s.asks("threshold: 2", "threshold: 2, Threshold: 1") }), "layout-malformed", 0},
		{"a layout's anchor", both, onRelease(func(s *releaseScene) { s.asks("threshold: 2", "threshold: &two 2") }), "layout-malformed", 0},
		{"a functionary twice", both, onRelease(func(s *releaseScene) {
			s.asks("functionaries:\n", "functionaries:\n  alice: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: \"https://github.com/login/oauth\", identity: mallory@example.com}}\n")
		}), "layout-malformed", 0},
		{"a good build of another file beside the evil one", "go-witness GHSA-r4fv-8r9j-vgcg", onRelease(func(s *releaseScene) {
			s.app = "evil"
			s.evidence = append(s.evidence, builds("evil", otherCommit))
		}), "commit-not-joined", 0},
		{"a good build of the evil file, from a stranger's workflow", "go-witness GHSA-r4fv-8r9j-vgcg", onRelease(func(s *releaseScene) {
			s.app = "evil"
			run := attestationtest.WorkflowClaims{Repository: "mallory/app", SHA: commit}
			s.evidence = append(s.evidence, workflowSays(run, attestationtest.Statement([]attestationtest.Subject{attestationtest.File("app", []byte("evil"))}, provenanceType, attestationtest.Provenance(run))))
		}), "signer-not-functionary", 0},
		{"a link without a name", "go-witness GHSA-g9jx-rqhm-mj7g", onRelease(func(s *releaseScene) {
			s.evidence[ofBob].Payload = []byte(inPlace(s.t, string(s.evidence[ofBob].Payload), `"name":"author"`, `"name":""`))
		}), "predicate-malformed", 0},
		{"a step without a name", "go-witness GHSA-g9jx-rqhm-mj7g", onRelease(func(s *releaseScene) { s.asks("- name: author", `- name: ""`) }), "layout-malformed", 0},
		{"a step without a name, in-toto 1.0", "go-witness GHSA-g9jx-rqhm-mj7g", layout(`"name": "write-code"`, `"name": ""`), "layout-malformed", 0},
		{"a subject without a name", "go-witness GHSA-g9jx-rqhm-mj7g", onRelease(func(s *releaseScene) {
			s.asks(`subject: ["*"]`, `subject: ["app"]`)
			s.evidence[ofBuilder].Payload = attestationtest.Statement([]attestationtest.Subject{{Digest: map[string]string{"sha256": sha256Of(appText)}}}, provenanceType, attestationtest.Provenance(theRun()))
		}), "artifact-not-product", 0},
		{"a layout that asks for a predicate without a type", "go-witness GHSA-g9jx-rqhm-mj7g", onRelease(func(s *releaseScene) { s.asks(linkType, "") }), "layout-malformed", 0},
		{"a predicate without a type", "go-witness GHSA-g9jx-rqhm-mj7g", statement(`"predicateType":"`+linkType+`"`, `"predicateType":""`), "predicate-type-not-expected", 0},
	}
}

// wrongEntryOrTime: proofs that are true of something else.
func wrongEntryOrTime() []attack {
	breaks := func(b ...attestationtest.Break) play {
		return onRelease(func(s *releaseScene) { s.breaks(ofBuilder, b...) })
	}
	// stamped leaves the time to the timestamp authority alone.
	stamped := func(b ...attestationtest.Break) play {
		return onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Entry = attestationtest.EntryV2
			s.breaks(ofBuilder, b...)
		})
	}
	return []attack{
		{"an entry of another signature", "cosign CVE-2026-22703, gitsign CVE-2024-51746", breaks(attestationtest.BreakOtherEntry), "signature-invalid", 0},
		{"no entry", "cosign CVE-2022-36056", breaks(attestationtest.BreakNoEntry), "signature-invalid", 0},
		{"an entry that another key promises", "cosign CVE-2022-36056", breaks(attestationtest.BreakPromise), "signature-invalid", 0},
		{"a proof of another entry", "sigstore-go CVE-2026-54787", breaks(attestationtest.BreakInclusionProof), "signature-invalid", 0},
		{"an entry of another log, under this one's name", "sigstore-go CVE-2026-54787", breaks(attestationtest.BreakCheckpointKey), "signature-invalid", 0},
		{"a checkpoint of another log", "sigstore-go CVE-2026-54787", stamped(attestationtest.BreakCheckpointOrigin), "signature-invalid", 0},
		{"an entry after the certificate's end", "cosign CVE-2022-36056", breaks(attestationtest.BreakIntegratedTime), "signature-invalid", 0},
		{"a certificate that had ended", "cosign CVE-2022-36056", breaks(attestationtest.BreakExpiredLeaf), "signature-invalid", 0},
		{"a certificate of another authority", "go-witness GHSA-5qp5-ph6r-qj9f", breaks(attestationtest.BreakUnknownCA), "signature-invalid", 0},
		{"a certificate that no log knows", "sigstore-go CVE-2026-54787", breaks(attestationtest.BreakUnknownCTLog), "signature-invalid", 0},
		{"another certificate's place in a log", "sigstore-go CVE-2026-54787", breaks(attestationtest.BreakOtherSCT), "signature-invalid", 0},
		{"a certificate for any purpose", "crypto/x509: no usage is any usage", breaks(attestationtest.BreakNoExtKeyUsage), "certificate-malformed", 0},
		{"a timestamp is the only time", "", stamped(), "", 0},
		{"a timestamp of another signature", "timestamp-authority CVE-2026-39984", stamped(attestationtest.BreakOtherTimestamp), "signature-invalid", 0},
		{"a timestamp by another authority", "timestamp-authority CVE-2026-39984", stamped(attestationtest.BreakUnknownTSA), "signature-invalid", 0},
		{"a timestamp after the certificate's end", "go-witness GHSA-5qp5-ph6r-qj9f", stamped(attestationtest.BreakTimestampTime), "signature-invalid", 0},
		{"no timestamp", "go-witness GHSA-5qp5-ph6r-qj9f", stamped(attestationtest.BreakNoTimestamp), "signature-invalid", 0},
		{"a statement that was changed afterwards", "gitsign CVE-2024-51746", breaks(attestationtest.BreakPayload), "signature-invalid", 0},
		{"a signature that was changed afterwards", "AMPEL: failed signatures are tolerated", breaks(attestationtest.BreakSignature), "signature-invalid", 0},
	}
}

// subjectMixing: each statement is true, and they are not about one thing.
func subjectMixing() []attack {
	const publish = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	published := func(text string) play {
		return onRelease(func(s *releaseScene) {
			s.asks("functionaries:\n", "functionaries:\n  registry: {}\n")
			s.hasKey("registry", "registry", "")
			s.asks("\nsubjects:", `
  - name: publish
    expectedMaterials: ["REQUIRE app", "MATCH * WITH PRODUCTS FROM build", "DISALLOW *"]
    expectedPredicates: [{predicateType: "`+publish+`", functionaries: [registry], threshold: 1}]
subjects:`)
			s.evidence = append(s.evidence, &signedPiece{SignRequest: attestationtest.SignRequest{Key: s.key("registry"), Payload: attestationtest.Statement(
				[]attestationtest.Subject{attestationtest.File("app", []byte(text))}, publish, map[string]any{"name": "app", "version": "1.0.0"})}})
		})
	}
	const mixed = "attestation-verifier: two subjects meet a threshold of two"
	return []attack{
		{"the registry's word on the app", "", published(appText), "", 0},
		{"the registry's word on another package", "slsa-verifier GHSA-r2xv-vpr2-42m9", published("another package"), "match-failed", 0},
		{"the workflow's word on another file", "slsa-verifier GHSA-r2xv-vpr2-42m9", onRelease(func(s *releaseScene) { s.evidence[ofBuilder] = builds("another file", commit) }), "artifact-not-subject", 0},
		{"another file in hand", "slsa-verifier GHSA-r2xv-vpr2-42m9", onRelease(func(s *releaseScene) { s.app = "another file" }), "artifact-not-subject", 0},
		{"two authors of two commits", mixed, onRelease(func(s *releaseScene) { s.evidence[ofBob] = says("bob", vouch(otherCommit)) }), "statements-disagree", 0},
		{"an author's word on two commits at once", mixed, onRelease(func(s *releaseScene) {
			s.evidence[ofBob] = says("bob", attestationtest.Statement([]attestationtest.Subject{
				{Name: "git+https://github.com/acme/app", Digest: map[string]string{"gitCommit": commit}},
				{Name: "git+https://github.com/acme/lib", Digest: map[string]string{"gitCommit": otherCommit}},
			}, linkType, map[string]any{"name": "author"}))
		}), "statements-disagree", 0},
		{"built from another commit than was approved", mixed, onRelease(func(s *releaseScene) { s.evidence[ofBuilder] = builds(appText, otherCommit) }), "commit-not-joined", 0},
		{"the provenance of another run", mixed, onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].As = attestationtest.Workflow(attestationtest.WorkflowClaims{Repository: "acme/app", SHA: otherCommit})
		}), "predicate-contradicts-certificate", 0},
		{"another file in hand, in-toto 1.0", "in-toto specification, issue 27", onClassic(func(s *classicScene) { s.app = "another file" }), "artifact-not-product", 0},
		{"two authors of two sources, in-toto 1.0", "in-toto, t05", onClassic(func(s *classicScene) {
			s.links[byBob].link.Products = map[string]string{"src/main.go": "package evil"}
		}), "statements-disagree", 0},
	}
}

// digestDowngrade: a weak digest in the place of a strong one.
func digestDowngrade() []attack {
	const precedent = "go-witness GHSA-pgpm-j729-qcvh"
	const either = "in-toto attestation: one equal digest is enough"
	subject := func(digest map[string]string) play {
		return onRelease(func(s *releaseScene) {
			s.evidence[ofBuilder].Payload = attestationtest.Statement([]attestationtest.Subject{{Name: "app", Digest: digest}}, provenanceType, attestationtest.Provenance(theRun()))
		})
	}
	both := func(id string, change func(*releaseScene)) play {
		return onRelease(func(s *releaseScene) {
			s.evidence = []*signedPiece{says("alice", vouch(id)), says("bob", vouch(id)), builds(appText, id)}
			if change != nil {
				change(s)
			}
		})
	}
	product := func(step int, digests string) play {
		return onClassic(func(s *classicScene) {
			for i, sha := range []string{sha256Of("package main"), sha256Of("package main"), sha256Of(appText)} {
				if i == step || step == byBob && i == byAlice {
					s.links[i].edit = s.swaps("\"products\": {\n  \""+s.productOf(i)+"\": {\n   \"sha256\": \""+sha+"\"", "\"products\": {\n  \""+s.productOf(i)+"\": {\n   "+digests)
				}
			}
		})
	}
	long := strings.Repeat(commit, 2)[:64]
	sha512sum := sha512.Sum512([]byte(appText))
	const md5 = "0cc175b9c0f1b6a831c399e269772661"
	return []attack{
		{"an equal sha512 beside another sha256", either, subject(map[string]string{"sha256": sha256Of("evil"), "sha512": hex.EncodeToString(sha512sum[:])}), "artifact-not-subject", 0},
		{"a sha1 alone", precedent, subject(map[string]string{"sha1": commit}), "artifact-not-subject", 0},
		{"an md5 alone", precedent, subject(map[string]string{"md5": md5}), "artifact-not-subject", 0},
		{"no digest", precedent, subject(map[string]string{}), "statement-malformed", 0},
		{"an empty digest", precedent, subject(map[string]string{"sha256": ""}), "statement-malformed", 0},
		{"half a digest", precedent, subject(map[string]string{"sha256": sha256Of(appText)[:32]}), "statement-malformed", 0},
		{"a commit's colliding sha1 beside another tree", precedent, onRelease(func(s *releaseScene) {
			word := func(tree string) []byte {
				return attestationtest.CommitLink("author", attestationtest.Commit{Repository: repository, Ref: "refs/heads/main", ID: commit, Tree: tree})
			}
			s.evidence[ofAlice].Payload, s.evidence[ofBob].Payload = word(strings.Repeat("a", 40)), word(strings.Repeat("b", 40))
		}), "statements-disagree", 0},
		{"a commit of 64 digits counts", "", both(long, nil), "", 0},
		{"a commit of 40 digits where 64 are asked for", "git: sha1 object ids", both(commit, func(s *releaseScene) { s.layout += "gitHash: sha256\n" }), "git-hash-not-accepted", 0},
		{"a commit of 39 digits", "in-toto attestation v1.2.0", onRelease(func(s *releaseScene) { s.evidence[ofBob] = says("bob", vouch(commit[:39])) }), "statement-malformed", 0},
		{"an equal sha1 beside another sha256, in-toto 1.0", precedent, product(byBuilder, `"sha1": "`+commit+`", "sha256": "`+sha256Of("evil")+`"`), "artifact-not-product", 0},
		{"an md5 alone, in-toto 1.0", precedent, product(byBuilder, `"md5": "`+md5+`"`), "digest-empty", 0},
		{"a digest that is none, in-toto 1.0", "in-toto-golang, t34", product(byBuilder, `"sha256": "yes"`), "digest-malformed", 0},
		{"no digests equal no digests", "in-toto, a34", onClassic(func(s *classicScene) {
			digest := `"sha256": "` + sha256Of("package main") + `"`
			for _, link := range s.links {
				link.edit = func(whole string) string { return strings.ReplaceAll(whole, digest, "") }
			}
		}), "digest-empty", 0},
	}
}

// productOf is the one product of a link.
func (s *classicScene) productOf(link int) string {
	for name := range s.links[link].link.Products {
		return name
	}
	return ""
}

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
