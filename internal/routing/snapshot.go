package routing

import (
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Keys are the keys of a Secret's or ConfigMap's data; a nil Keys stands for an object that does not exist.
type Keys map[string]bool

// Snapshot is one Copilot with everything it names, as read at one time. All objects are of the Copilot's namespace.
// Compile does not change it.
type Snapshot struct {
	Copilot *v1alpha1.Copilot
	// Channels that name the Copilot.
	Channels []*v1alpha1.Channel
	// Policy that the Copilot names, or nil if it does not exist or none is named.
	Policy *v1alpha1.HandoffPolicy
	// Pools that the policy names, by name; a missing one is absent.
	Pools map[string]*v1alpha1.AgentPool
	// Secrets and ConfigMaps that the objects name, by name; a missing one is absent.
	Secrets    map[string]Keys
	ConfigMaps map[string]Keys
	// Taken are claims (web tokens) that an older Channel of the cluster already holds, keyed by the Channel of this
	// snapshot that came too late. The value is "namespace/name" of the holder.
	Taken map[string]string
	// HostHolder is "namespace/name" of the older Copilot of the cluster that holds the Copilot's host, or empty.
	HostHolder string
}
