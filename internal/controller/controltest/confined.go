package controltest

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Confined adds a user with the operator's rights in the World's namespace, and none about what is in no namespace. The
// API server does not log its requests.
func (w *World) Confined() *Audited {
	w.Helper()
	a := &Audited{world: w, Name: "confined-to-" + w.Namespace}
	user, err := cluster.env.AddUser(envtest.User{Name: a.Name}, cluster.admin)
	w.must(err, "add "+a.Name)
	a.Config = user.Config()
	whole, err := operatorRole()
	w.must(err, "operator's role")
	role := &rbacv1.Role{Rules: whole.Rules}
	role.Name = a.Name
	w.ExpectCreated(role)
	binding := &rbacv1.RoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: a.Name}},
	}
	binding.Name = role.Name
	w.ExpectCreated(binding)
	return a
}
