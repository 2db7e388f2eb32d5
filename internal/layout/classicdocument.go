package layout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/verdict"
)

// classicDocument is the JSON of a classic layout.
// Source: in-toto 1.0, 4.3, with the fields of ITE-7.
type classicDocument struct {
	Type          string                    `json:"_type"`
	Expires       string                    `json:"expires"`
	Readme        string                    `json:"readme"`
	Keys          map[string]jsontext.Value `json:"keys"`
	Roots         map[string]jsontext.Value `json:"rootcas"`
	Intermediates map[string]jsontext.Value `json:"intermediatecas"`
	Steps         []stepDocument            `json:"steps"`
	Inspect       []inspectionDocument      `json:"inspect"`
	Unknown       jsontext.Value            `json:",embed"`
}

type stepDocument struct {
	Type        string                  `json:"_type"`
	Name        string                  `json:"name"`
	Threshold   *int                    `json:"threshold"`
	Materials   *[][]string             `json:"expected_materials"`
	Products    *[][]string             `json:"expected_products"`
	PubKeys     []string                `json:"pubkeys"`
	Constraints []certificateConstraint `json:"cert_constraints"`
	Command     commandDocument         `json:"expected_command"`
	Unknown     jsontext.Value          `json:",embed"`
}

type inspectionDocument struct {
	Type      string          `json:"_type"`
	Name      string          `json:"name"`
	Materials *[][]string     `json:"expected_materials"`
	Products  *[][]string     `json:"expected_products"`
	Run       commandDocument `json:"run"`
	Unknown   jsontext.Value  `json:",embed"`
}

// commandDocument is a list of words. The specification's own examples also have
// it as one string, which is then one word: no shell takes it apart.
type commandDocument []string

// UnmarshalJSON reads a list or one string.
func (c *commandDocument) UnmarshalJSON(data []byte) error {
	var words []string
	if jsontext.Value(data).Kind() == '"' {
		words = []string{""}
		if err := json.Unmarshal(data, &words[0]); err != nil || words[0] == "" {
			return err
		}
	} else if err := json.Unmarshal(data, &words); err != nil {
		return err
	}
	*c = words
	return nil
}

// fields refuses keys that no reader of in-toto 1.0 knows, and those that differ
// from a known one in case alone, which some readers take for it.
func (r *classicReader) fields(what, step string, unknown jsontext.Value, known ...string) {
	for _, name := range memberNames(unknown) {
		if i := slices.IndexFunc(known, func(k string) bool { return folded(k) == folded(name) }); i >= 0 {
			r.problem(verdict.AmbiguousKey, step, says{fmt.Sprintf("%s has the key %q", what, name), known[i], "have the layout's owner write it as the specification does: some readers take it for " + known[i]})
			continue
		}
		if r.compat.relax("unknown-field", fmt.Sprintf("%s has the key %s, which is not read", what, name)) {
			continue
		}
		r.problem(verdict.UnknownField, step, says{fmt.Sprintf("%s has the key %q", what, name), "one of " + list(known), "have the layout's owner remove it: what no reader knows is a rule that nobody checks"})
	}
}

// folded is a key as lenient readers compare it.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// memberNames lists the keys of an object in order.
func memberNames(object jsontext.Value) []string {
	if len(object) == 0 {
		return nil
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(object, &members); err != nil {
		return []string{err.Error()}
	}
	return slices.Sorted(maps.Keys(members))
}

// jsonText is an error of the JSON reader without the library's name.
func jsonText(err error) string {
	text := err.Error()
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok && semantic.Err != nil && semantic.JSONPointer != "" {
		text = fmt.Sprintf("at %s: %v", semantic.JSONPointer, semantic.Err)
	}
	return strings.TrimPrefix(strings.TrimPrefix(text, "json: "), "jsontext: ")
}
