package scale_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// parallel is how many requests whoever is not the operator has under way at once.
const parallel = 32

// namespace of the i-th tenant.
func namespace(i int) string { return fmt.Sprintf("tenant-%05d", i) }

// tenant is the manifests of one: what is there before its Copilot, and what users write.
type tenant struct {
	given, written []*unstructured.Unstructured
}

func loadTenant(b *testing.B) tenant {
	b.Helper()
	raw, err := os.ReadFile("testdata/tenant.yaml")
	must(b, err)
	var t tenant
	for d := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096); ; {
		u := &unstructured.Unstructured{}
		err := d.Decode(u)
		if errors.Is(err, io.EOF) {
			return t
		}
		must(b, err)
		if u.GroupVersionKind().Group == v1alpha1.GroupVersion.Group {
			t.written = append(t.written, u)
		} else {
			t.given = append(t.given, u)
		}
	}
}

// prepare makes the namespaces of the tenants from up to to, with what the Copilots will name of others.
func (t tenant) prepare(b *testing.B, c *cluster, from, to int) {
	b.Helper()
	setup := c.client(b, setupAgent)
	must(b, each(from, to, func(i int) error {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace(i)}}
		if err := setup.Create(context.Background(), ns); err != nil {
			return err
		}
		return create(setup, namespace(i), t.given)
	}))
}

// create writes what users write, tenant after tenant, parallel of them at a time.
func (t tenant) create(b *testing.B, users client.Client, from, to int) {
	b.Helper()
	must(b, each(from, to, func(i int) error { return create(users, namespace(i), t.written) }))
}

func create(c client.Client, namespace string, objects []*unstructured.Unstructured) error {
	for _, o := range objects {
		o = o.DeepCopy()
		o.SetNamespace(namespace)
		if err := c.Create(context.Background(), o); err != nil {
			return fmt.Errorf("create %s of %s: %w", o.GetKind(), namespace, err)
		}
	}
	return nil
}

// each calls do for from up to to, parallel at a time.
func each(from, to int, do func(int) error) error {
	var g errgroup.Group
	g.SetLimit(parallel)
	for i := from; i < to; i++ {
		g.Go(func() error { return do(i) })
	}
	return g.Wait()
}
