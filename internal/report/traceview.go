package report

import "github.com/signatus-dev/signatus/internal/verdict"

type traceView struct {
	Anchor         string          `json:"anchor"`
	Satisfied      bool            `json:"satisfied"`
	Choices        []choiceView    `json:"choices"`
	Lists          []ruleListView  `json:"lists"`
	Sublayouts     []sublayoutView `json:"sublayouts"`
	MoreSublayouts int             `json:"moreSublayouts"`
}

type sublayoutView struct {
	Step    string       `json:"step"`
	Source  string       `json:"source"`
	Subject string       `json:"subject"`
	Finding *findingView `json:"finding,omitzero"`
	Trace   *traceView   `json:"trace,omitzero"`
}

type choiceView struct {
	Step       string      `json:"step"`
	Expected   string      `json:"expected"`
	Required   int         `json:"required"`
	Options    int         `json:"options"`
	Sources    excerptView `json:"sources"`
	Principals excerptView `json:"principals"`
	Lacking    string      `json:"lacking"`
}

type ruleListView struct {
	Step    string     `json:"step"`
	List    string     `json:"list"`
	Skipped string     `json:"skipped"`
	Rules   []ruleView `json:"rules"`
}

type ruleView struct {
	Rule        string       `json:"rule"`
	Where       string       `json:"where"`
	Queue       excerptView  `json:"queue"`
	Consumed    excerptView  `json:"consumed"`
	Matches     []matchView  `json:"matches"`
	MoreMatches int          `json:"moreMatches"`
	Finding     *findingView `json:"finding,omitzero"`
}

type matchView struct {
	Name   string `json:"name"`
	Step   string `json:"step"`
	Joined bool   `json:"joined"`
	Have   string `json:"have"`
	Want   string `json:"want"`
}

type excerptView struct {
	First []string `json:"first"`
	More  int      `json:"more"`
}

func viewTrace(t *verdict.Trace) *traceView {
	if t == nil {
		return nil
	}
	return &traceView{
		Anchor: t.Anchor, Satisfied: t.Satisfied,
		Choices: each(t.Choices, func(c verdict.Choice) choiceView {
			return choiceView{c.Step, c.Expected, c.Required, c.Options, excerptView(c.Sources), excerptView(c.Principals), c.Lacking}
		}),
		Lists: each(t.Lists, func(l verdict.RuleList) ruleListView {
			return ruleListView{l.Step, l.List, l.Skipped, each(l.Rules, viewRule)}
		}),
		Sublayouts: each(t.Sublayouts, func(s verdict.Sublayout) sublayoutView {
			return sublayoutView{s.Step, s.Source, s.Subject, viewReason(s.Finding), viewTrace(s.Trace)}
		}),
		MoreSublayouts: t.MoreSublayouts,
	}
}

func viewRule(r verdict.RuleTrace) ruleView {
	return ruleView{
		Rule: r.Rule, Where: r.Where, Queue: excerptView(r.Queue), Consumed: excerptView(r.Consumed),
		Matches: each(r.Matches, func(m verdict.Match) matchView { return matchView(m) }), MoreMatches: r.MoreMatches,
		Finding: viewReason(r.Finding),
	}
}
