package statement

import (
	"strings"
	"testing"
)

const (
	spdx      = `{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": []}`
	cycloneDX = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}`
)

// TestSBOMType changes one thing of a bill of materials in each row.
func TestSBOMType(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct{ sbom, want, words string }{
		"SPDX 2.3":               {spdx, "https://spdx.dev/Document/v2.3", ""},
		"SPDX 2.2":               {strings.Replace(spdx, "2.3", "2.2", 1), "https://spdx.dev/Document/v2.2", ""},
		"CycloneDX":              {cycloneDX, "https://cyclonedx.org/bom", ""},
		"CycloneDX 1.4":          {strings.Replace(cycloneDX, "1.6", "1.4", 1), "https://cyclonedx.org/bom", ""},
		"CycloneDX with a line":  {cycloneDX + "\n", "https://cyclonedx.org/bom", ""},
		"SPDX 3":                 {`{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}`, "", "SPDX 3"},
		"SPDX 3 in 2's clothes":  {strings.Replace(spdx, "2.3", "3.0", 1), "", "SPDX-3.0"},
		"SPDX of no version":     {strings.Replace(spdx, "SPDX-2.3", "2.3", 1), "", "spdxVersion"},
		"SPDX 2.03":              {strings.Replace(spdx, "2.3", "2.03", 1), "", "spdxVersion"},
		"SPDX 2.":                {strings.Replace(spdx, "2.3", "2.", 1), "", "spdxVersion"},
		"SPDX 2.3/x":             {strings.Replace(spdx, "2.3", "2.3/x", 1), "", "spdxVersion"},
		"SPDX without an id":     {`{"spdxVersion": "SPDX-2.3"}`, "", "SPDXID"},
		"SPDX without a version": {`{"SPDXID": "SPDXRef-DOCUMENT"}`, "", "spdxVersion"},
		"another SPDX id":        {strings.Replace(spdx, "SPDXRef-DOCUMENT", "SPDXRef-Package", 1), "", "SPDXID"},
		"a number for a version": {`{"spdxVersion": 2.3, "SPDXID": "SPDXRef-DOCUMENT"}`, "", "no text"},
		"another format":         {strings.Replace(cycloneDX, "CycloneDX", "cyclonedx", 1), "", "bomFormat"},
		"CycloneDX of none":      {`{"bomFormat": "CycloneDX"}`, "", "specVersion"},
		"CycloneDX 2":            {strings.Replace(cycloneDX, "1.6", "2.0", 1), "", "specVersion"},
		"both":                   {strings.Replace(spdx, "{", `{"bomFormat": "CycloneDX", `, 1), "", "SPDX and CycloneDX"},
		"a key in other letters": {`{"BOMFORMAT": "CycloneDX", "specVersion": "1.6"}`, "", "neither"},
		"a key twice":            {strings.Replace(cycloneDX, "{", `{"bomFormat": "CycloneDX", `, 1), "", "duplicate"},
		"none":                   {`{}`, "", "neither"},
		"a list":                 {`[` + spdx + `]`, "", "JSON object"},
		"two":                    {spdx + spdx, "", "more data"},
		"empty":                  {"", "", "JSON object"},
		"no JSON":                {"SPDXVersion: SPDX-2.3\n", "", "JSON object"},
		"too deep":               {`{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": ` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + "}", "", "nested deeper"},
		"too large":              {strings.Replace(spdx, "{", "{"+strings.Repeat(" ", 16<<20), 1), "", "at most 16 MiB"},
	} {
		got, err := SBOMType([]byte(r.sbom))
		if got != r.want || (err == nil) != (r.want != "") || err != nil && !strings.Contains(err.Error(), r.words) {
			t.Errorf("%s: got %q, %v, expected %q", name, got, err, r.want+r.words)
		}
	}
}

// FuzzSBOMType: what is recognised can be signed under its type.
func FuzzSBOMType(f *testing.F) {
	for _, seed := range []string{spdx, cycloneDX, `{"@context": "x"}`, `{"spdxVersion": null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sbom []byte) {
		predicateType, err := SBOMType(sbom)
		if err != nil {
			if predicateType != "" {
				t.Fatalf("an error, and the type %q all the same", predicateType)
			}
			return
		}
		if err := CheckType(predicateType); err != nil {
			t.Fatal(err)
		}
		if err := CheckPredicate(sbom); err != nil {
			t.Fatal(err)
		}
	})
}
