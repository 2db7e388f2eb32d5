package attribute

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
)

// Holds evaluates the rule. It is true only where the rule came to true; err
// says why it came to nothing. saw lists what the rule looked up, for a report.
//
// parameters are the caller's values: texts, and maps of texts for families. One
// that was not given is not in the map.
func (r *Rule) Holds(f *Facts, parameters map[string]any) (holds bool, saw []string, err error) {
	if parameters == nil {
		parameters = map[string]any{}
	}
	saw = r.saw(f, parameters)
	out, _, err := r.program.Eval(map[string]any{
		"predicate": f.predicate, "predicateType": f.predicateType, "subject": f.subject, "signer": f.signer, "params": parameters,
	})
	if err != nil {
		return false, saw, err
	}
	result, isBool := out.(types.Bool)
	if !isBool {
		return false, saw, fmt.Errorf("the rule came to %s, not to true or false", out.Type().TypeName())
	}
	return bool(result), saw, nil
}

// What a report shows of a rule's lookups.
const (
	mostShown  = 6
	mostLetter = 120
)

// saw gives the values of the lookups: signer.job.ref = "refs/heads/main".
func (r *Rule) saw(f *Facts, parameters map[string]any) []string {
	var out []string
	for _, l := range r.shown {
		if len(out) == mostShown {
			return append(out, fmt.Sprintf("and %d more", len(r.shown)-mostShown))
		}
		out = append(out, l.String()+" = "+shown(l.value(f, parameters)))
	}
	return out
}

func (l lookup) String() string {
	text := l.variable
	for _, key := range l.keys {
		if plain(key) {
			text += "." + key
		} else {
			text += "[" + strconv.Quote(key) + "]"
		}
	}
	return text
}

// absent is what a lookup finds where there is nothing.
type absent struct{}

func (l lookup) value(f *Facts, parameters map[string]any) any {
	var value any
	switch l.variable {
	case "predicate":
		value = f.predicate
	case "predicateType":
		return f.predicateType
	case "params":
		value = parameters
	case "signer":
		value = f.signer.fields()
	default:
		return absent{}
	}
	for _, key := range l.keys {
		switch object := value.(type) {
		case map[string]any:
			next, ok := object[key]
			if !ok {
				return absent{}
			}
			value = next
		case map[string]string:
			next, ok := object[key]
			if !ok {
				return absent{}
			}
			value = next
		default:
			return absent{}
		}
	}
	return value
}

func (s *Signer) fields() map[string]any {
	return map[string]any{
		"identity": s.Identity, "kind": s.Kind, "issuer": s.Issuer, "key": s.Key, "root": s.Root,
		"extensions": s.Extensions, "job": s.Job,
	}
}

func shown(value any) string {
	switch v := value.(type) {
	case absent:
		return "nothing"
	case nil:
		return "null"
	case string:
		return shortened(strconv.Quote(v))
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case map[string]any:
		return "an object with " + shortened(joined(keysOf(v)))
	case map[string]string:
		return "an object with " + shortened(joined(keysOf(v)))
	}
	return shortened(fmt.Sprint(value))
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func shortened(text string) string {
	if letters := []rune(text); len(letters) > mostLetter {
		return string(letters[:mostLetter]) + "…"
	}
	return text
}

func joined(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// plain reports whether a key can stand behind a dot.
func plain(key string) bool {
	for i, c := range key {
		letter := c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return key != ""
}
