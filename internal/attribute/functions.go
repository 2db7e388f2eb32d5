package attribute

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// functions are what rules have beyond CEL's standard library. CEL's own string
// library is not taken: its replace and join make a text as long as the product
// of their arguments, which are a stranger's, before any limit is asked.
//
//	"a@b".split("@")               ["a", "b"]
//	"ABC".lowerAscii()             "abc"
//	versionMatches("v1.2.3", "v1") true
func functions() []cel.EnvOption {
	text := cel.StringType
	return []cel.EnvOption{
		cel.Function("split", cel.MemberOverload(splitOverload, []*cel.Type{text, text}, cel.ListType(text), cel.BinaryBinding(
			onTexts(func(s, separator string) ref.Val {
				return types.DefaultTypeAdapter.NativeToValue(strings.Split(s, separator))
			})))),
		cel.Function("lowerAscii", cel.MemberOverload(lowerOverload, []*cel.Type{text}, text, cel.UnaryBinding(
			func(value ref.Val) ref.Val {
				s, ok := value.(types.String)
				if !ok {
					return types.MaybeNoSuchOverloadErr(value)
				}
				return types.String(strings.Map(lowerASCII, string(s)))
			}))),
		cel.Function("versionMatches", cel.Overload(versionOverload, []*cel.Type{text, text}, cel.BoolType, cel.BinaryBinding(
			onTexts(func(tag, wanted string) ref.Val {
				matches, err := versionMatches(tag, wanted)
				if err != nil {
					return types.NewErrFromString(err.Error())
				}
				return types.Bool(matches)
			})))),
	}
}

// The overloads of functions.
const (
	splitOverload   = "string_split_string"
	lowerOverload   = "string_lower_ascii"
	versionOverload = "version_matches_string_string"
)

// prices makes calls cost that CEL takes for free: those of functions, and those
// whose arguments show their types only when the rule runs, which is everything
// that comes out of a predicate. TestHoldsIsBounded has a rule for each.
type prices struct{}

// CallCost is a tenth of a unit for each byte of a text, as CEL's own functions
// cost, and a unit where split may make an item of it. What is nil has CEL's price.
func (prices) CallCost(function, overload string, args []ref.Val, _ ref.Val) *uint64 {
	perByte := uint64(1)
	switch overload {
	case "", lowerOverload, versionOverload:
	case splitOverload:
		perByte = 10
	default:
		return nil
	}
	total := uint64(1)
	for _, arg := range args {
		switch value := arg.(type) {
		case types.String:
			total += uint64(len(value)) * perByte / 10
		case types.Bytes:
			total += uint64(len(value)) * perByte / 10
		case traits.Lister:
			if size, ok := value.Size().(types.Int); ok && function == operators.In {
				total += uint64(max(size, 0))
			}
		}
	}
	return &total
}

// onTexts gives f two texts; a value whose type shows only now may be another.
func onTexts(f func(a, b string) ref.Val) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		first, ok := a.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(a)
		}
		second, ok := b.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(b)
		}
		return f(string(first), string(second))
	}
}

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
