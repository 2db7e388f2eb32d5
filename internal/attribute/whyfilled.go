package attribute

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// filledIn is e with the values of the parameters, of named values what they are
// names of, and of choices the branch that was taken.
func (w *reason) filledIn(e ast.Expr) ast.Expr {
	if w.nodes--; w.nodes < 0 {
		return e
	}
	if e.Kind() != ast.LiteralKind && w.callers(e) {
		switch value := w.value(e).(type) {
		case types.String, types.Bool, types.Int, types.Uint, types.Double:
			return w.factory.NewLiteral(e.ID(), value)
		}
	}
	switch e.Kind() {
	case ast.IdentKind:
		if value, ok := w.bound[e.AsIdent()]; ok {
			return w.filledIn(value.Expr)
		}
	case ast.SelectKind:
		s := e.AsSelect()
		if s.IsTestOnly() {
			return w.factory.NewPresenceTest(0, w.filledIn(s.Operand()), s.FieldName())
		}
		return w.literal(w.factory.NewSelect(e.ID(), w.filledIn(s.Operand()), s.FieldName()))
	case ast.CallKind:
		if branch := w.taken(e); branch != e {
			return w.filledIn(branch)
		}
		return w.literal(w.call(e.ID(), e.AsCall()))
	case ast.ListKind:
		var items []ast.Expr
		for _, item := range e.AsList().Elements() {
			items = append(items, w.filledIn(item))
		}
		return w.factory.NewList(e.ID(), items, e.AsList().OptionalIndices())
	default:
	}
	return e
}

// literal is the text that the caller gave, where e looks one up, and two texts
// put together: what stands beside an error has no value of its own.
func (w *reason) literal(e ast.Expr) ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Add {
		left, isText := textLiteral(e.AsCall().Args()[0])
		right, areTexts := textLiteral(e.AsCall().Args()[1])
		if isText && areTexts {
			return w.factory.NewLiteral(e.ID(), types.String(left+right))
		}
	}
	i := &inspection{rule: &Rule{}, source: w.info}
	if path, ok := i.path(e); ok && path.variable == "params" {
		if text, ok := path.value(nil, w.parameters).(string); ok {
			return w.factory.NewLiteral(e.ID(), types.String(text))
		}
	}
	return e
}

func (w *reason) call(id int64, c ast.CallExpr) ast.Expr {
	var args []ast.Expr
	for _, a := range c.Args() {
		args = append(args, w.filledIn(a))
	}
	if c.IsMemberFunction() {
		return w.factory.NewMemberCall(id, c.FunctionName(), w.filledIn(c.Target()), args...)
	}
	return w.factory.NewCall(id, c.FunctionName(), args...)
}
