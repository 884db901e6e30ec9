package index

import (
	"maps"
	"slices"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// CopilotSecrets are the names of the Secrets that the Copilot itself names.
func CopilotSecrets(c *v1alpha1.Copilot) []string {
	secrets, _, _ := routing.Refs(c, nil, nil)
	return slices.Sorted(maps.Keys(secrets))
}

// ChannelSecrets are the names of the Secrets that the Channel names.
func ChannelSecrets(ch *v1alpha1.Channel) []string {
	secrets, _, _ := routing.Refs(nil, []*v1alpha1.Channel{ch}, nil)
	return slices.Sorted(maps.Keys(secrets))
}

// CopilotConfigMaps are the names of the ConfigMaps that the Copilot names.
func CopilotConfigMaps(c *v1alpha1.Copilot) []string {
	_, configMaps, _ := routing.Refs(c, nil, nil)
	return configMaps
}

// PolicyPools are the names of the AgentPools that the policy names.
func PolicyPools(p *v1alpha1.HandoffPolicy) []string {
	_, _, pools := routing.Refs(nil, nil, p)
	return pools
}

// Claim is what the Channel claims in the cluster, such as "spec.web.token=abc", or empty if it claims nothing.
func Claim(ch *v1alpha1.Channel) string {
	field, value := routing.Claim(ch)
	if value == "" {
		return ""
	}
	return field + "=" + value
}
