package layout

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPayload holds that each ready-made layout is JSON when it is signed, demands
// the same, and gives the same bytes again.
func TestPayload(t *testing.T) {
	t.Parallel()
	texts := attestationLayouts(t)
	texts["every-key.yml"] = []byte(valid)
	for name, data := range texts {
		text := string(data)
		payload, problems := Payload(name, []byte(text), day())
		if len(problems) > 0 {
			t.Errorf("%s: %s", name, problems[0])
			continue
		}
		if !json.Valid(payload) || bytes.Contains(payload, []byte("\n")) { // JSON has no comments
			t.Errorf("%s is signed as\n%s", name, payload)
		}
		before, _ := Parse(name, []byte(text), day())
		after, findings := Parse(name, payload, day())
		if after == nil {
			t.Fatal(findings)
		}
		if diff := cmp.Diff(before.Describe(), after.Describe()); diff != "" {
			t.Errorf("%s (-written +signed):\n%s", name, diff)
		}
		if again, _ := Payload(name, payload, day()); !bytes.Equal(again, payload) {
			t.Errorf("%s: signed again it is\n%s\nand was\n%s", name, again, payload)
		}
	}
}

// TestPayloadText holds how values are written: white space and quotation marks of
// YAML are no part of the layout.
func TestPayloadText(t *testing.T) {
	t.Parallel()
	changed := strings.NewReplacer(
		"version: 1\n", "version:   1   # raised with every change\n",
		`reason: a miner`, `reason: "a \"miner\" \\ \u2028 \u007f é\tx"`,
		`required: true`, `required: TRUE`,
		`expires: "2027-03-01T00:00:00Z"`, `expires: 2027-03-01T00:00:00Z`,
	).Replace(valid)
	payload, problems := Payload("layout.yml", []byte(changed), day())
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	for _, want := range []string{
		`{"_type":"layout","version":1,"expires":"2027-03-01T00:00:00Z","gitHash":"sha256","parameters":{"repo":{"pattern":"github.com/*/*","required":true}},`,
		`"expectedProducts":["REQUIRE git+https://{repo}","ALLOW git+https://{repo}","DISALLOW *"]`,
		`"threshold":2}`, `"reason":"a \"miner\" \\ \u2028 \u007f é\tx"}]}`,
	} {
		if !strings.Contains(string(payload), want) {
			t.Errorf("the payload does not hold %s:\n%s", want, payload)
		}
	}
}

// TestPayloadRefuses holds that what does not lint is not signed, and neither is what
// YAML would read otherwise out of JSON.
func TestPayloadRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a problem":           strings.Replace(valid, "version: 1", "version: 0", 1),
		"expired":             strings.Replace(valid, "2027-03", "2026-03", 1),
		"an invisible letter": strings.Replace(valid, "reason: a miner", `reason: "a \U000e0001 miner"`, 1),
		"no layout":           "",
		"another dialect":     `{"signed":{},"signatures":[]}`,
	} {
		if payload, problems := Payload("layout.yml", []byte(text), day()); payload != nil || len(problems) == 0 || problems[0].Next == "" {
			t.Errorf("%s: signed as %s, problems %v", name, payload, problems)
		}
	}
}

// FuzzPayload: what is signed is what was read, or nothing is signed.
func FuzzPayload(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(strings.Replace(valid, "a miner", `"a \u2028 \x85 \t miner"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		payload, problems := Payload("fuzz.yml", data, day())
		if (payload == nil) != (len(problems) > 0) {
			t.Fatalf("payload %q and problems %v", payload, problems)
		}
		if payload == nil {
			return
		}
		before, _ := Parse("fuzz.yml", data, day())
		after, _ := Parse("fuzz.yml", payload, day())
		if diff := cmp.Diff(before.Describe(), after.Describe()); diff != "" || !json.Valid(payload) {
			t.Errorf("(-written +signed):\n%s\n%s", diff, payload)
		}
		if again, _ := Payload("fuzz.yml", payload, day()); !bytes.Equal(again, payload) {
			t.Errorf("signed again it is\n%s\nand was\n%s", again, payload)
		}
	})
}
