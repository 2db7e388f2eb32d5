package actions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// someVerbs are two verbs that share a flag, which takes more in one of them.
func someVerbs() []Verb {
	return []Verb{
		{Name: "sign", Flags: map[string]Flag{"bundle": {Form: Path}, "vars": {Takes: Text, Form: MaybePath}, "fast": {Takes: Switch}, "token": {}}},
		{Name: "check", Flags: map[string]Flag{"bundle": {Takes: Values, Form: Path}, "trusted-root": {Takes: Values, Form: AfterName}, "fast": {Takes: Switch}}},
	}
}

// read reads inputs, by their names in action.yml, as a runner gives them.
func read(inputs map[string]string, verbs []Verb) (Step, error) {
	reading := Reading{Verbs: verbs}
	env := map[string]string{}
	for name, value := range inputs {
		env["INPUT_"+strings.ToUpper(name)] = value
		reading.Environ = append(reading.Environ, "INPUT_"+strings.ToUpper(name)+"="+value)
	}
	reading.Getenv = getenv(env)
	return reading.Read()
}

// asks is a step without the paths that it names, which TestReadPaths has.
func asks(s Step) Step {
	s.Paths = nil
	return s
}

func TestReadInputs(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		inputs map[string]string
		want   Step
	}{
		"a verb":          {map[string]string{"command": "sign"}, Step{Verb: "sign"}},
		"space around it": {map[string]string{"command": " sign\n"}, Step{Verb: "sign"}},
		"a value":         {map[string]string{"command": "sign", "bundle": " a b "}, Step{Verb: "sign", Arguments: []string{"--bundle=a b"}}},
		"values": {
			map[string]string{"command": "check", "bundle": "a\n\n  b c\r\n\t\n", "trusted-root": "x=y"},
			Step{Verb: "check", Arguments: []string{"--bundle=a", "--bundle=b c", "--trusted-root=x=y"}},
		},
		"text":       {map[string]string{"command": "sign", "vars": "{\n  \"A\": \"1\"\n}\n"}, Step{Verb: "sign", Arguments: []string{"--vars={\n  \"A\": \"1\"\n}"}}},
		"true":       {map[string]string{"command": "sign", "fast": "true"}, Step{Verb: "sign", Arguments: []string{"--fast=true"}}},
		"false":      {map[string]string{"command": "sign", "fast": "false"}, Step{Verb: "sign", Arguments: []string{"--fast=false"}}},
		"not given":  {map[string]string{"command": "sign", "fast": "", "bundle": " \n", "vars": "", "paths": "\n", "trusted-root": ""}, Step{Verb: "sign"}},
		"paths":      {map[string]string{"command": "check", "paths": "dist/*\n a b \n"}, Step{Verb: "check", Arguments: []string{"--", "dist/*", "a b"}}},
		"the folder": {map[string]string{"command": "check", "working-directory": "sub/folder"}, Step{Verb: "check", Folder: "sub/folder"}},
		"flags that come as values": {
			map[string]string{"command": "check", "bundle": "--fast\n-h\n--", "paths": "--fast=true\n--\n-\n--help"},
			Step{Verb: "check", Arguments: []string{"--bundle=--fast", "--bundle=-h", "--bundle=--", "--", "--fast=true", "--", "-", "--help"}},
		},
		"what is no ASCII": {map[string]string{"command": "sign", "bundle": "schlüssel-✓"}, Step{Verb: "sign", Arguments: []string{"--bundle=schlüssel-✓"}}},
	} {
		got, err := read(r.inputs, someVerbs())
		if diff := cmp.Diff(r.want, asks(got)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestReadInputsRefuses breaks one thing in each row.
func TestReadInputsRefuses(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		inputs map[string]string
		words  []string
	}{
		"no verb":                     {map[string]string{}, []string{"input command", "not given", "command: sign  or  command: check"}},
		"a verb to come":              {map[string]string{"command": "gate"}, []string{"input command", "gate", "not built yet", "command: sign"}},
		"another verb":                {map[string]string{"command": "help"}, []string{"input command", `"help"`, "command: check"}},
		"a verb in capitals":          {map[string]string{"command": "Sign"}, []string{"input command"}},
		"two verbs":                   {map[string]string{"command": "sign\ncheck"}, []string{"input command", "several lines"}},
		"another verb's flag":         {map[string]string{"command": "sign", "trusted-root": "x"}, []string{"input trusted-root", "sign has no flag --trusted-root", "command: check"}},
		"the same, the other way":     {map[string]string{"command": "check", "token": "x"}, []string{"input token", "check has no flag --token", "command: sign"}},
		"two lines for one value":     {map[string]string{"command": "sign", "bundle": "a\nb"}, []string{"input bundle", "several lines"}},
		"a switch that is neither":    {map[string]string{"command": "sign", "fast": "yes"}, []string{"input fast", `"yes"`, "true  or  false"}},
		"a switch in odd capitals":    {map[string]string{"command": "sign", "fast": "tRue"}, []string{"input fast"}},
		"a switch with a line":        {map[string]string{"command": "sign", "fast": "true\ntrue"}, []string{"input fast"}},
		"an escape":                   {map[string]string{"command": "sign", "bundle": "a\x1b[2J"}, []string{"input bundle", "control character"}},
		"a zero byte":                 {map[string]string{"command": "sign", "bundle": "a\x00b"}, []string{"input bundle", "control character"}},
		"a tab":                       {map[string]string{"command": "check", "bundle": "a\tb"}, []string{"input bundle", "control character"}},
		"a bare carriage return":      {map[string]string{"command": "check", "bundle": "a\rb"}, []string{"input bundle", "control character"}},
		"a C1 control":                {map[string]string{"command": "check", "bundle": "a\u0085b"}, []string{"input bundle", "control character"}},
		"a control in text":           {map[string]string{"command": "sign", "vars": "{\x07}"}, []string{"input vars", "control character"}},
		"a control in the paths":      {map[string]string{"command": "sign", "paths": "a\nb\x1bc"}, []string{"input paths", "control character"}},
		"a control in the folder":     {map[string]string{"command": "sign", "working-directory": "a\x1bb"}, []string{"input working-directory", "control character"}},
		"two folders":                 {map[string]string{"command": "sign", "working-directory": "a\nb"}, []string{"input working-directory", "several lines"}},
		"a control in another's flag": {map[string]string{"command": "sign", "trusted-root": "\x1b"}, []string{"input trusted-root", "no flag"}},
	} {
		got, err := read(r.inputs, someVerbs())
		if err == nil {
			t.Errorf("%s: %+v is allowed", name, got)
			continue
		}
		for _, word := range append(r.words, "; next: ") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", name, err, word)
			}
		}
		if diff := cmp.Diff(Step{}, got); diff != "" {
			t.Errorf("%s: an error, and a step all the same (-want +got):\n%s", name, diff)
		}
	}
	if _, err := read(map[string]string{"command": "sign"}, []Verb{{Name: "sign", Flags: map[string]Flag{"x": {Takes: 99}}}}); err == nil {
		t.Error("a flag of an unknown kind is allowed")
	}
}

// TestReadInputsKeepsSecrets: an input may be a token, and no error quotes one.
func TestReadInputsKeepsSecrets(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"s3cret\ns3cret", "s3cret\x1b"} {
		if _, err := read(map[string]string{"command": "sign", "token": value}, someVerbs()); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q gives %v", value, err)
		}
	}
}

// FuzzReadInputs: whatever the inputs hold, each argument before "--" sets one
// flag of the verb, to something.
func FuzzReadInputs(f *testing.F) {
	f.Add("sign", "a", "--fast\n--")
	f.Add("check", "a\n--fast=true", "-h")
	f.Fuzz(func(t *testing.T, command, bundle, paths string) {
		step, err := read(map[string]string{"command": command, "bundle": bundle, "paths": paths}, someVerbs())
		if err != nil {
			return
		}
		for _, argument := range step.Arguments {
			if argument == "--" {
				return
			}
			if value, ok := strings.CutPrefix(argument, "--bundle="); !ok || value == "" || strings.ContainsAny(value, "\r\n\x00\x1b") {
				t.Fatalf("%q gives %q", bundle, step.Arguments)
			}
		}
	})
}
