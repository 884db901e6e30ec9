package upgrade_test

import (
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

// inputsOf is the hash that a release writes on the Copilot's Deployment.
func inputsOf(runtime *v1alpha1.Runtime, storage *v1alpha1.Storage) string {
	c := upgrade.Case{Copilot: copilot(), Release: "v1", Intent: rendered("r:1")}
	c.Copilot.Spec.Runtime, c.Copilot.Spec.Storage = runtime, storage
	c.Move(false)
	return c.Intent.Annotations[upgrade.Inputs]
}

// full has a value in every field of spec.runtime that shapes the pod.
func full() *v1alpha1.Runtime {
	return &v1alpha1.Runtime{
		Resources: &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
		Image:            "runtime:1",
		ImagePullSecrets: []v1alpha1.LocalRef{{Name: "pull"}},
		PodTemplate: &v1alpha1.PodTemplate{
			Metadata: &v1alpha1.PodMetadata{Annotations: map[string]string{"a": "b"}},
			Spec:     &v1alpha1.PodSpec{NodeSelector: map[string]string{"pool": "tenants"}},
		},
	}
}

// A release in which these differ takes every tenant for edited and restarts all of them at once: the hashes are of what
// earlier releases have written into clusters, and may never change. A new field of the API must leave them as they are
// while it is unset (omitempty).
func TestInputsStayTheSame(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		runtime *v1alpha1.Runtime
		storage *v1alpha1.Storage
		want    string
	}{
		"nothing":  {nil, nil, "ae1c39ffd5638f4b"},
		"empty":    {&v1alpha1.Runtime{}, &v1alpha1.Storage{}, "ae1c39ffd5638f4b"},
		"scaled":   {&v1alpha1.Runtime{Replicas: ptr.To(int32(0)), Upgrade: "Manual"}, nil, "ae1c39ffd5638f4b"},
		"postgres": {nil, &v1alpha1.Storage{Type: v1alpha1.StoragePostgres}, "058c5dab32c9132b"},
		"full":     {full(), nil, "1c6f0490a7e46d19"},
	} {
		if have := inputsOf(test.runtime, test.storage); have != test.want {
			t.Errorf("%s: the inputs' hash is %s, was %s", name, have, test.want)
		}
	}
}

// Whatever of spec.runtime a user sets shapes the pod at once, and is no upgrade; only these two say nothing of it.
func TestInputsHoldAllThatShapesThePod(t *testing.T) {
	t.Parallel()
	quiet := map[string]bool{"Replicas": true, "Upgrade": true}
	all := reflect.ValueOf(full()).Elem()
	for i := range all.NumField() {
		name := all.Type().Field(i).Name
		if quiet[name] {
			continue
		}
		if all.Field(i).IsZero() {
			t.Errorf("full has no %s: add one", name)
			continue
		}
		less := full()
		reflect.ValueOf(less).Elem().Field(i).SetZero()
		if inputsOf(less, nil) == inputsOf(full(), nil) {
			t.Errorf("without %s the inputs' hash is the same: %s", name, fmt.Sprint(all.Field(i)))
		}
	}
}
