package cli

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// envPrefix begins the environment variables that stand for keys of Secrets.
const envPrefix = "HANDOFF_SECRET_"

// variable is the environment variable for a key of a Secret: HANDOFF_SECRET_<NAME>_<KEY> in upper case, with "_" for
// everything but letters and digits.
func variable(name, key string) string {
	return envPrefix + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name+"_"+key)
}

// addSecrets puts the keys that objects name and the environment has over those of the manifests.
func addSecrets(o *manifest.Objects, lookup func(string) (string, bool)) {
	add := func(namespace string, wanted map[string][]string) {
		for name, keys := range wanted {
			secret := types.NamespacedName{Namespace: namespace, Name: name}
			for _, key := range keys {
				value, set := lookup(variable(name, key))
				if !set {
					continue
				}
				if o.Secrets[secret] == nil {
					o.Secrets[secret] = map[string][]byte{}
				}
				o.Secrets[secret][key] = []byte(value)
			}
		}
	}
	for _, c := range o.Copilots {
		wanted, _, _ := routing.Refs(c, nil, nil)
		add(c.Namespace, wanted)
	}
	for _, ch := range o.Channels {
		wanted, _, _ := routing.Refs(nil, []*v1alpha1.Channel{ch}, nil)
		add(ch.Namespace, wanted)
	}
}

// missingSecrets lists the variables for keys that neither the manifests nor the environment have.
func missingSecrets(s routing.Snapshot) []string {
	wanted, _, _ := routing.Refs(s.Copilot, s.Channels, s.Policy)
	var missing []string
	for name, keys := range wanted {
		for _, key := range keys {
			if !s.Secrets[name][key] {
				missing = append(missing, variable(name, key))
			}
		}
	}
	return missing
}
