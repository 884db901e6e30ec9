package manifest

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Unreached is what is wrong with the objects that a snapshot leaves out: other Copilots with all that they name, and
// objects that no Copilot names, which nothing else would ever tell of. An object of another namespace is named
// "namespace/name".
func (o *Objects) Unreached(served routing.Snapshot) ([]routing.Problem, error) {
	var out []routing.Problem
	add := func(namespace string, problems []routing.Problem) {
		for _, p := range problems {
			if namespace != served.Copilot.Namespace {
				p.Object.Name = namespace + "/" + p.Object.Name
			}
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	reached := map[string]bool{}
	for _, c := range o.Copilots {
		s, err := o.Snapshot(c.Namespace + "/" + c.Name)
		if err != nil {
			return nil, err
		}
		reach(reached, s)
		if c != served.Copilot {
			_, problems := routing.Compile(s)
			add(c.Namespace, problems)
		}
	}
	taken := routing.Taken(o.Channels)
	for _, ch := range o.Channels {
		if !reached[key("Channel", ch.Namespace, ch.Name)] {
			holder := ""
			if by, ok := taken[types.NamespacedName{Namespace: ch.Namespace, Name: ch.Name}]; ok {
				holder = by.String()
			}
			add(ch.Namespace, o.strayChannel(ch, holder))
		}
	}
	for _, p := range o.Policies {
		if !reached[key("HandoffPolicy", p.Namespace, p.Name)] {
			add(p.Namespace, routing.CheckPolicy(p, o.poolNames(p.Namespace)))
		}
	}
	for _, p := range o.Pools {
		if !reached[key("AgentPool", p.Namespace, p.Name)] {
			add(p.Namespace, routing.CheckPool(p))
		}
	}
	return out, nil
}

// reach marks the objects that a snapshot has.
func reach(reached map[string]bool, s routing.Snapshot) {
	for _, ch := range s.Channels {
		reached[key("Channel", ch.Namespace, ch.Name)] = true
	}
	if s.Policy != nil {
		reached[key("HandoffPolicy", s.Policy.Namespace, s.Policy.Name)] = true
	}
	for _, p := range s.Pools {
		reached[key("AgentPool", p.Namespace, p.Name)] = true
	}
}

// strayChannel is what is wrong with a Channel whose Copilot does not exist, with the nearest that does.
func (o *Objects) strayChannel(ch *v1alpha1.Channel, holder string) []routing.Problem {
	var copilots []string
	for _, c := range o.Copilots {
		if c.Namespace == ch.Namespace {
			copilots = append(copilots, c.Name)
		}
	}
	secrets := map[string]routing.Keys{}
	for name, data := range o.Secrets {
		if name.Namespace == ch.Namespace {
			secrets[name.Name] = keys(data)
		}
	}
	problems := routing.CheckChannel(ch, nil, secrets, holder)
	for i := range problems {
		if problems[i].Field == "spec.copilotRef.name" && len(copilots) > 0 {
			problems[i].Message += suggest(ch.Spec.CopilotRef.Name, copilots)
		}
	}
	return problems
}

func (o *Objects) poolNames(namespace string) map[string]bool {
	names := map[string]bool{}
	for _, p := range o.Pools {
		if p.Namespace == namespace {
			names[p.Name] = true
		}
	}
	return names
}
