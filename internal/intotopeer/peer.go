package intotopeer

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

// Case is one verification. All paths are absolute.
type Case struct {
	Name   string            `json:"name"`
	Layout string            `json:"layout"`
	Keys   []string          `json:"keys"`
	Links  string            `json:"links"`
	Params map[string]string `json:"params"`
	// Work is the folder with the final product; empty for none.
	Work string `json:"work"`
}

// Answers are the peer's, over several runs: it walks over maps, and some of its
// answers depend on the order.
type Answers struct {
	Name string `json:"name"`
	// Answers holds each different one: Pass, or what it refused with.
	Answers []string `json:"answers"`
}

// Pass is the answer of a peer that allows.
const Pass = "pass"

// panicked begins the answer of a peer that panics.
const panicked = "panic: "

// runs is how often the peer is asked.
const runs = 4

// Passes tells whether the peer allowed the case at least once.
func (a Answers) Passes() bool { return slices.Contains(a.Answers, Pass) }

// Wavers tells whether it both allowed and refused.
func (a Answers) Wavers() bool { return a.Passes() && len(a.Answers) > 1 }

// Panics tells whether it panicked.
func (a Answers) Panics() bool {
	return slices.ContainsFunc(a.Answers, func(s string) bool { return strings.HasPrefix(s, panicked) })
}

// AskPeer asks the peer about all cases, in another process: it prints to the
// standard output, leaves files in the working directory and may end the process.
// The program is one that calls ServePeer when its first argument is PeerArgument.
func AskPeer(program, folder string, cases []Case) (map[string]Answers, error) {
	questions, err := json.Marshal(cases)
	if err != nil {
		return nil, fmt.Errorf("writing cases: %w", err)
	}
	question, answer := filepath.Join(folder, "cases.json"), filepath.Join(folder, "answers.json")
	if err := os.WriteFile(question, questions, 0o600); err != nil {
		return nil, fmt.Errorf("writing cases: %w", err)
	}
	command := exec.Command(program, PeerArgument, question, answer) //nolint:noctx // its time is that of the test
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("running the peer: %w: %.2000s", err, output)
	}
	content, err := os.ReadFile(answer)
	if err != nil {
		return nil, fmt.Errorf("reading the peer's answers: %w", err)
	}
	var answers []Answers
	if err := json.Unmarshal(content, &answers); err != nil {
		return nil, fmt.Errorf("reading the peer's answers: %w", err)
	}
	byName := map[string]Answers{}
	for _, a := range answers {
		byName[a.Name] = a
	}
	return byName, nil
}

// PeerArgument asks a program to be the peer.
const PeerArgument = "be-the-peer"

// ServePeer reads cases from the first file and writes answers to the second.
func ServePeer(question, answer string) error {
	content, err := os.ReadFile(question)
	if err != nil {
		return err
	}
	var cases []Case
	if err := json.Unmarshal(content, &cases); err != nil {
		return err
	}
	answers := []Answers{}
	for _, c := range cases {
		answers = append(answers, c.ask())
	}
	content, err = json.Marshal(answers)
	if err != nil {
		return err
	}
	return os.WriteFile(answer, content, 0o600)
}

// ask verifies one case several times, each in a fresh copy of its folder.
func (c Case) ask() Answers {
	all := Answers{Name: c.Name}
	for range runs {
		answer := Pass
		if err := c.verify(); err != nil {
			answer = err.Error()
		}
		if !slices.Contains(all.Answers, answer) {
			all.Answers = append(all.Answers, answer)
		}
	}
	return all
}

// verify is the verb of the peer's command line, which has no parameters.
func (c Case) verify() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s%v", panicked, p)
		}
	}()
	scratch, err := os.MkdirTemp("", "intotopeer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // nothing depends on it
	if c.Work != "" {
		if err := os.CopyFS(scratch, os.DirFS(c.Work)); err != nil {
			return err
		}
	}
	if err := os.Chdir(scratch); err != nil {
		return err
	}
	layout, err := intoto.LoadMetadata(c.Layout)
	if err != nil {
		return err
	}
	keys := map[string]intoto.Key{}
	for _, name := range c.Keys {
		key, err := loadKey(name)
		if err != nil {
			return err
		}
		keys[key.KeyID] = key
	}
	_, err = intoto.InTotoVerify(layout, keys, c.Links, "", c.Params, nil, false)
	return err
}

// loadKey reads a key, in-toto's JSON or PEM.
func loadKey(name string) (intoto.Key, error) {
	file, err := os.Open(name)
	if err != nil {
		return intoto.Key{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(file)
	if err != nil {
		return intoto.Key{}, err
	}
	var key intoto.Key
	if json.Unmarshal(content, &key) == nil {
		return key, nil
	}
	err = key.LoadKeyReaderDefaults(strings.NewReader(string(content)))
	return key, err
}
