package attestation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/signatus-dev/signatus/internal/attestationtest"
)

// keyed is a certificate with its key.
type keyed struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// certify issues a certificate; by nil, it signs itself.
func certify(t testing.TB, name string, by *keyed, change func(*x509.Certificate)) *keyed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certifyKey(t, name, by, key, change)
}

func certifyKey(t testing.TB, name string, by *keyed, key *ecdsa.PrivateKey, change func(*x509.Certificate)) *keyed {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: epoch.AddDate(-5, 0, 0), NotAfter: epoch.AddDate(5, 0, 0),
		MaxPathLen: -1,
	}
	change(template)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &keyed{cert, key}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign
}

func codeSigner(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = epoch, epoch.Add(10*time.Minute)
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	c.Subject = pkix.Name{}
	c.EmailAddresses = []string{"alice@example.com"}
}

func both(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			change(c)
		}
	}
}

// TestPinnedAuthority breaks one thing in a hierarchy at a time and asks the
// pinned authority and sigstore-go's at many instants. What the pinned one
// accepts, sigstore-go's must; and the plain hierarchy must take the pinned way.
func TestPinnedAuthority(t *testing.T) {
	t.Parallel()
	type hierarchy struct{ root, intermediate, leaf func(*x509.Certificate) }
	window := func(from, to time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = epoch.Add(from), epoch.Add(to) }
	}
	usage := func(usages ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = usages }
	}
	pathLength := func(n int) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
	}
	extension := func(critical bool, id ...int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: []byte{asn1.TagNull, 0}})
		}
	}
	requireExplicitPolicy := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 0x03, 0x80, 0x01, 0x00}})
	}
	rows := []struct {
		name    string
		h       hierarchy
		valid   bool // at epoch
		pinned  bool // at epoch, by the pinned way
		authSet func(*root.FulcioCertificateAuthority)
	}{
		{"plain", hierarchy{}, true, true, nil},
		{"intermediate for code signing", hierarchy{intermediate: usage(x509.ExtKeyUsageCodeSigning)}, true, true, nil},
		{"intermediate for any usage", hierarchy{intermediate: usage(x509.ExtKeyUsageAny)}, true, true, nil},
		{"intermediate for another usage", hierarchy{intermediate: usage(x509.ExtKeyUsageServerAuth)}, false, false, nil},
		{"root for another usage", hierarchy{root: usage(x509.ExtKeyUsageServerAuth)}, false, false, nil},
		{"leaf for another usage", hierarchy{leaf: usage(x509.ExtKeyUsageServerAuth)}, false, false, nil},
		{"leaf for no usage in particular", hierarchy{leaf: usage()}, true, true, nil},
		{"path lengths that fit", hierarchy{root: pathLength(1), intermediate: pathLength(0)}, true, true, nil},
		{"root's path length too short", hierarchy{root: pathLength(0)}, false, false, nil},
		{"intermediate expired", hierarchy{intermediate: window(-48*time.Hour, -time.Hour)}, false, false, nil},
		{"intermediate not valid yet", hierarchy{intermediate: window(time.Hour, 48*time.Hour)}, false, false, nil},
		{"root expired", hierarchy{root: window(-48*time.Hour, -time.Hour)}, false, false, nil},
		{"intermediate and root never valid at once", hierarchy{root: window(-48*time.Hour, -24*time.Hour), intermediate: window(-time.Hour, time.Hour)}, false, false, nil},
		{"leaf expired", hierarchy{leaf: window(-time.Hour, -time.Minute)}, false, false, nil},
		{"leaf an authority", hierarchy{leaf: authority}, true, false, nil},
		{"leaf with a critical extension", hierarchy{leaf: extension(true, 1, 2, 3)}, false, false, nil},
		{"leaf with an unknown extension", hierarchy{leaf: extension(false, 1, 2, 3)}, true, true, nil},
		{"intermediate with a critical extension", hierarchy{intermediate: extension(true, 1, 2, 3)}, false, false, nil},
		{"intermediate no authority", hierarchy{intermediate: func(c *x509.Certificate) { c.IsCA = false }}, false, false, nil},
		{"intermediate not for certificates", hierarchy{intermediate: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }}, false, false, nil},
		{"name constraints that allow", hierarchy{intermediate: func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"example.com"} }}, true, false, nil},
		{"name constraints that forbid", hierarchy{intermediate: func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"example.org"} }}, false, false, nil},
		{"name constraints of the root that forbid", hierarchy{root: func(c *x509.Certificate) { c.ExcludedEmailAddresses = []string{"example.com"} }}, false, false, nil},
		{"policy constraints", hierarchy{intermediate: requireExplicitPolicy}, false, false, nil},
		{"policy constraints of the leaf", hierarchy{leaf: requireExplicitPolicy}, false, false, nil},
		{"authority's window over", hierarchy{}, false, false, func(ca *root.FulcioCertificateAuthority) { ca.ValidityPeriodEnd = epoch.Add(-time.Second) }},
		{"authority's window to come", hierarchy{}, false, false, func(ca *root.FulcioCertificateAuthority) { ca.ValidityPeriodStart = epoch.Add(time.Second) }},
		{"authority's window, its ends", hierarchy{}, true, true, func(ca *root.FulcioCertificateAuthority) {
			ca.ValidityPeriodStart, ca.ValidityPeriodEnd = epoch, epoch
		}},
		{"leaf named like its issuer", hierarchy{leaf: func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "intermediate"} }}, true, false, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			change := func(f func(*x509.Certificate)) func(*x509.Certificate) {
				if f == nil {
					return func(*x509.Certificate) {}
				}
				return f
			}
			top := certify(t, "root", nil, both(authority, change(row.h.root)))
			middle := certify(t, "intermediate", top, both(authority, change(row.h.intermediate)))
			leaf := certify(t, "", middle, both(codeSigner, change(row.h.leaf)))
			plain := &root.FulcioCertificateAuthority{Root: top.Certificate, Intermediates: []*x509.Certificate{middle.Certificate}}
			if row.authSet != nil {
				row.authSet(plain)
			}
			pinned := pinAuthority(plain)
			if _, err := plain.Verify(leaf.Certificate, epoch); (err == nil) != row.valid {
				t.Fatalf("sigstore-go says %v, the row is wrong", err)
			}
			if got := pinned.pinned(leaf.Certificate, epoch) != nil; got != row.pinned {
				t.Errorf("pinned way taken: %t, expected %t", got, row.pinned)
			}
			sameAnswers(t, pinned, plain, leaf.Certificate)
		})
	}
}

// sameAnswers asks both authorities at instants around everything's validity,
// twice, so that the second time the leaf is remembered.
func sameAnswers(t *testing.T, pinned *pinnedAuthority, plain *root.FulcioCertificateAuthority, leaf *x509.Certificate) {
	t.Helper()
	instants := []time.Time{epoch, epoch.Add(-time.Second), epoch.Add(time.Second), epoch.Add(10 * time.Minute), epoch.Add(10*time.Minute + 1),
		epoch.AddDate(-6, 0, 0), epoch.AddDate(6, 0, 0), epoch.Add(-24 * time.Hour), epoch.Add(24 * time.Hour)}
	for range 2 {
		for _, at := range instants {
			want, wantErr := plain.Verify(leaf, at)
			got, err := pinned.Verify(leaf, at)
			if (err == nil) != (wantErr == nil) {
				t.Errorf("at %s: %v, sigstore-go says %v", at, err, wantErr)
			}
			if err == nil && !slices.EqualFunc(got[0], want[0], (*x509.Certificate).Equal) {
				t.Errorf("at %s: another chain than sigstore-go's", at)
			}
		}
	}
	if _, err := pinned.Verify(leaf, time.Time{}); err == nil {
		t.Error("accepted without a time")
	}
}

// TestPinnedAuthorityOther holds hierarchies of other shapes to sigstore-go.
func TestPinnedAuthorityOther(t *testing.T) {
	t.Parallel()
	top := certify(t, "root", nil, authority)
	first := certify(t, "first", top, authority)
	second := certify(t, "second", first, authority)
	stranger := certify(t, "first", nil, authority) // of the same name, another key
	renewed := certifyKey(t, "first", top, first.key, both(authority, func(c *x509.Certificate) { c.NotAfter = epoch.AddDate(9, 0, 0) }))
	rows := []struct {
		name          string
		issuer        *keyed
		intermediates []*x509.Certificate
	}{
		{"no intermediate", top, nil},
		{"two intermediates", second, []*x509.Certificate{second.Certificate, first.Certificate}},
		{"an intermediate missing", second, []*x509.Certificate{second.Certificate}},
		{"a stranger's intermediate of the same name", first, []*x509.Certificate{stranger.Certificate, first.Certificate}},
		{"issued by the stranger", stranger, []*x509.Certificate{stranger.Certificate, first.Certificate}},
		{"an intermediate and its renewal", first, []*x509.Certificate{first.Certificate, renewed.Certificate}},
		{"the root among the intermediates", first, []*x509.Certificate{top.Certificate, first.Certificate}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			leaf := certify(t, "", row.issuer, codeSigner)
			plain := &root.FulcioCertificateAuthority{Root: top.Certificate, Intermediates: row.intermediates}
			sameAnswers(t, pinAuthority(plain), plain, leaf.Certificate)
			// The root itself as a leaf has a chain of one in crypto/x509.
			sameAnswers(t, pinAuthority(plain), plain, top.Certificate)
		})
	}
}

// TestPinnedAuthorityRemembers holds the memory: it is bounded, it keeps
// successes only, and it serves many goroutines.
func TestPinnedAuthorityRemembers(t *testing.T) {
	t.Parallel()
	top := certify(t, "root", nil, authority)
	middle := certify(t, "intermediate", top, authority)
	leaf := certify(t, "", middle, codeSigner)
	forged := certify(t, "", certify(t, "intermediate", nil, authority), codeSigner)
	pinned := pinAuthority(&root.FulcioCertificateAuthority{Root: top.Certificate, Intermediates: []*x509.Certificate{middle.Certificate}})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := pinned.Verify(leaf.Certificate, epoch); err != nil {
				t.Error(err)
			}
			if _, err := pinned.Verify(forged.Certificate, epoch); err == nil {
				t.Error("accepted a forged certificate")
			}
			// Remembering the leaf must not make it valid at another time.
			if _, err := pinned.Verify(leaf.Certificate, epoch.Add(time.Hour)); err == nil {
				t.Error("accepted a remembered certificate after its end")
			}
		})
	}
	group.Wait()
	i := pinned.issuers()[0]
	if len(i.leaves) != 1 {
		t.Errorf("%d leaves remembered, expected 1", len(i.leaves))
	}
	for n := range maxRemembered + 10 {
		i.leaves[[32]byte{1, byte(n), byte(n >> 8)}] = struct{}{}
	}
	next := certify(t, "", middle, codeSigner)
	if _, err := pinned.Verify(next.Certificate, epoch); err != nil || len(i.leaves) != 1 {
		t.Errorf("%d leaves remembered after the memory was full, %v", len(i.leaves), err)
	}
}

// TestPinnedTimestamper holds the pinned timestamp authority to sigstore-go's
// over windows of every certificate and of the authority.
func TestPinnedTimestamper(t *testing.T) {
	t.Parallel()
	s, material := newInstance(t, attestationtest.GitHub())
	plain := *material.TimestampingAuthorities()[0].(*root.SigstoreTimestampingAuthority)
	signature := []byte("signature")
	windows := []func(*root.SigstoreTimestampingAuthority){
		func(*root.SigstoreTimestampingAuthority) {},
		func(a *root.SigstoreTimestampingAuthority) { a.ValidityPeriodEnd = s.Now() },
		func(a *root.SigstoreTimestampingAuthority) { a.ValidityPeriodEnd = s.Now().Add(-time.Second) },
		func(a *root.SigstoreTimestampingAuthority) { a.ValidityPeriodStart = s.Now().Add(time.Second) },
		// An expired root: only times differ, so that the signature holds.
		func(a *root.SigstoreTimestampingAuthority) {
			expired := *a.Root
			expired.NotAfter = s.Now().Add(-time.Second)
			a.Root = &expired
		},
		func(a *root.SigstoreTimestampingAuthority) {
			other := certify(t, "other", nil, authority)
			a.Root = other.Certificate
		},
	}
	other, _ := newInstance(t, attestationtest.GitHub())
	for i, change := range windows {
		tsa := plain
		change(&tsa)
		pinned := pinTimestamper(&tsa)
		for _, at := range []time.Time{s.Now(), s.Now().Add(time.Hour), s.Now().AddDate(-6, 0, 0), s.Now().AddDate(30, 0, 0)} {
			for _, by := range []*attestationtest.Sigstore{s, other} {
				token, err := by.TSA.Stamp(signature, at)
				if err != nil {
					t.Fatal(err)
				}
				for _, message := range [][]byte{signature, []byte("another")} {
					want, wantErr := tsa.Verify(token, message)
					got, err := pinned.Verify(token, message)
					if (err == nil) != (wantErr == nil) {
						t.Errorf("window %d at %s: %v, sigstore-go says %v", i, at, err, wantErr)
					}
					if err == nil && (!got.Time.Equal(want.Time) || got.URI != want.URI) {
						t.Errorf("window %d: %v, sigstore-go says %v", i, got, want)
					}
				}
			}
		}
	}
}
