package attestationtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CanonicalJSON returns the canonical form of a JSON text, over which Metablock
// signatures are made. It is written for tests a second time, so that the
// product's own is not its only witness: of equal keys the last one counts, and
// a number stands as it was written.
//
// It is "canonical JSON, as described in wiki.laptop.org/go/Canonical_JSON"
// (in-toto 1.0, 4.1): no white space, keys sorted, and in strings only the
// quotation mark and the backslash are escaped; all else is raw UTF-8
// (TestCanonicalJSON).
func CanonicalJSON(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	var canonical bytes.Buffer
	writeCanonical(&canonical, value)
	return canonical.Bytes(), nil
}

func writeCanonical(w *bytes.Buffer, value any) {
	switch v := value.(type) {
	case map[string]any:
		separator := "{"
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.WriteString(separator)
			writeCanonicalString(w, key)
			w.WriteByte(':')
			writeCanonical(w, v[key])
			separator = ","
		}
		if len(v) == 0 {
			w.WriteByte('{')
		}
		w.WriteByte('}')
	case []any:
		w.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			writeCanonical(w, element)
		}
		w.WriteByte(']')
	case string:
		writeCanonicalString(w, v)
	case nil:
		w.WriteString("null")
	default: // json.Number and bool
		fmt.Fprint(w, v)
	}
}

func writeCanonicalString(w *bytes.Buffer, s string) {
	w.WriteByte('"')
	w.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	w.WriteByte('"')
}
