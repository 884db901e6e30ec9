package routing

import "github.com/opencopilot/handoff-operator/api/v1alpha1"

// Cost is the units of capacity that a conversation of a type of channel takes of an agent: the first of their pools
// counts, and never more than all of their capacity. It is zero for somebody who is in no pool.
func (t *Table) Cost(email string, ct v1alpha1.ChannelType) int {
	for i := range t.Pools {
		for _, a := range t.Pools[i].Agents {
			if a.Email == email {
				return min(t.Pools[i].Costs[ct], a.Capacity)
			}
		}
	}
	return 0
}
