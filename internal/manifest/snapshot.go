package manifest

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Snapshot is the Copilot of that name (or "namespace/name") with everything it names. An empty name means the only
// Copilot there is.
func (o *Objects) Snapshot(copilot string) (routing.Snapshot, error) {
	c, err := o.copilot(copilot)
	if err != nil {
		return routing.Snapshot{}, err
	}
	s := routing.Snapshot{
		Copilot: c, Pools: map[string]*v1alpha1.AgentPool{},
		Secrets: map[string]routing.Keys{}, ConfigMaps: map[string]routing.Keys{}, Taken: map[string]string{},
	}
	for _, ch := range o.Channels {
		if ch.Namespace == c.Namespace && ch.Spec.CopilotRef.Name == c.Name {
			s.Channels = append(s.Channels, ch)
		}
	}
	for _, p := range o.Policies {
		if p.Namespace == c.Namespace && c.Spec.PolicyRef != nil && p.Name == c.Spec.PolicyRef.Name {
			s.Policy = p
		}
	}
	o.resolve(&s)
	for late, holder := range routing.Taken(o.Channels) {
		if late.Namespace == c.Namespace {
			s.Taken[late.Name] = holder.String()
		}
	}
	if holder, taken := routing.HostsTaken(o.Copilots)[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}]; taken {
		s.HostHolder = holder.String()
	}
	return s, nil
}

// resolve adds what the objects of the snapshot name, as far as it was read.
func (o *Objects) resolve(s *routing.Snapshot) {
	secrets, configMaps, pools := routing.Refs(s.Copilot, s.Channels, s.Policy)
	named := func(name string) types.NamespacedName {
		return types.NamespacedName{Namespace: s.Copilot.Namespace, Name: name}
	}
	for _, p := range o.Pools {
		if p.Namespace == s.Copilot.Namespace && slices.Contains(pools, p.Name) {
			s.Pools[p.Name] = p
		}
	}
	for name := range secrets {
		if data, ok := o.Secrets[named(name)]; ok {
			s.Secrets[name] = keys(data)
		}
	}
	for _, name := range configMaps {
		if data, ok := o.ConfigMaps[named(name)]; ok {
			s.ConfigMaps[name] = keys(data)
		}
	}
}

func keys[T any](data map[string]T) routing.Keys {
	k := routing.Keys{}
	for key := range data {
		k[key] = true
	}
	return k
}

func (o *Objects) copilot(name string) (*v1alpha1.Copilot, error) {
	var found []*v1alpha1.Copilot
	var all []string
	for _, c := range o.Copilots {
		full := c.Namespace + "/" + c.Name
		all = append(all, full)
		if name == "" || name == c.Name || name == full {
			found = append(found, c)
		}
	}
	slices.Sort(all)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(all) == 0:
		return nil, fmt.Errorf("the manifests have no Copilot; add an object of kind Copilot")
	case len(found) == 0:
		return nil, fmt.Errorf("the manifests have no Copilot %q; they have %s", name, strings.Join(all, ", "))
	}
	return nil, fmt.Errorf("the manifests have several Copilots; choose one with --copilot: %s", strings.Join(all, ", "))
}

// Contents are the Secrets and ConfigMaps of the table's inputs that exist, by name.
func (o *Objects) Contents(t *routing.Table) (secrets map[string]map[string][]byte, configMaps map[string]map[string]string) {
	secrets, configMaps = map[string]map[string][]byte{}, map[string]map[string]string{}
	secretNames, configMapNames := t.Inputs()
	for _, name := range secretNames {
		if data, ok := o.Secrets[types.NamespacedName{Namespace: t.Copilot.Namespace, Name: name}]; ok {
			secrets[name] = data
		}
	}
	for _, name := range configMapNames {
		if data, ok := o.ConfigMaps[types.NamespacedName{Namespace: t.Copilot.Namespace, Name: name}]; ok {
			configMaps[name] = data
		}
	}
	return secrets, configMaps
}
