package routing

import (
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
)

// facts is what expressions may speak of. What has parts is dynamic: customer.verified, customer.attributes and the
// like are looked up when a conversation is at hand.
var facts = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.OptionalTypes(),
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

// expression reports what does not compile, or is neither true nor false.
func (r *report) expression(field, text string) {
	env, err := facts()
	if err != nil {
		r.invalid(field, "%q cannot be read: %v", text, err)
		return
	}
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERROR: "), "\n")
		r.invalid(field, "%q is not a CEL expression over the facts of a conversation; correct it: %s", text, first)
		return
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		r.invalid(field, "%q is %s, and must be true or false; compare it, such as turns >= 2", text, t)
	}
}
