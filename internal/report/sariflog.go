package report

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// maxUpload bounds a log, in bytes as gzip leaves it: GitHub takes 10 MB. Below maxPlain
// it need not be tried.
//
// Source: https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
const (
	maxUpload = 9_500_000
	maxPlain  = maxUpload
)

// writeSARIF writes a log with one run, of as many results as GitHub takes.
func writeSARIF(w io.Writer, run func(most int) sarifRun) error {
	for most := maxResults; ; most /= 2 {
		var text bytes.Buffer
		log := sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run(most)}}
		if err := writeObject(&text, log, "SARIF report"); err != nil {
			return err
		}
		if most > 1 && text.Len() > maxPlain && compressed(text.Bytes()) > maxUpload {
			continue
		}
		if _, err := w.Write(text.Bytes()); err != nil {
			return fmt.Errorf("writing SARIF report: %w", err)
		}
		return nil
	}
}

// compressed is how long a text is as gzip leaves it.
func compressed(text []byte) int {
	var n counter
	z := gzip.NewWriter(&n)
	_, _ = z.Write(text) // a counter takes everything
	_ = z.Close()
	return int(n)
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool            `json:"tool"`
	Invocations []sarifInvocation    `json:"invocations"`
	Bases       map[string]sarifBase `json:"originalUriBaseIds"`
	Artifacts   []sarifArtifact      `json:"artifacts"`
	Results     []sarifResult        `json:"results"`
	ColumnKind  string               `json:"columnKind"`
	Properties  sarifRunFacts        `json:"properties"`

	options   Options
	rulesTold int // in code flows so far
}

// sarifBase is what locations are relative to. It has no address: "the SARIF producer
// MAY omit uri" where that tells of a machine (SARIF 2.1.0, 3.14.14).
type sarifBase struct {
	Description sarifMessage `json:"description"`
}

// sourceRoot is the base of locations in the repository, as GitHub knows it.
const sourceRoot = "%SRCROOT%"

// newSARIFRun is a run without results.
func newSARIFRun(tool string, o Options) sarifRun {
	return sarifRun{
		Tool: sarifTool{sarifDriver{Name: "signatus", Version: Clean(tool), Page: "https://github.com/signatus-dev/signatus"}}, ColumnKind: "unicodeCodePoints",
		Bases: map[string]sarifBase{sourceRoot: {sarifMessage{"The root of the repository."}}}, options: o,
	}
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitzero"`
	Page    string      `json:"informationUri"`
	Rules   []sarifRule `json:"rules"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	ExitCode      int                 `json:"exitCode"`
	End           string              `json:"endTimeUtc,omitzero"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

// sarifRunFacts is what was demanded, for all artifacts.
type sarifRunFacts struct {
	Outcome    string            `json:"outcome"`
	Summary    summaryView       `json:"summary"`
	Layout     layoutView        `json:"layout"`
	Parameters map[string]string `json:"parameters"`
	Loosenings []string          `json:"loosenings"`
}

type sarifArtifact struct {
	Location    sarifURI           `json:"location"`
	Hashes      map[string]string  `json:"hashes,omitempty"`
	Description sarifMessage       `json:"description"`
	Properties  sarifArtifactFacts `json:"properties"`
}

// sarifArtifactFacts is what was verified of one artifact.
type sarifArtifactFacts struct {
	Outcome string     `json:"outcome"`
	Steps   []stepView `json:"steps"`
}

type sarifURI struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitzero"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Kind         string            `json:"kind"`
	Level        string            `json:"level"`
	Message      sarifMessage      `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	CodeFlows    []sarifCodeFlow   `json:"codeFlows,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   sarifResultFacts  `json:"properties"`
}

type sarifResultFacts struct {
	Artifact string `json:"artifact"`
	Outcome  string `json:"outcome"`
	Step     string `json:"step"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifURI     `json:"artifactLocation"`
	Region   *sarifRegion `json:"region,omitzero"`
}

type sarifRegion struct {
	Line   int `json:"startLine"`
	Column int `json:"startColumn"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}
