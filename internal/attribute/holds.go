package attribute

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
)

// Holds evaluates the rule. It is true only where the rule came to true; err
// says why it came to nothing.
//
// parameters are the caller's values: texts, and maps of texts for families. One
// that was not given is not in the map.
func (r *Rule) Holds(f *Facts, parameters map[string]any) (bool, error) {
	out, _, err := r.program.Eval(variables(f, parameters))
	if err != nil {
		return false, err
	}
	result, isBool := out.(types.Bool)
	if !isBool {
		return false, fmt.Errorf("the rule came to %s, not to true or false", out.Type().TypeName())
	}
	return bool(result), nil
}

// variables are the names that rules know.
func variables(f *Facts, parameters map[string]any) map[string]any {
	if parameters == nil {
		parameters = map[string]any{}
	}
	return map[string]any{
		"predicate": f.predicate, "predicateType": f.predicateType, "subject": f.subject, "signer": f.signer, "params": parameters,
	}
}

// What a report shows of a rule's lookups.
const (
	mostShown  = 6
	mostLetter = 120
)

// saw gives the values of the lookups: signer.job.ref is "refs/heads/main".
func (r *Rule) saw(f *Facts, parameters map[string]any) []string {
	var out []string
	for _, l := range r.shown {
		if len(out) == mostShown {
			return append(out, fmt.Sprintf("and %d more", len(r.shown)-mostShown))
		}
		out = append(out, l.found(l.value(f, parameters)))
	}
	return out
}

func (l lookup) String() string {
	text := l.variable
	for _, key := range l.keys {
		switch name, isText := key.(string); {
		case !isText:
			text += fmt.Sprintf("[%v]", key)
		case plain(name):
			text += "." + name
		default:
			text += "[" + strconv.Quote(name) + "]"
		}
	}
	return text
}

// found says what stands there.
func (l lookup) found(value any) string {
	if value == (absent{}) {
		return l.String() + " is not there"
	}
	return l.String() + " is " + shown(value)
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
	case "subject":
		subjects := make([]any, len(f.subject))
		for i, s := range f.subject {
			subjects[i] = s
		}
		value = subjects
	default:
		return absent{}
	}
	for _, key := range l.keys {
		if value = within(value, key); value == (absent{}) {
			break
		}
	}
	return value
}

// within is what stands behind one key of an object, or at one place of a list.
func within(value, key any) any {
	name, isText := key.(string)
	place, _ := key.(int)
	switch object := value.(type) {
	case map[string]any:
		if next, ok := object[name]; ok && isText {
			return next
		}
	case map[string]string:
		if next, ok := object[name]; ok && isText {
			return next
		}
	case []any:
		if !isText && place >= 0 && place < len(object) {
			return object[place]
		}
	}
	return absent{}
}

func (s *Signer) fields() map[string]any {
	return map[string]any{
		"identity": s.Identity, "kind": s.Kind, "issuer": s.Issuer, "key": s.Key, "root": s.Root,
		"extensions": s.Extensions, "job": s.Job,
	}
}

func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return shortened(strconv.Quote(v))
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case map[string]any:
		return shownObject(v)
	case map[string]string:
		return shownObject(v)
	}
	return shortened(fmt.Sprint(value))
}

// shownObject shows an object's texts and numbers where it has nothing else, and
// else what it has.
func shownObject[V any](object map[string]V) string {
	var fields []string
	for _, key := range keysOf(object) {
		switch value := any(object[key]).(type) {
		case map[string]any, map[string]string, []any:
			return "an object with " + shortened(joined(keysOf(object)))
		default:
			fields = append(fields, key+": "+shown(value))
		}
	}
	return shortened("{" + strings.Join(fields, ", ") + "}")
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func shortened(text string) string { return cut(text, mostLetter) }

func cut(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
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
