package attestationtest

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"slices"
)

// Identity is what the certificate authority certifies about a signer.
type Identity struct {
	// Exactly one names the signer.
	URI       string
	Email     string
	OtherName string // a Fulcio user name, 1.3.6.1.4.1.57264.1.7

	// Issuer is the OIDC issuer, written to the extensions .1 and .8 unless
	// Extensions has a word of its own for them.
	Issuer string
	// Extensions holds Fulcio extensions by name; see [ExtensionNames].
	Extensions map[string]string
	// Extra extensions are written after the named ones, as they are.
	Extra []pkix.Extension
}

// Person returns somebody who logged in with an e-mail address, as Fulcio
// certifies it: the address, the extensions .1 and .8 for the issuer, and .24.
func Person(email, issuer string) Identity {
	return Identity{
		Email:      email,
		Issuer:     issuer,
		Extensions: map[string]string{"tokenSubject": email},
	}
}

// With returns the identity with the extension set to the value.
func (id Identity) With(name, value string) Identity {
	id = id.spelledOut()
	if name == "issuer" {
		id.Extensions["issuerV1"], id.Extensions["issuerV2"] = value, value
		return id
	}
	id.Extensions[name] = value
	return id
}

// Without returns the identity without the named extensions.
func (id Identity) Without(names ...string) Identity {
	id = id.spelledOut()
	for _, name := range names {
		if name == "issuer" {
			delete(id.Extensions, "issuerV1")
			delete(id.Extensions, "issuerV2")
		}
		delete(id.Extensions, name)
	}
	return id
}

// spelledOut returns a copy that names each extension by its own name.
func (id Identity) spelledOut() Identity {
	extensions := make(map[string]string, len(id.Extensions)+2)
	issuer := id.Issuer
	if value, ok := id.Extensions["issuer"]; ok {
		issuer = value
	}
	if issuer != "" {
		extensions["issuerV1"], extensions["issuerV2"] = issuer, issuer
	}
	maps.Copy(extensions, id.Extensions)
	delete(extensions, "issuer")
	id.Issuer, id.Extensions = "", extensions
	return id
}

// isZero reports whether nothing is set.
func (id Identity) isZero() bool {
	return id.URI == "" && id.Email == "" && id.OtherName == "" && id.Issuer == "" &&
		len(id.Extensions) == 0 && len(id.Extra) == 0
}

// fulcioExtension is one row of Fulcio's docs/oid-info.md.
type fulcioExtension struct {
	name string
	arc  int // the last number of 1.3.6.1.4.1.57264.1.x
	// raw values are written "as-is, without any ASN.1 encoding"; all others
	// are DER-encoded strings.
	raw bool
}

// fulcioExtensions are in the order in which Fulcio writes them. The arc .7
// names the OtherName's type and is no extension.
func fulcioExtensions() []fulcioExtension {
	return []fulcioExtension{
		{"issuerV1", 1, true},
		{"githubWorkflowTrigger", 2, true},
		{"githubWorkflowSHA", 3, true},
		{"githubWorkflowName", 4, true},
		{"githubWorkflowRepository", 5, true},
		{"githubWorkflowRef", 6, true},
		{"issuerV2", 8, false},
		{"buildSignerURI", 9, false},
		{"buildSignerDigest", 10, false},
		{"runnerEnvironment", 11, false},
		{"sourceRepositoryURI", 12, false},
		{"sourceRepositoryDigest", 13, false},
		{"sourceRepositoryRef", 14, false},
		{"sourceRepositoryIdentifier", 15, false},
		{"sourceRepositoryOwnerURI", 16, false},
		{"sourceRepositoryOwnerIdentifier", 17, false},
		{"buildConfigURI", 18, false},
		{"buildConfigDigest", 19, false},
		{"buildTrigger", 20, false},
		{"runInvocationURI", 21, false},
		{"sourceRepositoryVisibilityAtSigning", 22, false},
		{"deploymentEnvironment", 23, false},
		{"tokenSubject", 24, false},
	}
}

// ExtensionNames returns the names under which [Identity] knows the Fulcio
// extensions .1 to .6 and .8 to .24, in this order. "issuerV1" is .1 and
// "issuerV2" is .8; the further name "issuer" means both.
func ExtensionNames() []string {
	var names []string
	for _, extension := range fulcioExtensions() {
		names = append(names, extension.name)
	}
	return names
}

// fulcioExtensions returns the identity's extensions, encoded. A name that
// nobody knows is an error.
func (id Identity) fulcioExtensions() ([]pkix.Extension, error) {
	values := id.spelledOut().Extensions
	var encoded []pkix.Extension
	for _, extension := range fulcioExtensions() {
		value, ok := values[extension.name]
		if !ok {
			continue
		}
		delete(values, extension.name)
		content := []byte(value)
		if !extension.raw {
			var err error
			if content, err = asn1.MarshalWithParams(value, "utf8"); err != nil {
				return nil, fmt.Errorf("encoding extension %s: %w", extension.name, err)
			}
		}
		encoded = append(encoded, pkix.Extension{
			Id:    asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, extension.arc},
			Value: content,
		})
	}
	if len(values) > 0 {
		return nil, fmt.Errorf("encoding extensions: no extension is named %q", slices.Sorted(maps.Keys(values)))
	}
	return append(encoded, id.Extra...), nil
}
