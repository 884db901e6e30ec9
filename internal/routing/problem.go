package routing

import "fmt"

// Object names an object of the snapshot. Namespace is that of the Copilot.
type Object struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// String returns "Kind name".
func (o Object) String() string { return o.Kind + " " + o.Name }

// Problem is something wrong with one object, written for the person who wrote it. It is what a status condition shows.
type Problem struct {
	// Object that has to be edited.
	Object Object `json:"object"`
	// Condition that the problem turns off: v1alpha1.ConditionAccepted, ConditionResolvedRefs or ConditionServed.
	Condition string `json:"condition"`
	// Reason of the condition, one of the v1alpha1.Reason constants.
	Reason string `json:"reason"`
	// Field is the path of the field, such as "spec.routes[0].targets[1].pool.name".
	Field string `json:"field"`
	// Message names the value and the fix.
	Message string `json:"message"`
}

// Error makes a Problem an error.
func (p Problem) Error() string { return fmt.Sprintf("%s: %s: %s", p.Object, p.Field, p.Message) }
