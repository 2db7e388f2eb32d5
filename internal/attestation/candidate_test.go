package attestation

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signatus-dev/signatus/internal/attestationtest"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// signed is one good bundle, in one line.
func signed(t testing.TB) []byte {
	t.Helper()
	s, _ := newInstance(t, attestationtest.PublicGood())
	b, err := s.Sign(provenance(1))
	if err != nil {
		t.Fatal(err)
	}
	return b.JSON
}

// TestCandidatesRefuse hands in what people hand in by mistake. Each refusal
// says what it is.
func TestCandidatesRefuse(t *testing.T) {
	t.Parallel()
	good := signed(t)
	replace := func(before, after string) []byte {
		if !bytes.Contains(good, []byte(before)) {
			t.Fatalf("no %s in the bundle", before)
		}
		return bytes.Replace(good, []byte(before), []byte(after), 1)
	}
	media := "application/vnd.dev.sigstore.bundle.v0.3+json"
	word := func(n int) []byte {
		return []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s"), n)) + "\n")
	}
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	rows := []struct {
		name string
		data []byte
		id   verdict.ID
		says string
	}{
		{"empty", nil, verdict.BundleMalformed, "the file is empty"},
		{"blank", []byte(" \n\n"), verdict.BundleMalformed, "the file is empty"},
		{"byte order mark", append([]byte("\xef\xbb\xbf"), good...), verdict.BundleMalformed, "byte order mark"},
		{"UTF-16 with a mark", []byte("\xff\xfe{\x00}\x00"), verdict.BundleMalformed, "UTF-16"},
		{"UTF-16 without", []byte("{\x00}\x00"), verdict.BundleMalformed, "UTF-16"},
		{"HTML", []byte("<!DOCTYPE html><html></html>"), verdict.BundleMalformed, "HTML"},
		{"HTML in lines", []byte("<!DOCTYPE html>\n<html>\n</html>\n"), verdict.BundleMalformed, "HTML"},
		{"PEM", []byte("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), verdict.BundleMalformed, "PEM"},
		{"gzip", []byte("\x1f\x8b\x08\x00"), verdict.BundleMalformed, "compressed"},
		{"list", []byte("[" + string(good) + "]"), verdict.BundleMalformed, "JSON list"},
		{"word", []byte("Not Found"), verdict.BundleMalformed, `starts with "Not Found"`},
		{"shortest signature", word(minBareSignature), verdict.BundleMalformed, "a signature alone"},
		{"longest signature", word(maxBareSignature), verdict.BundleMalformed, "a signature alone"},
		{"shorter than a signature", word(minBareSignature - 1), verdict.BundleMalformed, "not JSON"},
		{"longer than a signature", word(maxBareSignature + 1), verdict.BundleMalformed, "not JSON"},
		{"number", []byte("404"), verdict.BundleMalformed, "not JSON"},
		{"truncated", good[:len(good)/2], verdict.BundleMalformed, "ends in the middle"},
		{"trailing data", append(bytes.Clone(good), "x"...), verdict.BundleMalformed, "more data after the document"},
		{"two indented documents", []byte("{\n}\n{\n}\n"), verdict.BundleMalformed, "line 3 column 1: more data after the document"},
		{"duplicate key", replace(`{"mediaType"`, `{"dsseEnvelope":1,"mediaType"`), verdict.BundleMalformed, `duplicate key "dsseEnvelope"`},
		{"duplicate key, escaped", replace(`"payloadType"`, `"payload\u0054ype":"x","payloadType"`), verdict.BundleMalformed, `duplicate key "payloadType"`},
		{"duplicate field, as protobuf spells it", replace(`{"mediaType"`, `{"media_type":"`+media+`","mediaType"`), verdict.BundleMalformed, "duplicate field"},
		{"invalid UTF-8", replace(`"payloadType":"application`, "\"payloadType\":\"\xff"), verdict.BundleMalformed, "invalid UTF-8"},
		{"too deep", []byte(deep(MaxDepth + 1)), verdict.BundleMalformed, "nested more than 64 deep"},
		{"deep enough", []byte(deep(MaxDepth)), verdict.BundleMalformed, "it has no mediaType"},
		{"too large", append(append([]byte(`{"a":"`), bytes.Repeat([]byte("a"), MaxBundleSize)...), `"}`...), verdict.BundleMalformed, "at most 33554432"},
		{"bare DSSE", []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}`), verdict.BundleMalformed, "0 signatures, expected 1 to 64"},
		{"DSSE with a certificate", []byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"e30=","cert":"x"}]}`), verdict.BundleMalformed, "bare DSSE envelope; it has no verification material"},
		{"statement", []byte(`{"_type":"https://in-toto.io/Statement/v1"}`), verdict.BundleMalformed, "without a signature"},
		{"Metablock", []byte(`{"signed":{},"signatures":[]}`), verdict.BundleMalformed, "classic in-toto"},
		{"cosign's old bundle", []byte(`{"base64Signature":"","cert":"","rekorBundle":{}}`), verdict.BundleMalformed, "cosign's old bundle"},
		{"trusted root", []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`), verdict.BundleMalformed, "--trusted-root"},
		{"signing config", []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`), verdict.BundleMalformed, "the bundle that signing"},
		{"image manifest", []byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`), verdict.BundleMalformed, "--from oci"},
		{"other document", []byte(`{"mediaType":"text/plain"}`), verdict.BundleMalformed, "text/plain"},
		{"other object", []byte(`{}`), verdict.BundleMalformed, "no mediaType"},
		{"no media type", replace(`"mediaType":"`+media+`",`, ""), verdict.BundleMalformed, "media type"},
		{"unknown field", replace(`{"mediaType"`, `{"extra":1,"mediaType"`), verdict.BundleMalformed, `unknown field "extra"`},
		{"long value", replace(`"payload":"`, `"payload":"`+strings.Repeat("!", 100000)), verdict.BundleMalformed, "invalid value for bytes field payload"},
		{"long key", []byte(`{"a":1,"` + strings.Repeat("a", 100000) + `":1}`), verdict.BundleMalformed, "no mediaType"},
		{"case variant", replace(`"dsseEnvelope"`, `"DSSEEnvelope"`), verdict.BundleMalformed, "unknown field"},
		{"v0.4", replace(media, "application/vnd.dev.sigstore.bundle.v0.4+json"), verdict.BundleTooNew, `version "0.4"`},
		{"v1", []byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v1+json","new":{}}`), verdict.BundleTooNew, `version "1"`},
		{"version=0.4", replace(media, "application/vnd.dev.sigstore.bundle+json;version=0.4"), verdict.BundleTooNew, `version "0.4"`},
		{"v0.0", replace(media, "application/vnd.dev.sigstore.bundle+json;version=0.0"), verdict.BundleMalformed, "media type"},
		{"no content", []byte(`{"mediaType":"` + media + `","verificationMaterial":{"certificate":{"rawBytes":"AA=="}}}`), verdict.BundleMalformed, "neither a dsseEnvelope nor a messageSignature"},
		{"no material", []byte(`{"mediaType":"` + media + `","dsseEnvelope":{"payload":"e30=","signatures":[{"sig":"AA=="}]}}`), verdict.BundleMalformed, "neither a certificate nor a public key"},
		{"no attestations", []byte(`{"attestations":[]}`), verdict.BundleMalformed, "lists no attestations"},
		{"attestations no list", []byte(`{"attestations":{}}`), verdict.BundleMalformed, "an object, expected a list"},
		{"GitHub's answer without a bundle", []byte(`{"attestations":[{"bundle":null,"bundle_url":"https://x"}]}`), verdict.BundleMalformed, "fetch the bundle from its bundle_url"},
		{"PEP 740 without version", []byte(`{"verification_material":{},"envelope":{}}`), verdict.BundleMalformed, "no version"},
		{"PEP 740 version 2", []byte(`{"version":2,"verification_material":{},"envelope":{}}`), verdict.BundleTooNew, "version 2"},
		{"PEP 740 without certificate", []byte(`{"version":1,"verification_material":{},"envelope":{}}`), verdict.BundleMalformed, "reading certificate"},
		{"PEP 740 provenance version 2", []byte(`{"version":2,"attestation_bundles":[]}`), verdict.BundleTooNew, "version 2"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			found, refused := Candidates("app.json", row.data)
			if len(found) > 0 || len(refused) == 0 {
				t.Fatalf("%d found, %d refused", len(found), len(refused))
			}
			r := refused[0]
			if r.ID != row.id || !strings.Contains(r.Error(), row.says) || !strings.HasPrefix(r.Source, "app.json") {
				t.Errorf("got %s %q, expected %s that says %q", r.ID, r, row.id, row.says)
			}
			if strings.ContainsAny(r.Error(), "\n\x00") || len(r.Error()) > 800 {
				t.Errorf("not one line of a bearable length: %q", r)
			}
			if f := r.Finding(); f.ID != r.ID || f.Where != r.Source || f.Found == "" {
				t.Errorf("finding %+v", f)
			}
		})
	}
}

// TestCandidatesLines reads JSON lines: a bad line is refused with its number,
// and takes no good one with it.
func TestCandidatesLines(t *testing.T) {
	t.Parallel()
	good := string(signed(t))
	indented := strings.Replace(good, "{", "{\n  ", 1) + "\n"
	rows := []struct {
		name, data string
		found      []string
		refused    []string
	}{
		{"one document", good, []string{"f"}, nil},
		{"one document, ends with a line", good + "\n\n", []string{"f"}, nil},
		{"one indented document", indented, []string{"f"}, nil},
		{"two lines", good + "\n" + good, []string{"f line 1", "f line 2"}, nil},
		{"blank lines and CRLF", "\n" + good + "\r\n \r\n" + good + "\r\n", []string{"f line 2", "f line 4"}, nil},
		{"bad line between", good + "\n{\"a\":1\n" + good, []string{"f line 1", "f line 3"}, []string{"f line 2"}},
		{"bad first line", "garbage\n" + good, []string{"f line 2"}, []string{"f line 1"}},
		{"truncated first line", good[:100] + "\n" + good, []string{"f line 2"}, []string{"f line 1"}},
		{"truncated last line", good + "\n" + good[:100], []string{"f line 1"}, []string{"f line 2"}},
		{"trailing data on a line", good + "\n" + good + " x\n" + good, []string{"f line 1", "f line 3"}, []string{"f line 2"}},
		{"other documents", `{"payload":"","signatures":[]}` + "\n" + good, []string{"f line 2"}, []string{"f line 1"}},
		{"a list", `{"attestations":[{"bundle":` + good + `},{"bundle":null},{"bundle":` + good + `}]}`, []string{"f attestation 1", "f attestation 3"}, []string{"f attestation 2"}},
		{"a list on a line", good + "\n" + `{"attestations":[{"bundle":` + good + `}]}`, []string{"f line 1", "f line 2 attestation 1"}, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var found, refused []string
			cs, rs := Candidates("f", []byte(row.data))
			for _, c := range cs {
				found = append(found, c.Source())
				if c.Digest() != cs[0].Digest() {
					t.Errorf("equal bundles have digests %s and %s", c.Digest(), cs[0].Digest())
				}
			}
			for _, r := range rs {
				refused = append(refused, r.Source)
			}
			if diff := cmp.Diff(row.found, found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.refused, refused); diff != "" {
				t.Errorf("refused (-want +got):\n%s\n%v", diff, rs)
			}
		})
	}
}

func TestCandidatesBounds(t *testing.T) {
	t.Parallel()
	lines := bytes.Repeat([]byte("{}\n"), MaxPieces)
	if found, refused := Candidates("f", lines); len(found) != 0 || len(refused) != MaxPieces {
		t.Errorf("%d found and %d refused of %d lines", len(found), len(refused), MaxPieces)
	}
	if found, refused := Candidates("f", append(lines, "{}\n"...)); len(found) != 0 || len(refused) != 1 {
		t.Errorf("%d found and %d refused of one line too many", len(found), len(refused))
	}
	// A file of lines may be larger than one piece may.
	good := signed(t)
	large := append(append(bytes.Clone(good), '\n'), bytes.Repeat([]byte(" "), MaxBundleSize)...)
	if found, refused := Candidates("f", large); len(found) != 1 || len(refused) != 0 {
		t.Errorf("large file: %d found, %v", len(found), refused)
	}
}

// TestScanObject holds the scanner to its sentence, and its members to the
// object's.
func TestScanObject(t *testing.T) {
	t.Parallel()
	o, err := scanObject([]byte(" {\"a\" : [1, {\"a\":2}] , \"\\u0062\":\"x\\ny\",\"c\": null}\ttail"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s|%s|%s|%q|%s|%q", o.raw, o.get("a"), o.get("b"), o.text("b"), o.get("c"), o.rest)
	want := `{"a" : [1, {"a":2}] , "\u0062":"x\ny","c": null}|[1, {"a":2}]|"x\ny"|"x\ny"|null|"\ttail"`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(o.members) != 3 || o.has("a", "d") || o.text("a") != "" {
		t.Errorf("members %v", o.members)
	}
	parts, err := elements(o.get("a"))
	if err != nil || len(parts) != 2 || string(parts[0]) != "1" || string(parts[1]) != `{"a":2}` {
		t.Errorf("elements %s, %v", parts, err)
	}
}
