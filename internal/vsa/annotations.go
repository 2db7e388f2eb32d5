package vsa

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// annotations are a policy's, as far as they are read. Others write what they like
// there: what is not a map of texts is no parameter.
type annotations struct {
	parameters               map[string]string
	relaxations, inspections []string
}

// UnmarshalJSON reads any value.
func (a *annotations) UnmarshalJSON(data []byte) error {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil //nolint:nilerr // an annotation of another form is somebody else's
	}
	var parameters map[string]string
	if err := json.Unmarshal(fields["parameters"], &parameters); err == nil {
		a.parameters = parameters
	}
	// A relaxation that cannot be read is still one: absent alone means none.
	if text := fields["relaxations"]; text != nil && json.Unmarshal(text, &a.relaxations) != nil {
		a.relaxations = []string{""}
	}
	var inspections []string
	if err := json.Unmarshal(fields["inspections"], &inspections); err == nil {
		a.inspections = inspections
	}
	return nil
}
