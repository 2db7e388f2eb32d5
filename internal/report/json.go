package report

import (
	"bytes"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/signatus-dev/signatus/internal/artifact"
	"github.com/signatus-dev/signatus/internal/verdict"
)

// Schema identifies the JSON report, and SchemaVersion its version: a field
// that leaves or changes its meaning makes a new one.
const (
	Schema        = "https://signatus.dev/schemas/report/v1"
	SchemaVersion = "1"
)

// JSON writes the report as one JSON object and a line feed, as
// docs/report.schema.json describes it. Lists are never null, times are
// RFC 3339 in UTC. Texts are exact and whole, except that bytes which are not
// UTF-8 become U+FFFD; what [Clean] would escape stands as a JSON escape.
func JSON(w io.Writer, d Document) error {
	return writeObject(w, viewDocument(d), "JSON report")
}

// writeObject writes a value in the manner of [JSON]; what names it in an error.
func writeObject(w io.Writer, value any, what string) error {
	text, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("writing %s: %w", what, err)
	}
	if _, err := w.Write(append(escapeHidden(text), '\n')); err != nil {
		return fmt.Errorf("writing %s: %w", what, err)
	}
	return nil
}

// escapeHidden writes hidden characters as JSON escapes. Outside strings JSON
// text is ASCII, and inside them the encoder has escaped the C0 controls.
func escapeHidden(text []byte) []byte {
	out := make([]byte, 0, len(text)+1)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '[' && bytes.HasSuffix(out, []byte("##")): // see Clean
			out = append(out, `\u005b`...)
		case r < ' ' || !hidden(r):
			out = append(out, text[:size]...)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[size:]
	}
	return out
}

type documentView struct {
	Schema        string            `json:"$schema"`
	SchemaVersion string            `json:"schemaVersion"`
	Tool          toolView          `json:"tool"`
	Outcome       string            `json:"outcome"`
	ExitCode      int               `json:"exitCode"`
	Judged        string            `json:"judgedAt,omitzero"`
	Summary       summaryView       `json:"summary"`
	Layout        layoutView        `json:"layout"`
	Parameters    map[string]string `json:"parameters"`
	Roots         []rootView        `json:"roots"`
	Searched      []placeView       `json:"searched"`
	Warnings      []string          `json:"warnings"`
	Loosenings    []string          `json:"loosenings"`
	Summaries     []documentSummary `json:"summaries"`
	Verdicts      []verdictView     `json:"verdicts"`
}

type documentSummary struct {
	File     string   `json:"file"`
	Artifact string   `json:"artifact"`
	Result   string   `json:"result"`
	Resource string   `json:"resource"`
	Levels   []string `json:"levels"`
	Verifier string   `json:"verifier"`
	Signer   string   `json:"signer"`

	Instance instanceView `json:"instance"`
}

type toolView struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type summaryView struct {
	Artifacts int `json:"artifacts"`
	Allowed   int `json:"allowed"`
	Denied    int `json:"denied"`
	Undecided int `json:"undecided"`
}

type layoutView struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Version int    `json:"version"`
	Expires string `json:"expires,omitzero"`
	Trust   string `json:"trust"`
}

type rootView struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
	Date   string `json:"date,omitzero"`
}

type placeView struct {
	Name  string `json:"name"`
	Found int    `json:"found"`
}

type verdictView struct {
	Artifact artifactView   `json:"artifact"`
	Outcome  string         `json:"outcome"`
	Steps    []stepView     `json:"steps"`
	Findings []findingView  `json:"findings"`
	Evidence []evidenceView `json:"evidence"`
	Notes    []string       `json:"notes"`
	Trace    *traceView     `json:"trace,omitzero"`
}

type artifactView struct {
	Given  string             `json:"given"`
	Name   string             `json:"name"`
	Digest artifact.DigestSet `json:"digest"`
}

type stepView struct {
	Name      string   `json:"name"`
	Satisfied bool     `json:"satisfied"`
	Required  int      `json:"required"`
	Counted   int      `json:"counted"`
	By        []string `json:"by"`
}

type findingView struct {
	ID       verdict.ID `json:"id"`
	Step     string     `json:"step"`
	Rule     string     `json:"rule"`
	Where    string     `json:"where"`
	Expected string     `json:"expected"`
	Found    string     `json:"found"`
	Next     string     `json:"next"`
}

type evidenceView struct {
	Source        string       `json:"source"`
	Verified      bool         `json:"verified"`
	Signer        *signerView  `json:"signer,omitzero"`
	PredicateType string       `json:"predicateType"`
	SubjectCount  int          `json:"subjectCount"`
	Counted       bool         `json:"counted"`
	Step          string       `json:"step"`
	SHA256        string       `json:"sha256"`
	Reason        *findingView `json:"reason,omitzero"`
}

type signerView struct {
	Name     string     `json:"name"`
	Issuer   string     `json:"issuer"`
	Identity string     `json:"identity"`
	Root     string     `json:"root"`
	Times    []timeView `json:"times"`
}

type timeView struct {
	Time string `json:"time"`
	By   string `json:"by"`
	Kind string `json:"kind"`
}

func viewDocument(d Document) documentView {
	return documentView{
		Schema: Schema, SchemaVersion: SchemaVersion,
		Tool:    toolView{Name: "signatus", Version: d.Tool},
		Outcome: d.Outcome().String(), ExitCode: d.ExitCode(), Judged: instant(d.Judged),
		Summary: summaryView{
			Artifacts: len(d.Verdicts), Allowed: d.count(verdict.Allowed),
			Denied: d.count(verdict.Denied), Undecided: d.count(verdict.Undecided),
		},
		Layout:     viewLayout(d.Layout),
		Parameters: d.Parameters, Warnings: d.Warnings, Loosenings: d.Loosenings,
		Roots: each(d.Roots, func(r Root) rootView { return rootView{r.Name, r.Source, r.SHA256, instant(r.Date)} }),
		Summaries: each(d.Summaries, func(s Summary) documentSummary {
			return documentSummary{s.File, s.Artifact, s.Result, s.Resource, s.Levels, s.Verifier, s.Signer, instanceView(s.Instance)}
		}),
		Searched: each(d.Searched, func(p Place) placeView { return placeView(p) }),
		Verdicts: each(d.Verdicts, viewVerdict),
	}
}

func viewLayout(l Layout) layoutView {
	return layoutView{Name: l.Name, SHA256: l.SHA256, Version: l.Version, Expires: instant(l.Expires), Trust: l.Trust}
}

func viewVerdict(v verdict.Verdict) verdictView {
	return verdictView{
		Artifact: artifactView(v.Artifact),
		Outcome:  v.Outcome().String(),
		Steps:    each(v.Steps, func(s verdict.Step) stepView { return stepView(s) }),
		Findings: each(v.Findings, viewFinding),
		Evidence: each(v.Evidence, viewEvidence),
		Notes:    v.Notes,
		Trace:    viewTrace(v.Trace),
	}
}

func viewFinding(f verdict.Finding) findingView { return findingView(f) }

// viewReason is absent where there is none.
func viewReason(f *verdict.Finding) *findingView {
	if f == nil {
		return nil
	}
	view := viewFinding(*f)
	return &view
}

// viewEvidence leaves out what a statement says of itself where its signature
// did not verify: the caller should have left it empty.
func viewEvidence(e verdict.Evidence) evidenceView {
	view := evidenceView{Source: e.Source, Verified: e.Verified, Counted: counted(e), SHA256: e.SHA256, Reason: viewReason(e.Reason)}
	if !e.Verified {
		return view
	}
	view.PredicateType, view.SubjectCount, view.Step = e.PredicateType, e.SubjectCount, e.Step
	view.Signer = &signerView{
		Name: e.Signer, Issuer: e.Issuer, Identity: e.Identity, Root: e.Root,
		Times: each(provenTimes(e), func(t verdict.Time) timeView { return timeView{instant(t.Instant), t.By, t.Kind} }),
	}
	return view
}

// instant is RFC 3339 in UTC, empty for the zero time.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func each[From, To any](from []From, view func(From) To) []To {
	to := make([]To, len(from))
	for i, item := range from {
		to[i] = view(item)
	}
	return to
}
