package registry

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

const (
	someEnvelope    = `{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AAAA"}]}`
	someCertificate = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n"
)

// someEntry is a log's entry as cosign writes it.
func someEntry() string {
	body := base64.StdEncoding.EncodeToString([]byte(`{"apiVersion":"0.0.1","kind":"dsse","spec":{}}`))
	return fmt.Sprintf(`{"SignedEntryTimestamp":"BBBB","Payload":{"body":%q,"integratedTime":1740520687,"logIndex":174000000,"logID":"c0d2"}}`, body)
}

// TestBundleOf makes bundles of what cosign keeps in annotations, and breaks one thing
// at a time. What is not refused here is opened elsewhere.
func TestBundleOf(t *testing.T) {
	t.Parallel()
	got, err := bundleOf([]byte(someEnvelope), map[string]string{
		cosignCertificate: someCertificate + someCertificate, cosignEntry: someEntry(), cosignTimestamp: `{"SignedRFC3161Timestamp":"CCCC"}`,
	})
	want := `{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1","verificationMaterial":{"x509CertificateChain":{"certificates":[{"rawBytes":"AAEC"}]},` +
		`"tlogEntries":[{"logIndex":"174000000","logId":{"keyId":"wNI="},"kindVersion":{"kind":"dsse","version":"0.0.1"},"integratedTime":"1740520687",` +
		`"inclusionPromise":{"signedEntryTimestamp":"BBBB"},"canonicalizedBody":"eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiZHNzZSIsInNwZWMiOnt9fQ=="}],` +
		`"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"CCCC"}]}},"dsseEnvelope":` + someEnvelope + `}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	// By a key, there is nothing but the envelope.
	if got, err := bundleOf([]byte(someEnvelope), nil); err != nil || string(got) != someEnvelope {
		t.Errorf("%s (%v)", got, err)
	}
	for name, row := range map[string]struct {
		change func(map[string]string)
		says   string
	}{
		"no PEM": {func(a map[string]string) { a[cosignCertificate] = "AAEC" }, "no certificate in PEM"},
		"a key": {func(a map[string]string) {
			a[cosignCertificate] = strings.ReplaceAll(someCertificate, "CERTIFICATE", "PUBLIC KEY")
		}, "no certificate in PEM"},
		"an entry of no form": {func(a map[string]string) { a[cosignEntry] = "[]" }, "no entry of a log"},
		"an entry cut short":  {func(a map[string]string) { a[cosignEntry] = someEntry()[:40] }, "no entry of a log"},
		"a key twice": {func(a map[string]string) {
			a[cosignEntry] = strings.Replace(someEntry(), `"logID"`, `"logID":"00","logID"`, 1)
		}, "no entry of a log"},
		"no base64": {func(a map[string]string) { a[cosignEntry] = strings.Replace(someEntry(), "BBBB", "B", 1) }, "no entry of a log"},
		"a body of no form": {func(a map[string]string) {
			a[cosignEntry] = strings.Replace(someEntry(), `"body":"`, `"body":"AAAA`, 1)
		}, "its body is no entry"},
		"a log without a name": {func(a map[string]string) { a[cosignEntry] = strings.Replace(someEntry(), "c0d2", "log", 1) }, "not hexadecimal"},
		"no timestamp":         {func(a map[string]string) { a[cosignTimestamp] = "{}" }, "no timestamp"},
		"no envelope":          {nil, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			annotations, envelope := map[string]string{cosignCertificate: someCertificate, cosignEntry: someEntry()}, someEnvelope
			if row.change == nil {
				envelope += "}"
			} else {
				row.change(annotations)
			}
			if got, err := bundleOf([]byte(envelope), annotations); err == nil || got != nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s (%v), expected %q", got, err, row.says)
			}
		})
	}
}

// FuzzBundleOf: what comes out is one JSON object with the envelope as it was, or an
// error.
func FuzzBundleOf(f *testing.F) {
	f.Add(someEnvelope, someCertificate, someEntry(), `{"SignedRFC3161Timestamp":"CCCC"}`)
	f.Add("{}", someCertificate, "null", "null")
	f.Add("", "", "", "")
	f.Fuzz(func(t *testing.T, envelope, certificate, entry, stamp string) {
		got, err := bundleOf([]byte(envelope), map[string]string{cosignCertificate: certificate, cosignEntry: entry, cosignTimestamp: stamp})
		if err != nil || certificate == "" {
			return
		}
		var bundle struct {
			MediaType            string         `json:"mediaType"`
			VerificationMaterial jsontext.Value `json:"verificationMaterial"`
			Envelope             jsontext.Value `json:"dsseEnvelope"`
		}
		if err := json.Unmarshal(got, &bundle, json.RejectUnknownMembers(true)); err != nil || bundle.MediaType != bundleTypeOfCosign {
			t.Errorf("%s: %v", got, err)
		}
		have := jsontext.Value(envelope)
		if have.Compact() != nil || bundle.Envelope.Compact() != nil || string(have) != string(bundle.Envelope) {
			t.Errorf("%s is %s", envelope, bundle.Envelope)
		}
	})
}

// FuzzDocument: what is read as a manifest or an index is one of the two, and its own
// bytes.
func FuzzDocument(f *testing.F) {
	for _, kind := range manifestKinds() {
		f.Add(`{"schemaVersion":2,"mediaType":"`+kind+`","config":{},"layers":[]}`, kind)
		f.Add(`{"schemaVersion":2,"manifests":[{"digest":"sha256:x","platform":{"os":"linux"}}]}`, kind)
	}
	f.Fuzz(func(t *testing.T, data, served string) {
		d, err := parseDocument([]byte(data), served)
		if err != nil {
			return
		}
		if d.isIndex() == (d.Config != nil || d.Layers != nil) || d.isIndex() != (d.Manifests != nil) || d.descriptor.Digest != digestOf([]byte(data)) {
			t.Errorf("%q as %q: %+v", data, served, d)
		}
		for _, m := range d.Manifests {
			if text := m.Platform.String(); strings.ContainsAny(text, "@#: \n") || len(text) > 100 {
				t.Errorf("platform %q", text)
			}
		}
	})
}
