package routing

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"k8s.io/utils/lru"
)

// environment is what expressions may speak of. What has parts is dynamic: customer.verified, customer.attributes and
// the like are looked up when a conversation is at hand.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.OptionalTypes(),
		// What would fail at every conversation, or take long at each, is told now.
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateDurationLiterals(),
			cel.ValidateComprehensionNestingLimit(1)),
		cel.Variable("customer", cel.DynType),
		cel.Variable("channel", cel.DynType),
		cel.Variable("message", cel.DynType),
		cel.Variable("turns", cel.IntType),
		cel.Variable("sentiment", cel.StringType),
		cel.Variable("issueType", cel.StringType),
		cel.Variable("language", cel.StringType),
		cel.Variable("reason", cel.StringType),
		cel.Variable("now", cel.TimestampType),
	)
})

const (
	// remembered is how many expressions are known again. A table is compiled at every edit of what it is made from, with
	// mostly the same expressions, and each takes longer to read than all the rest of a policy.
	remembered = 4096
	// maxCost bounds one evaluation, in CEL's own units: some milliseconds. A regular expression over a long message
	// takes some 20,000.
	maxCost = 100_000
)

// read is what became of an expression: a program, or what is wrong with it.
type read struct {
	program cel.Program
	wrong   string
}

// known has what was read by its text.
var known = lru.New(remembered)

func readExpression(text string) read {
	if r, ok := known.Get(text); ok {
		return r.(read)
	}
	r := translate(text)
	known.Add(text, r)
	return r
}

// expression reports what does not compile, or is neither true nor false, and says whether it can be used.
func (r *report) expression(field, text string) bool {
	wrong := readExpression(text).wrong
	if wrong != "" {
		r.invalid(field, "%q %s", text, wrong)
	}
	return wrong == ""
}

// translate makes a program of an expression, or says what is wrong with it.
func translate(text string) read {
	env, err := environment()
	if err != nil {
		return read{wrong: fmt.Sprintf("cannot be read: %v", err)}
	}
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERROR: "), "\n")
		return read{wrong: "is not a CEL expression over the facts of a conversation; correct it: " + first}
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return read{wrong: fmt.Sprintf("is %s, and must be true or false; compare it, such as turns >= 2", t)}
	}
	program, err := env.Program(checked, cel.CostLimit(maxCost))
	if err != nil {
		return read{wrong: fmt.Sprintf("cannot be evaluated; simplify it: %v", err)}
	}
	return read{program: program}
}

// evaluate says whether an expression is true of variables. It fails where the expression asks for what is not there,
// comes to something else than true or false, or costs too much.
func evaluate(text string, variables map[string]any) (bool, error) {
	r := readExpression(text)
	if r.program == nil {
		return false, fmt.Errorf("%q %s", text, r.wrong)
	}
	value, _, err := r.program.Eval(variables)
	if err != nil {
		return false, fmt.Errorf("%q: %w", text, err)
	}
	yes, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("%q is %s, and must be true or false", text, value.Type().TypeName())
	}
	return yes, nil
}
