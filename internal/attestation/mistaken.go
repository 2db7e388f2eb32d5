package attestation

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// nameBundle is the next step where something is in a bundle's place.
const nameBundle = "name the file with the bundle, as attest, cosign, gh or npm gave it"

// notJSON recognises what is handed to verifiers by mistake.
func notJSON(data []byte) error {
	trimmed := bytes.TrimSpace(data)
	why := &reason{expected: "a Sigstore bundle (JSON), or one bundle a line"}
	switch {
	case len(trimmed) == 0:
		why.found, why.next = "the file is empty", "fetch it again; an empty answer often means that there is no attestation"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.HasPrefix(data, []byte("{\x00")), bytes.HasPrefix(data, []byte("\x00{")):
		why.found, why.next = "the text is UTF-16", "save it as UTF-8 (PowerShell: Out-File -Encoding utf8NoBOM)"
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		why.found, why.next = "the text starts with a byte order mark", "save it as UTF-8 without one"
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN")):
		why.found, why.next = "this is a PEM file, a key or a certificate", "name the bundle here; a public key goes to --key"
	case trimmed[0] == '<':
		why.found, why.next = "this is an HTML or XML page", "fetch the file again: a log-in or error page came in its place"
	case bytes.HasPrefix(data, []byte("\x1f\x8b")), bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		why.found, why.next = "this is a compressed file", "unpack it first"
	case trimmed[0] == '[':
		why.found, why.next = "this is a JSON list", "write one bundle a line instead (jq -c '.[]')"
		return why
	case isBase64(trimmed):
		why.found, why.next = "this is a signature alone, in base64", "give the bundle in its place, which also says who signed and when (cosign sign-blob --bundle FILE)"
	case trimmed[0] != '{':
		why.found, why.next = fmt.Sprintf("this is not JSON: it starts with %q", firstRunes(trimmed, 16)), nameBundle
	default:
		return nil
	}
	// A file of lines may start with a line that is none of these.
	if looksLikeLines(data) {
		return nil
	}
	return why
}

// isBase64 tells a signature by itself, as cosign and openssl write it: one word.
func isBase64(data []byte) bool {
	if len(data) > base64.StdEncoding.EncodedLen(maxBareSignature) {
		return false
	}
	decoded, err := base64.StdEncoding.DecodeString(string(data))
	return err == nil && len(decoded) >= minBareSignature && len(decoded) <= maxBareSignature
}

// A signature has between the 64 bytes of Ed25519 and the 1,024 of an RSA key of 8,192 bits.
const minBareSignature, maxBareSignature = 64, 1024

func firstRunes(data []byte, n int) string {
	data = data[:min(len(data), n*utf8.UTFMax)]
	runes := []rune(strings.ToValidUTF8(string(data), "\uFFFD"))
	return string(runes[:min(len(runes), n)])
}

// notBundle names the other documents that people have beside their artifacts.
func notBundle(document object) error {
	why := &reason{expected: "a Sigstore bundle (" + mediaType + ".v0.3+json)"}
	media := document.text("mediaType")
	switch {
	case strings.HasPrefix(media, mediaType), document.has("media_type"):
		return nil
	case strings.HasPrefix(media, "application/vnd.dev.sigstore.trustedroot"):
		why.found, why.next = "this is a trusted root", "give it to --trusted-root"
	case strings.HasPrefix(media, "application/vnd.dev.sigstore.signingconfig"):
		why.found, why.next = "this is a signing config", "give the bundle that signing with it made"
	case strings.HasPrefix(media, "application/vnd.oci."), strings.HasPrefix(media, "application/vnd.docker."):
		why.found, why.next = "this is an image manifest", "ask the image's registry for its bundles with --from oci, or give those as files"
	case document.has("base64Signature"), document.has("Base64Signature"):
		why.found, why.next = "this is cosign's old bundle format", "turn it into a Sigstore bundle with  cosign bundle create"
	case document.has("signed", "signatures"):
		why.found, why.next = "this is classic in-toto or TUF metadata", "give a layout of in-toto 1.0 to --layout and the folder of its links to --link-dir"
	case document.has("_type"):
		why.found, why.next = "this is a statement or a layout without a signature", "name the signed bundle that holds it"
	case document.has("verificationMaterial"), document.has("dsseEnvelope"), document.has("messageSignature"):
		why.found, why.next = fmt.Sprintf("the bundle has the media type %.80q", media), "ask its publisher to make it again"
	case media != "":
		why.found, why.next = fmt.Sprintf("this is a document of the media type %.80q", media), nameBundle
	default:
		why.found, why.next = "this JSON object is no bundle: it has no mediaType", nameBundle
	}
	return why
}
