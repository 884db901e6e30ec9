package routing

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"k8s.io/utils/lru"
)

// facts is what expressions may speak of. What has parts is dynamic: customer.verified, customer.attributes and the
// like are looked up when a conversation is at hand.
var facts = sync.OnceValues(func() (*cel.Env, error) {
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

// remembered is how many expressions are known again. A table is compiled at every edit of what it is made from, with
// mostly the same expressions, and each takes longer to read than all the rest of a policy.
const remembered = 4096

// known has what is wrong with an expression by its text.
var known = lru.New(remembered)

// expression reports what does not compile, or is neither true nor false.
func (r *report) expression(field, text string) {
	wrong, ok := known.Get(text)
	if !ok {
		wrong = misread(text)
		known.Add(text, wrong)
	}
	if wrong != "" {
		r.invalid(field, "%q %s", text, wrong)
	}
}

// misread says what is wrong with an expression; nothing if it can be used.
func misread(text string) string {
	env, err := facts()
	if err != nil {
		return fmt.Sprintf("cannot be read: %v", err)
	}
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERROR: "), "\n")
		return "is not a CEL expression over the facts of a conversation; correct it: " + first
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return fmt.Sprintf("is %s, and must be true or false; compare it, such as turns >= 2", t)
	}
	return ""
}
