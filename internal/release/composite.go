package main

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// compositeFile is the Action without a container, made of action.yml.
const compositeFile = "composite/action.yml"

const compositeHead = `# The Action on runners without containers, macOS and Windows: the same inputs and outputs,
# and the binary of the release that SHA256SUMS names in place of the image. Made of
# ../action.yml: go run ./internal/release composite
name: Signatus, without a container
description: Sign build outputs with the workflow's own identity, and verify who must have signed what.
author: The Signatus authors

`

const compositeTail = `
runs:
  using: composite
  steps:
    - id: run
      shell: bash
      run: bash "$GITHUB_ACTION_PATH/run"
      env:
`

// writeComposite writes the composite action anew.
func writeComposite(metadata, file string) error {
	text, err := os.ReadFile(metadata)
	if err != nil {
		return err
	}
	made, err := composite(string(text))
	if err != nil {
		return fmt.Errorf("making %s of %s: %w", file, metadata, err)
	}
	return os.WriteFile(file, []byte(made), 0o644)
}

// composite makes it: action.yml's inputs and outputs as they stand there, each output
// taken from the one step, and each input given to it. (TestComposite)
func composite(metadata string) (string, error) {
	_, rest, inputs := strings.Cut(metadata, "\ninputs:\n")
	declared, rest, outputs := strings.Cut(rest, "\noutputs:\n")
	told, _, runs := strings.Cut(rest, "\nruns:\n")
	if !inputs || !outputs || !runs {
		return "", fmt.Errorf("it has no inputs, outputs and runs, in this order")
	}
	var parsed struct {
		Inputs  yaml.Node
		Outputs yaml.Node
	}
	if err := yaml.Unmarshal([]byte(metadata), &parsed); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(compositeHead + "inputs:\n" + declared + "\noutputs:\n")
	for _, name := range keys(parsed.Outputs) {
		line := "  " + name + ":\n"
		told = strings.Replace(told, line, line+"    value: ${{ steps.run.outputs."+name+" }}\n", 1)
	}
	b.WriteString(told + compositeTail)
	for _, name := range keys(parsed.Inputs) {
		if strings.Contains(name, "_") {
			return "", fmt.Errorf("the input %s has an underscore, which would become a hyphen", name)
		}
		fmt.Fprintf(&b, "        GIVEN_%s: ${{ inputs.%s }}\n", strings.ToUpper(strings.ReplaceAll(name, "-", "_")), name)
	}
	return b.String(), nil
}

// keys are a mapping's, in order.
func keys(mapping yaml.Node) (names []string) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		names = append(names, mapping.Content[i].Value)
	}
	return names
}
