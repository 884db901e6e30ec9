package routing

// Way is where a conversation that waits is going: along the route it took at its handoff, or to whom a human sent it.
type Way struct {
	// Route is the name of the route.
	Route string
	// Pool and Agent are set where a human chose, and the route does not count then. With both, the agent comes first and
	// the pool beside them.
	Pool, Agent string
}

// Follow returns the route of a conversation that waits, or nil if there is none. The route of the handoff stays, as the
// table has it now; where it is gone, or none matched then, the facts decide anew.
func (t *Table) Follow(w Way, f Facts) *Route {
	if w.Pool != "" || w.Agent != "" {
		return t.RouteTo(w.Pool, w.Agent)
	}
	if t.Policy == nil {
		return nil
	}
	for i := range t.Policy.Routes {
		if r := &t.Policy.Routes[i]; w.Route != "" && r.Name == w.Route {
			return r
		}
	}
	return t.Route(f)
}

// RouteTo returns a route to an agent, in whichever of their pools they are on shift, and beside them to a pool. Either
// may be empty.
func (t *Table) RouteTo(pool, agent string) *Route {
	r := &Route{Name: "to " + agent + " " + pool}
	for i := range t.Pools {
		for _, a := range t.Pools[i].Agents {
			if agent != "" && a.Email == agent {
				r.Targets = append(r.Targets, Target{Pool: t.Pools[i].Name, Agent: agent, Beside: true})
			}
		}
	}
	if pool != "" {
		r.Targets = append(r.Targets, Target{Pool: pool})
	}
	return r
}
