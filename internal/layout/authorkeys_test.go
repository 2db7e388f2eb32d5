package layout

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/eddsa"
	pgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"golang.org/x/crypto/ssh"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// TestInTime holds signers to the time in which they count, by proven time only.
func TestInTime(t *testing.T) {
	t.Parallel()
	erin := hand(t, "erin")
	byErin := newBench(t, theCommit().Signed(signSSH(t, erin, theCommit().Raw(), attestationtest.SSHRequest{})), run{})
	gitsign, err := placeOf(t, "sigstore").Gitsign(attestationtest.GitsignRequest{Payload: theCommit().Raw(), As: attestationtest.Person("frank@example.com", github), Entry: true})
	if err != nil {
		t.Fatal(err)
	}
	byFrank := newBench(t, theCommit().Signed(gitsign), run{})
	frank := func(more string) string {
		return fmt.Sprintf("  frank-oidc: {keyType: sigstore-oidc, scheme: fulcio, keyVal: {root: sigstore, issuer: %q, identity: frank@example.com}%s}\n", github, more)
	}
	for _, c := range []struct {
		name, functionary, who string
		bench                  bench
		want                   verdict.ID
	}{
		{"gitsign, for ever", frank(""), "frank-oidc", byFrank, ""},
		{"gitsign, in its window", frank(", validity: {start: 2026-01-01T00:00:00Z, end: 2026-02-01T00:00:00Z}"), "frank-oidc", byFrank, ""},
		{"gitsign, before its start", frank(", validity: {start: 2026-01-16T00:00:00Z}"), "frank-oidc", byFrank, verdict.KeyNotValid},
		{"gitsign, after its end", frank(", validity: {end: 2026-01-10T00:00:00Z}"), "frank-oidc", byFrank, verdict.KeyNotValid},
		{"gitsign, distrusted later", frank(", distrustAfter: 2026-01-16T00:00:00Z"), "frank-oidc", byFrank, ""},
		{"gitsign, distrusted before", frank(", distrustAfter: 2026-01-10T00:00:00Z"), "frank-oidc", byFrank, verdict.SignerDistrusted},
		{"SSH, for ever", sshFunctionary(t, "erin"), "erin", byErin, ""},
		{"SSH, in a window", sshFunctionary(t, "erin", "validity: {start: 2026-01-01T00:00:00Z}"), "erin", byErin, verdict.NoProvenTime},
		{"SSH, distrusted later", sshFunctionary(t, "erin", "distrustAfter: 2026-12-01T00:00:00Z"), "erin", byErin, verdict.NoProvenTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := judgeApp(t, byHand(t, c.functionary, c.who, everyWord(), 1), c.bench.raw, c.bench.build)
			expect(t, v, c.want)
			if remedy := "signatus attest --commit " + c.bench.id; c.want == verdict.NoProvenTime && !strings.Contains(v.Findings[0].Next, remedy) {
				t.Errorf("the next step is %q", v.Findings[0].Next)
			}
		})
	}
	// A statement that is logged and names the commit lends the commit's own signature no
	// time; it counts by itself, where its signer may.
	window := sshFunctionary(t, "erin", "validity: {start: 2026-01-01T00:00:00Z}")
	expect(t, judgeApp(t, byHand(t, window, "erin", everyWord(), 1), byErin.raw, byErin.link(t, "alice"), byErin.build), verdict.NoProvenTime)
	expect(t, judgeApp(t, byHand(t, window, "erin, alice", everyWord(), 1), byErin.raw, byErin.link(t, "alice"), byErin.build), allow)
}

// TestKeyLife holds an OpenPGP key and an SSH certificate to their own life, against
// the present where nothing proves a time.
func TestKeyLife(t *testing.T) {
	t.Parallel()
	key, authority := hand(t, "carol"), hand(t, "authority")
	signed := func(edit func(*ssh.Certificate), principals ...string) bench {
		certificate, err := attestationtest.SSHCertificate(authority, key.Public(), principals, edit)
		if err != nil {
			t.Fatal(err)
		}
		return newBench(t, theCommit().Signed(signSSH(t, key, theCommit().Raw(), attestationtest.SSHRequest{Certificate: certificate})), run{})
	}
	certifier := func(name, principal string) string {
		return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: %s}}\n", name, sshLine(t, authority), principal)
	}
	hour := uint64(3600)
	at := uint64(now().Unix())
	for _, c := range []struct {
		name  string
		bench bench
		want  verdict.ID
	}{
		{"for ever", signed(nil, "carol"), ""},
		{"one of two principals", signed(nil, "dave", "carol"), ""},
		{"now", signed(func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = at-hour, at+hour }, "carol"), ""},
		{"no more", signed(func(c *ssh.Certificate) { c.ValidAfter, c.ValidBefore = at-2*hour, at-hour }, "carol"), verdict.KeyNotValid},
		{"not yet", signed(func(c *ssh.Certificate) { c.ValidAfter = at + hour }, "carol"), verdict.KeyNotValid},
		{"somebody else", signed(nil, "dave"), verdict.NotFunctionary},
	} {
		t.Run("certificate, "+c.name, func(t *testing.T) {
			t.Parallel()
			expect(t, judgeApp(t, byHand(t, certifier("carol-ca", "carol"), "carol-ca", everyWord(), 1), c.bench.raw, c.bench.build), c.want)
		})
	}
	// One key that is certified for two people is one person.
	both := certifier("carol-ca", "carol") + certifier("erin-ca", "erin")
	b := signed(nil, "carol")
	other, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"erin"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tag := attestationtest.GitTag{Object: b.id, Name: "v1", Message: "x\n"}
	twice := tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{Certificate: other}))
	expect(t, judgeApp(t, byHand(t, both, "carol-ca, erin-ca", everyWord(), 2), b.raw, twice, b.build), verdict.ThresholdNotMet)

	made := now().Add(-48 * time.Hour)
	gpg, err := attestationtest.OpenPGPKey("Grace", made, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		seconds uint32
		want    verdict.ID
	}{"for ever": {0, ""}, "a signature of a day": {86400, verdict.KeyNotValid}, "a signature of a week": {7 * 86400, ""}} {
		config := attestationtest.OpenPGPConfig(made.Add(time.Hour))
		config.SigLifetimeSecs = c.seconds
		signature, err := attestationtest.SignOpenPGP(gpg, theCommit().Raw(), config) // one at a time: the key remembers
		if err != nil {
			t.Fatal(err)
		}
		functionary := gpgFunctionary(t, "grace", gpg)
		t.Run("OpenPGP, "+name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, theCommit().Signed(signature), run{})
			expect(t, judgeApp(t, byHand(t, functionary, "grace", everyWord(), 1), b.raw, b.build), c.want)
		})
	}
}

func gpgFunctionary(t testing.TB, name string, key *pgp.Entity) string {
	t.Helper()
	text, err := attestationtest.ArmourOpenPGPKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("  %s: {keyType: gpg, scheme: openpgp, keyVal: {public: %q}}\n", name, text)
}

// TestSharedKeys finds one key under two names, in whatever form each has it.
func TestSharedKeys(t *testing.T) {
	t.Parallel()
	erin, frank := hand(t, "erin"), hand(t, "frank")
	gpg, err := attestationtest.OpenPGPKey("Grace", now(), true)
	if err != nil {
		t.Fatal(err)
	}
	pem := func(name string, key crypto.Signer) string {
		return "  " + name + ": {keyType: ed25519, keyVal: {public: " + strconv.Quote(spki(t, key)) + "}}\n"
	}
	authority := func(name, principal string) string {
		return fmt.Sprintf("  %s: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: %s}}\n", name, sshLine(t, frank), principal)
	}
	for name, c := range map[string]struct {
		functionaries, who string
		shared             bool
	}{
		"SSH and PEM":                     {sshFunctionary(t, "erin") + pem("other", erin), "erin, other", true},
		"SSH and PEM of two keys":         {sshFunctionary(t, "erin") + pem("other", frank), "erin, other", false},
		"SSH twice":                       {sshFunctionary(t, "erin") + strings.Replace(sshFunctionary(t, "erin"), "erin:", "other:", 1), "erin, other", true},
		"OpenPGP twice":                   {gpgFunctionary(t, "grace", gpg) + gpgFunctionary(t, "other", gpg), "grace, other", true},
		"OpenPGP's subkey in PEM":         {gpgFunctionary(t, "grace", gpg) + pem("other", subkeyOf(t, gpg)), "grace, other", true},
		"an authority and two people":     {authority("carol-ca", "carol") + authority("dave-ca", "dave"), "carol-ca, dave-ca", false},
		"an authority and a person twice": {authority("carol-ca", "carol") + authority("again", "carol"), "carol-ca, again", true},
		"an authority that signs itself":  {authority("carol-ca", "carol") + sshFunctionary(t, "frank"), "carol-ca, frank", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, findings := Parse("x.yml", []byte(byHand(t, c.functionaries, c.who, everyWord(), 1)), now())
			if hasFinding(findings, verdict.SharedKey) != c.shared || !c.shared && len(findings) > 0 {
				t.Errorf("shared %t, expected %t: %v", !c.shared, c.shared, findings)
			}
		})
	}
}

// TestParseSigners breaks one thing of a functionary in each row.
func TestParseSigners(t *testing.T) {
	t.Parallel()
	line := sshLine(t, hand(t, "erin"))
	for name, c := range map[string]struct {
		functionary string
		want        verdict.ID
	}{
		"good":                     {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}}", ""},
		"a certified one":          {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: carol@example.com}}", ""},
		"another scheme":           {"{keyType: ssh, scheme: ssh-ed25519, keyVal: {public: %q}}", verdict.LayoutMalformed},
		"no scheme":                {"{keyType: ssh, keyVal: {public: %q}}", verdict.LayoutMalformed},
		"an SSH key as gpg":        {"{keyType: gpg, scheme: openpgp, keyVal: {public: %q}}", verdict.FunctionaryInvalid},
		"an SSH key as ed25519":    {"{keyType: ed25519, keyVal: {public: %q}}", verdict.FunctionaryInvalid},
		"a root for gpg":           {"{keyType: gpg, scheme: openpgp, keyVal: {root: sigstore, public: %q}}", verdict.LayoutMalformed},
		"an authority for nobody":  {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q}}", verdict.LayoutMalformed},
		"a principal of nobody":    {"{keyType: ssh, scheme: sshsig, keyVal: {principal: carol}} # %q", verdict.LayoutMalformed},
		"an authority and a key":   {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %[1]q, principal: carol, public: %[1]q}}", verdict.LayoutMalformed},
		"a pattern as principal":   {"{keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: \"*@example.com\"}}", verdict.GlobMalformed},
		"a window that is empty":   {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, validity: {start: 2027-01-01T00:00:00Z, end: 2026-01-01T00:00:00Z}}", verdict.LayoutMalformed},
		"a window of nothing":      {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, validity: {}}", verdict.LayoutMalformed},
		"a distrust without a day": {"{keyType: ssh, scheme: sshsig, keyVal: {public: %q}, distrustAfter: \"\"}", verdict.LayoutMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := byHand(t, "  somebody: "+fmt.Sprintf(c.functionary, line)+"\n", "alice", everyWord(), 1)
			_, findings := Parse("x.yml", []byte(text), now())
			if c.want == "" && len(findings) > 0 || c.want != "" && !hasFinding(findings, c.want) {
				t.Errorf("got %v, expected %q", findings, c.want)
			}
		})
	}
}

// subkeyOf is the subkey that signs for an OpenPGP key.
func subkeyOf(t testing.TB, key *pgp.Entity) crypto.Signer {
	t.Helper()
	private, ok := key.Subkeys[len(key.Subkeys)-1].PrivateKey.PrivateKey.(*eddsa.PrivateKey)
	if !ok {
		t.Fatal("the subkey is no Ed25519 key")
	}
	return ed25519.NewKeyFromSeed(private.D)
}

// TestOneKeyholder has one key in two hands, so to speak: as a subkey of grace's
// OpenPGP key, and certified for erin by an SSH authority. Whoever holds it is one
// person, whichever of the two is looked at first.
func TestOneKeyholder(t *testing.T) {
	t.Parallel()
	made := now().Add(-48 * time.Hour)
	grace, err := attestationtest.OpenPGPKey("Grace", made, true)
	if err != nil {
		t.Fatal(err)
	}
	config := attestationtest.OpenPGPConfig(made.Add(time.Hour))
	signature, err := attestationtest.SignOpenPGP(grace, theCommit().Raw(), config)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, theCommit().Signed(signature), run{})
	authority := hand(t, "authority")
	tag := attestationtest.GitTag{Object: b.id, Name: "v1", Message: "x\n"}
	tagged := func(key crypto.Signer) []byte {
		certificate, err := attestationtest.SSHCertificate(authority, key.Public(), []string{"erin"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return tag.Signed(signSSH(t, key, tag.Raw(), attestationtest.SSHRequest{Certificate: certificate}))
	}
	both := gpgFunctionary(t, "grace", grace) + fmt.Sprintf("  erin-ca: {keyType: ssh, scheme: sshsig, keyVal: {authority: %q, principal: erin}}\n", sshLine(t, authority))
	layout := byHand(t, both, "grace, erin-ca", everyWord(), 2)
	same, other := tagged(subkeyOf(t, grace)), tagged(hand(t, "erin"))
	expect(t, judgeApp(t, layout, b.raw, other, b.build), allow)
	expect(t, judgeApp(t, layout, b.raw, same, b.build), verdict.ThresholdNotMet)
	expect(t, judgeApp(t, layout, same, b.raw, b.build), verdict.ThresholdNotMet)
}
