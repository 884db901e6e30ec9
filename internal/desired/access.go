package desired

import (
	"k8s.io/apimachinery/pkg/runtime"
	rbacac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// role lets the runtime read its own table and what the table names, each by name, and acknowledge the table.
func role(in Input) runtime.ApplyConfiguration {
	name := Name(in.Copilot.Name)
	role := rbacac.Role(name, in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithRules(
			rule(v1alpha1.GroupVersion.Group, "routingtables", []string{name}, "list", "watch"),
			rule(v1alpha1.GroupVersion.Group, "routingtables/status", []string{name}, "patch"))
	// A rule without names would be for all objects of its kind.
	secrets, configMaps := in.Table.Inputs()
	if len(secrets) > 0 {
		role.WithRules(rule("", "secrets", secrets, "list", "watch"))
	}
	if len(configMaps) > 0 {
		role.WithRules(rule("", "configmaps", configMaps, "list", "watch"))
	}
	return role
}

func rule(group, resource string, names []string, verbs ...string) *rbacac.PolicyRuleApplyConfiguration {
	return rbacac.PolicyRule().
		WithAPIGroups(group).
		WithResources(resource).
		WithResourceNames(names...).
		WithVerbs(verbs...)
}

func roleBinding(in Input) runtime.ApplyConfiguration {
	name := Name(in.Copilot.Name)
	return rbacac.RoleBinding(name, in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithRoleRef(rbacac.RoleRef().WithAPIGroup("rbac.authorization.k8s.io").WithKind("Role").WithName(name)).
		WithSubjects(rbacac.Subject().WithKind("ServiceAccount").WithName(name).WithNamespace(in.Copilot.Namespace))
}
