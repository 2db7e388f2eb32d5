package provenance

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Parameters are a workflow's parameters, each a JSON object of strings, booleans
// and numbers, or nil for none.
type Parameters struct {
	Inputs  []byte // github.event.inputs; of workflow_dispatch alone
	Release []byte // body, draft, name, prerelease, target_commitish; of release alone
	Vars    []byte // the vars context
}

// maxParametersBytes bounds each of a workflow's parameters. GitHub caps the
// inputs of a dispatch at 65,535 characters and a repository's variables at 256 KB.
const maxParametersBytes = 1 << 20

// parseParameters reads a flat JSON object without duplicate keys.
func parseParameters(data []byte) (map[string]any, error) {
	if data == nil {
		return nil, nil
	}
	if len(data) > maxParametersBytes {
		return nil, fmt.Errorf("%d bytes, at most %d KiB are read", len(data), maxParametersBytes>>10)
	}
	var raw map[string]jsontext.Value
	if err := unmarshalObject(data, &raw); err != nil {
		return nil, err
	}
	values := make(map[string]any, len(raw))
	for name, value := range raw {
		v, err := scalar(value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		values[name] = v
	}
	return values, nil
}

func scalar(value jsontext.Value) (any, error) {
	switch value.Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	case 't', 'f':
		return value.Kind() == 't', nil
	case '0':
		// In the predicate a number is a float64; one that this changes is refused.
		number, err := strconv.ParseFloat(string(value), 64)
		if err != nil || strconv.FormatFloat(number, 'f', -1, 64) != string(value) {
			return nil, fmt.Errorf("the number %.40s cannot be kept as it is written: write it as a string", value)
		}
		return number, nil
	default:
		return nil, errors.New("expected a string, a boolean or a number")
	}
}

// unmarshalObject reads one JSON object.
func unmarshalObject(data []byte, into *map[string]jsontext.Value) error {
	if kind := jsontext.Value(data).Kind(); kind != '{' {
		return errors.New("expected a JSON object")
	}
	return json.Unmarshal(data, into)
}
