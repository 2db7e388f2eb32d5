// Package attribute judges the attribute rules of a layout's expectedAttributes
// (ITE-11): CEL expressions over one verified statement, its signer and the
// caller's parameters. It compiles and type-checks them before any statement is
// seen, and answers with true or false or a reason; what cannot be evaluated is
// never true. It reads no file and asks no clock.
//
//	compiler, err := attribute.NewCompiler()
//	rule, problems := compiler.Compile(`signer.job.ref == "refs/tags/" + params.tag`)
//	holds, err := rule.Holds(facts, parameters)
//	why := rule.Why(facts, parameters) // of a rule that did not hold
//
// Source: https://github.com/in-toto/ITE/tree/master/ITE/11
package attribute

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
)

// Bounds of one rule. Each has a test. The cost bounds the memory too, since
// whatever makes a longer text or list pays for its length; CEL's own memory
// limit takes anything nested more than five deep for infinitely large, which
// real predicates are.
const (
	MaxRuleBytes = 16 << 10  // of a rule's text, in code points
	MaxNesting   = 64        // of a rule's brackets and calls
	MaxCost      = 1_000_000 // units of CEL's cost of one evaluation
)

// Compiler compiles rules; one serves a whole layout.
type Compiler struct{ environment *cel.Env }

// NewCompiler makes the environment that rules are checked in. It is CEL's
// standard library without matches, since where identities and policies are
// judged there are no regular expressions, and with the functions of functions().
func NewCompiler() (*Compiler, error) {
	options := append(functions(),
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(env.NewFunction("matches")))),
		cel.EagerlyValidateDeclarations(true),
		cel.EnableMacroCallTracking(), // so that a part of a rule can be written out
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(MaxRuleBytes),
		cel.ParserRecursionLimit(MaxNesting),
		cel.ExpressionNestingDepthLimit(MaxNesting),
		cel.Types(cel.NativeTypeFor[Signer](types.ParseStructTags(true), cel.NativeTypeAlias("layout.Signer"))),
		cel.Variable("predicate", cel.DynType),
		cel.Variable("predicateType", cel.StringType),
		cel.Variable("subject", cel.ListType(cel.MapType(cel.StringType, cel.DynType))),
		cel.Variable("signer", cel.ObjectType("layout.Signer")),
		cel.Variable("params", cel.MapType(cel.StringType, cel.DynType)),
	)
	environment, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("preparing CEL: %w", err)
	}
	return &Compiler{environment}, nil
}

// Rule is one attribute rule, compiled. Only Compile makes one; it may be used
// by several goroutines at once.
type Rule struct {
	text       string
	checked    *cel.Ast
	program    cel.Program
	explaining cel.Program // keeps the value of every part
	parameters []Parameter
	shown      []lookup
}

// Parameter is a parameter that a rule speaks of.
type Parameter struct {
	Name string
	// Line and Column say where in the rule, from 1.
	Line, Column int
}

// Problem is why a rule cannot be used.
type Problem struct {
	Message string
	// Line and Column say where in the rule, from 1.
	Line, Column int
}

// Text returns the rule as it was written.
func (r *Rule) Text() string { return r.text }

// Parameters lists the parameters that the rule speaks of, each use once.
func (r *Rule) Parameters() []Parameter { return r.parameters }

// Compile reads and type-checks a rule. "The rule is a boolean CEL expression"
// (ITE-11): one that can only be something else is refused here, and one whose
// type shows only when it runs is refused there. TestCompile shows it.
func (c *Compiler) Compile(text string) (*Rule, []Problem) {
	checked, issues := c.environment.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, problemsOf(issues)
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, []Problem{{Message: fmt.Sprintf("the rule is %s, not a boolean", cel.FormatCELType(t)), Line: 1, Column: 1}}
	}
	r := &Rule{text: text, checked: checked}
	if problems := r.inspect(checked); len(problems) > 0 {
		return nil, problems
	}
	var err error
	if r.program, err = c.environment.Program(checked, cel.CostLimit(MaxCost), cel.CostTracking(prices{})); err != nil {
		return nil, []Problem{{Message: err.Error(), Line: 1, Column: 1}}
	}
	if r.explaining, err = c.explainer(checked); err != nil {
		return nil, []Problem{{Message: err.Error(), Line: 1, Column: 1}}
	}
	return r, nil
}

func problemsOf(issues *cel.Issues) []Problem {
	var out []Problem
	for _, e := range issues.Errors() {
		message, _, _ := strings.Cut(e.Message, "\n")
		out = append(out, Problem{Message: message, Line: max(e.Location.Line(), 1), Column: max(e.Location.Column()+1, 1)})
	}
	if len(out) == 0 {
		out = append(out, Problem{Message: issues.Err().Error(), Line: 1, Column: 1})
	}
	return out
}
