package attribute

import (
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// Why is the reason of a rule that did not hold, for people: only the part that
// decided, with the caller's parameters filled in. It is made from the rule's own
// text and values, so it says nothing that the rule does not.
type Why struct {
	// Wanted are the conditions of which one had to be true:
	// signer.job.ref == "refs/heads/main".
	Wanted []string
	// Found are the values that these look at: signer.job.ref is "refs/heads/dev".
	Found []string
	// Asked are the parameters that the conditions are made with: branch=main.
	Asked []string
}

// Bounds of a reason.
const (
	mostWanted = 4
	mostFound  = 6
	mostTried  = 64   // members of a family
	mostNodes  = 2000 // of the expressions that are printed, all together
	mostText   = 200  // letters of one condition
)

// Why says why the rule did not hold of these facts. Where the rule is of a kind
// that has no parts, it tells what the rule looked up.
func (r *Rule) Why(f *Facts, parameters map[string]any) Why {
	parameters = r.narrowed(f, parameters)
	w := &reason{rule: r, parameters: parameters, info: r.checked.NativeRep().SourceInfo(), factory: ast.NewExprFactory(), bound: map[string]named{}, nodes: mostNodes}
	_, details, _ := r.explaining.Eval(variables(f, parameters))
	if details != nil {
		w.state = details.State()
		w.against(r.checked.NativeRep().Expr())
	}
	if len(w.conditions) == 0 {
		return Why{Found: r.saw(f, parameters)}
	}
	return w.told(f, parameters)
}

// narrowed leaves of each family the first member for which alone the rule does
// not hold; where there is none, all.
func (r *Rule) narrowed(f *Facts, parameters map[string]any) map[string]any {
	for name, value := range parameters {
		family, ok := value.(map[string]string)
		if !ok || len(family) < 2 || !slices.ContainsFunc(r.parameters, func(p Parameter) bool { return p.Name == name }) {
			continue
		}
		for _, key := range keysOf(family)[:min(len(family), mostTried)] {
			less := maps.Clone(parameters)
			less[name] = map[string]string{key: family[key]}
			if holds, err := r.Holds(f, less); !holds || err != nil {
				parameters = less
				break
			}
		}
	}
	return parameters
}

// condition is a part of a rule that is not true.
type condition struct {
	text    string
	looked  []lookup
	came    []string // what it compares, where it looks up nothing by name
	asked   []string
	failed  bool // it could not be evaluated, or asks for what is not there
	callers bool // it is about parameters alone
}

// named is a value that a rule has given a name, and what is known of it: asked
// once, however often the name is used.
type named struct {
	ast.Expr
	callers bool
	asked   []string
}

// reason walks down a rule that was evaluated whole, to what decided.
type reason struct {
	rule       *Rule
	parameters map[string]any
	info       *ast.SourceInfo
	factory    ast.ExprFactory
	state      interpreter.EvalState
	bound      map[string]named
	conditions []condition
	nodes      int
}

// against notes what of e had to be otherwise: of an AND the first part that is
// false, of an OR every part, of a choice the branch that was taken.
func (w *reason) against(e ast.Expr) {
	if body, name, value, ok := w.naming(e); ok {
		outer, shadows := w.bound[name]
		w.bound[name] = named{value, w.callers(value), w.asked(value)}
		w.against(body)
		delete(w.bound, name)
		if shadows {
			w.bound[name] = outer
		}
		return
	}
	if e.Kind() != ast.CallKind {
		w.leaf(e)
		return
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalOr:
		for _, a := range args {
			w.against(a)
		}
	case operators.LogicalAnd:
		if i := slices.IndexFunc(args, w.isFalse); i >= 0 {
			w.against(args[i])
		} else if i := slices.IndexFunc(args, func(a ast.Expr) bool { return !w.isTrue(a) }); i >= 0 {
			w.against(args[i])
		}
	case operators.Conditional:
		w.against(w.taken(e))
	default:
		w.leaf(e)
	}
}

// naming reads [e].all(name, body) and [e].exists(name, body), which is how rules
// give a value a name.
func (w *reason) naming(e ast.Expr) (body ast.Expr, name string, value ast.Expr, ok bool) {
	if e.Kind() != ast.ComprehensionKind {
		return nil, "", nil, false
	}
	c := e.AsComprehension()
	if value, ok = w.only(w.taken(c.IterRange())); !ok || c.HasIterVar2() {
		return nil, "", nil, false
	}
	step := c.LoopStep()
	if step.Kind() != ast.CallKind || len(step.AsCall().Args()) != 2 || !slices.Contains([]string{operators.LogicalAnd, operators.LogicalOr}, step.AsCall().FunctionName()) {
		return nil, "", nil, false
	}
	if uses(value, c.IterVar()) {
		return nil, "", nil, false // it would name itself
	}
	return step.AsCall().Args()[1], c.IterVar(), value, true
}

// only is the one item of a list that is written with one, or the one name in a
// family of the caller's.
func (w *reason) only(list ast.Expr) (ast.Expr, bool) {
	if list.Kind() == ast.ListKind {
		return append(list.AsList().Elements(), list)[0], list.AsList().Size() == 1 && len(list.AsList().OptionalIndices()) == 0
	}
	family, ok := w.value(list).(traits.Mapper)
	if !ok || !w.callers(list) || family.Size() != types.Int(1) {
		return nil, false
	}
	return w.factory.NewLiteral(0, family.Iterator().Next()), true
}

// taken is the branch of a choice that the facts chose; e itself where it is none.
func (w *reason) taken(e ast.Expr) ast.Expr {
	for e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Conditional {
		args := e.AsCall().Args()
		switch {
		case w.isTrue(args[0]):
			e = args[1]
		case w.isFalse(args[0]):
			e = args[2]
		default:
			return args[0]
		}
	}
	return e
}

func (w *reason) value(e ast.Expr) ref.Val {
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral()
	}
	value, _ := w.state.Value(e.ID())
	return value
}

func (w *reason) isTrue(e ast.Expr) bool  { return w.value(e) == types.True }
func (w *reason) isFalse(e ast.Expr) bool { return w.value(e) == types.False }

// leaf notes a condition without parts.
func (w *reason) leaf(e ast.Expr) {
	if w.isTrue(e) {
		return
	}
	c := condition{failed: !w.isFalse(e) || isHas(e), callers: w.callers(e)}
	shown := e
	if name, negated, ok := given(e); ok {
		c.text = "--param " + name + "=…"
		if negated {
			c.text = "no --param " + name
		}
		w.conditions = append(w.conditions, c)
		return
	}
	if !c.callers {
		shown = w.filledIn(e)
	}
	c.text = w.text(shown)
	i := &inspection{rule: &Rule{}, source: w.info, shadowed: map[string]int{}}
	i.walk(shown)
	c.looked = i.rule.shown
	if !c.callers { // else what the caller gave is what was found
		c.asked = w.asked(e)
		c.looked = slices.DeleteFunc(c.looked, func(l lookup) bool { return l.variable == "params" })
	}
	if len(c.looked) == 0 && shown.Kind() == ast.CallKind {
		c.came = w.came(shown.AsCall().Args())
	}
	w.conditions = append(w.conditions, c)
}

// came tells what the calls came to that a condition compares.
func (w *reason) came(args []ast.Expr) (out []string) {
	for _, a := range args {
		switch value := w.value(a).(type) {
		case types.String, types.Bool, types.Int, types.Uint, types.Double:
			if a.Kind() == ast.CallKind {
				out = append(out, w.text(a)+" is "+shown(value.Value()))
			}
		}
	}
	return out
}

func (w *reason) text(e ast.Expr) string {
	text, err := parser.Unparse(e, w.info, parser.WrapOnColumn(1<<20))
	if err != nil {
		text = w.rule.text
	}
	return cut(strings.Join(strings.Fields(text), " "), mostText)
}

func isHas(e ast.Expr) bool { return e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() }

// given reads "name" in params, and its negation.
func given(e ast.Expr) (name string, negated, ok bool) {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot {
		name, negated, ok = given(e.AsCall().Args()[0])
		return name, !negated, ok
	}
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.In {
		return "", false, false
	}
	args := e.AsCall().Args()
	name, ok = textLiteral(args[0])
	return name, false, ok && args[1].Kind() == ast.IdentKind && args[1].AsIdent() == "params"
}

// callers reports whether nothing but parameters is in e.
func (w *reason) callers(e ast.Expr) bool {
	only := true
	visit(e, func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			value, isName := w.bound[e.AsIdent()]
			only = only && (isName && value.callers || !isName && e.AsIdent() == "params")
		case ast.ComprehensionKind:
			only = false
		default:
		}
	})
	return only
}

// asked lists the parameters that e speaks of.
func (w *reason) asked(e ast.Expr) (names []string) {
	i := &inspection{rule: &Rule{}, source: w.info, shadowed: map[string]int{}}
	i.walk(e)
	for _, p := range i.rule.parameters {
		names = added(names, p.Name)
	}
	visit(e, func(e ast.Expr) {
		if e.Kind() == ast.IdentKind {
			names = added(names, w.bound[e.AsIdent()].asked...)
		}
	})
	return names
}

// uses reports whether a name occurs in e.
func uses(e ast.Expr, name string) (found bool) {
	visit(e, func(e ast.Expr) { found = found || e.Kind() == ast.IdentKind && e.AsIdent() == name })
	return found
}

func visit(e ast.Expr, f func(ast.Expr)) { ast.PreOrderVisit(e, ast.NewExprVisitor(f)) }

// explainer is the program that keeps the value of every part of a rule.
func (c *Compiler) explainer(checked *cel.Ast) (cel.Program, error) {
	return c.environment.Program(checked, cel.CostLimit(MaxCost), cel.CostTracking(prices{}), cel.EvalOptions(cel.OptExhaustiveEval))
}
