// Package index answers "who names this object?" from indexes of the informers' caches, for reads and for watches.
package index

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

// The indexed fields. Each holds names of the object's own namespace, except ChannelClaim
// and CopilotHost.
const (
	// ChannelCopilot has the Copilot that a Channel belongs to.
	ChannelCopilot = "copilot"
	// ChannelClaim has what a Channel claims for itself in the whole cluster: a token, number or mailbox.
	ChannelClaim = "claim"
	// ChannelSecret has the Secrets that a Channel names.
	ChannelSecret = "channelSecrets"
	// CopilotPolicy has the HandoffPolicy that a Copilot names.
	CopilotPolicy = "policy"
	// CopilotSecret has the Secrets that a Copilot itself names.
	CopilotSecret = "copilotSecrets"
	// CopilotHost has the host name that a Copilot claims for itself in the whole cluster.
	CopilotHost = "host"
	// CopilotConfigMap has the ConfigMaps that a Copilot names.
	CopilotConfigMap = "configMaps"
	// CopilotLabel has the value of the label that the Copilot's children bear.
	CopilotLabel = "label"
	// DeploymentUpgrading has "true" for a Deployment whose upgrade took a slot.
	DeploymentUpgrading = "upgrading"
	// PolicyPool has the AgentPools that a HandoffPolicy names.
	PolicyPool = "pools"
)

// Register adds the fields to the caches that indexer belongs to.
func Register(ctx context.Context, indexer client.FieldIndexer) error {
	for _, f := range []struct {
		object client.Object
		field  string
		values client.IndexerFunc
	}{
		{&v1alpha1.Channel{}, ChannelCopilot, of(func(c *v1alpha1.Channel) []string { return []string{c.Spec.CopilotRef.Name} })},
		{&v1alpha1.Channel{}, ChannelClaim, of(func(c *v1alpha1.Channel) []string { return some(Claim(c)) })},
		{&v1alpha1.Channel{}, ChannelSecret, of(ChannelSecrets)},
		{&v1alpha1.Copilot{}, CopilotPolicy, of(policyOf)},
		{&v1alpha1.Copilot{}, CopilotSecret, of(CopilotSecrets)},
		{&v1alpha1.Copilot{}, CopilotHost, of(func(c *v1alpha1.Copilot) []string { return some(routing.Host(c)) })},
		{&v1alpha1.Copilot{}, CopilotConfigMap, of(CopilotConfigMaps)},
		{&v1alpha1.Copilot{}, CopilotLabel, of(func(c *v1alpha1.Copilot) []string { return []string{desired.LabelValue(c.Name)} })},
		{&appsv1.Deployment{}, DeploymentUpgrading, of(upgrading)},
		{&v1alpha1.HandoffPolicy{}, PolicyPool, of(PolicyPools)},
	} {
		if err := indexer.IndexField(ctx, f.object, f.field, f.values); err != nil {
			return fmt.Errorf("index %T by %s: %w", f.object, f.field, err)
		}
	}
	return nil
}

func of[T client.Object](values func(T) []string) client.IndexerFunc {
	return func(o client.Object) []string { return values(o.(T)) }
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func upgrading(d *appsv1.Deployment) []string {
	if _, began := d.Labels[upgrade.Mark]; began {
		return []string{"true"}
	}
	return nil
}

func policyOf(c *v1alpha1.Copilot) []string {
	if c.Spec.PolicyRef == nil {
		return nil
	}
	return []string{c.Spec.PolicyRef.Name}
}
