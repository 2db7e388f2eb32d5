package attribute

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/signatus-dev/signatus/internal/identity"
)

// lookup is a value that a rule looks up by names alone, such as
// signer.job.ref: the variable and the keys behind it.
type lookup struct {
	variable string
	keys     []any // texts, and numbers for places of a list
}

// inspection walks a checked rule. It notes what the rule looks up, and refuses
// what CEL's types cannot: a key that no certificate has, and a parameter that
// is not named in the text, since nobody could tell which ones the rule needs.
type inspection struct {
	rule     *Rule
	source   *ast.SourceInfo
	problems []Problem
	// shadowed counts the comprehension variables of a name that are in scope.
	shadowed map[string]int
}

// inspect fills in what the rule speaks of.
func (r *Rule) inspect(checked *cel.Ast) []Problem {
	i := &inspection{rule: r, source: checked.NativeRep().SourceInfo(), shadowed: map[string]int{}}
	i.walk(checked.NativeRep().Expr())
	return i.problems
}

func (i *inspection) walk(e ast.Expr) {
	if path, ok := i.path(e); ok {
		i.note(e, path)
		return
	}
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == "params" && i.shadowed["params"] == 0 {
			i.problem(e, `params is used as a whole; name each parameter, as in params.tag or "tag" in params`)
		}
	case ast.SelectKind:
		i.walk(e.AsSelect().Operand())
	case ast.CallKind:
		i.call(e)
	case ast.ListKind:
		i.all(e.AsList().Elements())
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			i.all([]ast.Expr{entry.AsMapEntry().Key(), entry.AsMapEntry().Value()})
		}
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			i.walk(field.AsStructField().Value())
		}
	case ast.ComprehensionKind:
		i.comprehension(e.AsComprehension())
	case ast.LiteralKind, ast.UnspecifiedExprKind:
	}
}

func (i *inspection) all(expressions []ast.Expr) {
	for _, e := range expressions {
		i.walk(e)
	}
}

// call walks a call; "tag" in params names a parameter like params.tag does.
func (i *inspection) call(e ast.Expr) {
	c := e.AsCall()
	if c.FunctionName() == operators.In && len(c.Args()) == 2 && c.Args()[1].Kind() == ast.IdentKind {
		if key, ok := textLiteral(c.Args()[0]); ok && c.Args()[1].AsIdent() == "params" && i.shadowed["params"] == 0 {
			i.note(e, lookup{"params", []any{key}})
			return
		}
	}
	if c.IsMemberFunction() {
		i.walk(c.Target())
	}
	i.all(c.Args())
}

func (i *inspection) comprehension(c ast.ComprehensionExpr) {
	i.walk(c.IterRange())
	i.walk(c.AccuInit())
	names := []string{c.IterVar(), c.IterVar2(), c.AccuVar()}
	for _, name := range names {
		i.shadowed[name]++
	}
	i.all([]ast.Expr{c.LoopCondition(), c.LoopStep()})
	for _, name := range names[:2] {
		i.shadowed[name]--
	}
	i.walk(c.Result())
	i.shadowed[names[2]]--
}

// path reads an expression that is a variable with names behind it.
func (i *inspection) path(e ast.Expr) (lookup, bool) {
	var keys []any
	for {
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			variable := slices.Contains([]string{"predicate", "predicateType", "subject", "signer", "params"}, name)
			whole := len(keys) == 0 && name != "predicateType"
			slices.Reverse(keys)
			return lookup{name, keys}, variable && !whole && i.shadowed[name] == 0
		case ast.SelectKind:
			keys = append(keys, e.AsSelect().FieldName())
			e = e.AsSelect().Operand()
		case ast.CallKind:
			c := e.AsCall()
			if c.FunctionName() != operators.Index || len(c.Args()) != 2 {
				return lookup{}, false
			}
			if key, ok := textLiteral(c.Args()[1]); ok {
				keys = append(keys, key)
			} else if place, ok := numberLiteral(c.Args()[1]); ok {
				keys = append(keys, place)
			} else {
				return lookup{}, false
			}
			e = c.Args()[0]
		default:
			return lookup{}, false
		}
	}
}

// note keeps a lookup and checks its names.
func (i *inspection) note(e ast.Expr, path lookup) {
	location := i.source.GetStartLocation(e.ID())
	switch path.variable {
	case "params":
		name, ok := path.keys[0].(string)
		if !ok {
			i.problem(e, `params is no list; name each parameter, as in params.tag or "tag" in params`)
			return
		}
		i.rule.parameters = append(i.rule.parameters, Parameter{Name: name, Line: max(location.Line(), 1), Column: location.Column() + 1})
	case "signer":
		i.checkSigner(e, path.keys)
	}
	if !slices.ContainsFunc(i.rule.shown, func(l lookup) bool { return l.variable == path.variable && slices.Equal(l.keys, path.keys) }) {
		i.rule.shown = append(i.rule.shown, path)
	}
}

// checkSigner refuses names that signer.extensions and signer.job never have:
// has() of a misspelt one would be false for every certificate.
func (i *inspection) checkSigner(e ast.Expr, keys []any) {
	if len(keys) < 2 {
		return
	}
	known := jobFacts()
	if keys[0] == "extensions" {
		known = nil
		for _, name := range identity.Names() {
			known = append(known, string(name))
		}
	}
	if name, ok := keys[1].(string); !ok || !slices.Contains(known, name) {
		i.problem(e, fmt.Sprintf("signer.%v has no %v; it has %s", keys[0], keys[1], joined(known)))
	}
}

func (i *inspection) problem(e ast.Expr, message string) {
	location := i.source.GetStartLocation(e.ID())
	i.problems = append(i.problems, Problem{Message: message, Line: max(location.Line(), 1), Column: max(location.Column()+1, 1)})
}

func textLiteral(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

func numberLiteral(e ast.Expr) (int, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	number, ok := e.AsLiteral().(types.Int)
	return int(number), ok
}
