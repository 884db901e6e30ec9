package controltest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

// watchedKinds are the namespaced kinds that the operator may list, as config/rbac/role.yaml says.
var watchedKinds = sync.OnceValues(func() ([]schema.GroupVersionKind, error) {
	role, err := operatorRole()
	if err != nil {
		return nil, err
	}
	mapper := cluster.client.RESTMapper()
	found := map[schema.GroupVersionKind]bool{}
	for _, rule := range role.Rules {
		if !slices.Contains(rule.Verbs, "list") {
			continue
		}
		for _, resource := range rule.Resources {
			gvk, err := mapper.KindFor(schema.GroupVersionResource{Group: rule.APIGroups[0], Resource: resource})
			if meta.IsNoMatchError(err) {
				continue // an API that is not installed here
			}
			if err != nil {
				return nil, err
			}
			mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
			if err != nil {
				return nil, err
			}
			if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
				found[gvk] = true
			}
		}
	}
	out := make([]schema.GroupVersionKind, 0, len(found))
	for gvk := range found {
		out = append(out, gvk)
	}
	slices.SortFunc(out, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
})

func operatorRole() (*rbacv1.ClusterRole, error) {
	raw, err := os.ReadFile(Root("config/rbac/role.yaml"))
	if err != nil {
		return nil, err
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.Unmarshal(raw, role); err != nil {
		return nil, fmt.Errorf("role.yaml: %w", err)
	}
	return role, nil
}

// Objects are all objects of the World of the kinds that the operator knows.
func (w *World) Objects() []unstructured.Unstructured {
	w.Helper()
	kinds, err := watchedKinds()
	w.must(err, "find the kinds that the operator knows")
	var out []unstructured.Unstructured
	for _, gvk := range kinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		w.must(w.Client.List(w.Context(), list, client.InNamespace(w.Namespace)), "list "+gvk.Kind)
		out = append(out, list.Items...)
	}
	return out
}

// State is every object of the World as YAML by "Kind name", without what differs between two Worlds where the same was
// done: UIDs, versions, times, addresses, the namespace's name, and the revisions of tables, which contain it.
func (w *World) State() map[string]string {
	w.Helper()
	objects := w.Objects()
	replace := []string{w.Namespace, "NAMESPACE"}
	for _, o := range objects {
		replace = append(replace, string(o.GetUID()), "UID of "+o.GetKind()+" "+o.GetName())
		if revision, ok, _ := unstructured.NestedString(o.Object, "spec", "revision"); ok && o.GetKind() == "RoutingTable" {
			replace = append(replace, revision, "REVISION of "+o.GetName())
		}
	}
	stable := strings.NewReplacer(replace...)
	out := map[string]string{}
	for _, o := range objects {
		name := o.GetKind() + " " + o.GetName()
		if name == "ConfigMap kube-root-ca.crt" || name == "ServiceAccount default" {
			continue
		}
		seen, ours, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
		stale := ours && seen != o.GetGeneration()
		prune(o.Object)
		if status, ok := o.Object["status"].(map[string]any); ok && len(status) == 0 {
			delete(o.Object, "status") // what is left where there was one
		}
		if stale {
			o.Object["stale"] = "its status is about an older generation"
		}
		raw, err := yaml.Marshal(o.Object)
		w.must(err, "write "+name)
		out[name] = stable.Replace(string(raw))
	}
	return out
}

// volatile fields say when something was done, how often, or where it landed, and not what is there.
var volatile = []string{
	"uid", "resourceVersion", "generation", "observedGeneration", "creationTimestamp", "managedFields",
	"lastTransitionTime", "clusterIP", "clusterIPs", templateOf,
	upgrade.Template, // the template names the namespace
}

func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, field := range volatile {
			if field == "uid" {
				if _, isReference := v["controller"]; isReference {
					continue
				}
			}
			delete(v, field)
		}
		for _, inner := range v {
			prune(inner)
		}
	case []any:
		for _, inner := range v {
			prune(inner)
		}
	}
}
