package controltest

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// patience ends a test that hangs. Nothing is asserted about how long anything takes.
const patience = 60 * time.Second

func deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// World is a namespace of a test's own, which enforces the restricted Pod Security standard, seen as an administrator.
type World struct {
	testing.TB
	Client    client.WithWatch
	Namespace string
}

// New makes a World. It skips the test where there is no API server, which Run allows under -short alone.
func New(t testing.TB) *World {
	t.Helper()
	if cluster.client == nil {
		t.Skip("KUBEBUILDER_ASSETS is not set and -short is: no API server")
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "test-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	w := &World{TB: t, Client: cluster.client}
	w.must(w.Client.Create(t.Context(), ns), "make a namespace")
	w.Namespace = ns.Name
	w.followKstatus()
	return w
}

func (w *World) must(err error, what string) {
	w.Helper()
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
}

// Manifests reads the objects of a YAML file.
func (w *World) Manifests(path string) []*unstructured.Unstructured {
	w.Helper()
	f, err := os.Open(path)
	w.must(err, "open manifests")
	defer func() { w.must(f.Close(), "close manifests") }()
	var out []*unstructured.Unstructured
	for d := utilyaml.NewYAMLOrJSONDecoder(f, 4096); ; {
		u := &unstructured.Unstructured{}
		err := d.Decode(u)
		if errors.Is(err, io.EOF) {
			return out
		}
		w.must(err, "read "+path)
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
}

// ExpectApplied applies objects into the World's namespace, as kubectl apply --server-side does.
func (w *World) ExpectApplied(objects ...*unstructured.Unstructured) {
	w.Helper()
	for _, o := range objects {
		o = o.DeepCopy()
		o.SetNamespace(w.Namespace)
		w.must(w.Client.Apply(w.Context(), client.ApplyConfigurationFromUnstructured(o),
			client.FieldOwner("test"), client.ForceOwnership), "apply "+o.GetKind()+" "+o.GetName())
	}
}

// ExpectCreated creates o in the World's namespace.
func (w *World) ExpectCreated(o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	w.must(w.Client.Create(w.Context(), o), "create "+describe(o))
}

// ExpectDeleted deletes the object that o names.
func (w *World) ExpectDeleted(o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	w.must(w.Client.Delete(w.Context(), o), "delete "+describe(o))
}

// Edit changes the object that o names as a user would.
func (w *World) Edit(o client.Object, edit func()) {
	w.Helper()
	w.Get(o)
	before := o.DeepCopyObject().(client.Object)
	edit()
	w.must(w.Client.Patch(w.Context(), o, client.MergeFrom(before)), "edit "+describe(o))
}

// Get reads the object that o names.
func (w *World) Get(o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	w.must(w.Client.Get(w.Context(), client.ObjectKeyFromObject(o), o), "read "+describe(o))
}

// Until waits until the object that o names exists and fits, and leaves it in o. fits returns what is still missing.
func (w *World) Until(o client.Object, fits func() error) {
	w.Helper()
	w.watch(o, func(e watch.Event) error {
		if e.Type == watch.Deleted {
			return errors.New("it was deleted")
		}
		return fits()
	})
}

// UntilReplaced waits until another object than the one with uid bears the name of o.
func (w *World) UntilReplaced(o client.Object) {
	w.Helper()
	uid := o.GetUID()
	w.Until(o, func() error {
		if o.GetUID() == uid {
			return errors.New("it is still the one from before")
		}
		return nil
	})
}

func (w *World) watch(o client.Object, done func(watch.Event) error) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	ctx, cancel := deadline()
	defer cancel()
	events, err := w.Client.Watch(ctx, w.list(o), client.InNamespace(w.Namespace), client.MatchingFields{"metadata.name": o.GetName()})
	w.must(err, "watch "+describe(o))
	defer events.Stop()
	missing := errors.New("it does not exist")
	for e := range events.ResultChan() {
		if e.Type == watch.Error {
			w.Fatalf("watch %s: %v", describe(o), e.Object)
		}
		reflect.ValueOf(o).Elem().Set(reflect.ValueOf(e.Object).Elem())
		if missing = done(e); missing == nil {
			return
		}
	}
	w.Fatalf("%s: %v", describe(o), missing)
}

// list is an empty list of the kind of o.
func (w *World) list(o client.Object) client.ObjectList {
	gvk, err := apiutil.GVKForObject(o, w.Client.Scheme())
	w.must(err, "kind")
	list, err := w.Client.Scheme().New(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	w.must(err, "kind of list")
	return list.(client.ObjectList)
}

func describe(o client.Object) string {
	kind := strings.TrimPrefix(reflect.TypeOf(o).String(), "*")
	return kind[strings.LastIndex(kind, ".")+1:] + " " + o.GetNamespace() + "/" + o.GetName()
}
