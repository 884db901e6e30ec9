package apply_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/apply"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

func TestMain(m *testing.M) { os.Exit(controltest.Run(m)) }

type fixture struct {
	*controltest.World
	applier *apply.Applier
	copilot *v1alpha1.Copilot
	table   *routing.Table
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	w := controltest.New(t)
	w.InstallGatewayAPI()
	c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "c"}}
	w.ExpectCreated(c)
	return &fixture{
		World:   w,
		applier: &apply.Applier{Client: w.Client, Uncached: w.Client},
		copilot: c,
		table: &routing.Table{FormatVersion: 1, Copilot: routing.Copilot{
			Namespace: w.Namespace, Name: "c", DisplayName: "C", Language: "en", Instructions: "Keep <tags> & order.",
			Knowledge: []routing.KnowledgeSource{{Name: "b", ConfigMap: "b"}, {Name: "a", ConfigMap: "a"}},
		}},
	}
}

// apply applies all children and returns which were written, by type.
func (f *fixture) apply() []string {
	f.Helper()
	children, err := desired.Render(f.input())
	if err != nil {
		f.Fatal(err)
	}
	var written []string
	for _, child := range children {
		wrote, err := f.applier.Apply(f.Context(), child)
		if err != nil {
			f.Fatal(err)
		}
		if wrote {
			written = append(written, kindOf(child))
		}
	}
	return written
}

func (f *fixture) input() desired.Input {
	return desired.Input{
		Copilot: f.copilot, Table: f.table, RuntimeImage: controltest.Image, Platform: desired.Platform{GatewayAPI: true},
	}
}

// expectRemoved deletes what the Copilot has no use for.
func (f *fixture) expectRemoved(want ...string) {
	f.Helper()
	var have []string
	for _, absent := range desired.Absent(f.input()) {
		removed, err := f.applier.Remove(f.Context(), f.copilot, absent)
		if err != nil {
			f.Fatal(err)
		}
		if removed {
			have = append(have, kindOf(absent))
		}
	}
	if strings.Join(have, " ") != strings.Join(want, " ") {
		f.Fatalf("removed %v, want %v", have, want)
	}
}

func kindOf(child runtime.ApplyConfiguration) string {
	return *child.(interface{ GetKind() *string }).GetKind()
}

func (f *fixture) expectWritten(want ...string) {
	f.Helper()
	if have := f.apply(); strings.Join(have, " ") != strings.Join(want, " ") {
		f.Fatalf("wrote %v, want %v", have, want)
	}
}

func TestOnlyWhatDiffersIsWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.expectWritten("ServiceAccount", "Role", "RoleBinding", "RoutingTable", "PersistentVolumeClaim", "NetworkPolicy", "Service", "Deployment")
	f.expectWritten()

	f.table.Copilot.Instructions = "Other."
	f.expectWritten("RoutingTable")
	f.table.Copilot.Knowledge = nil
	f.expectWritten("Role", "RoutingTable")
	f.copilot.Spec.Runtime = &v1alpha1.Runtime{
		Replicas: ptr.To[int32](0), ImagePullSecrets: []v1alpha1.LocalRef{{Name: "b"}, {Name: "a"}},
	}
	f.expectWritten("Deployment")
	f.expectWritten()
	f.copilot.Spec.Runtime = nil
	f.expectWritten("Deployment")
	d := f.deployment()
	f.Get(d)
	if n := len(d.Spec.Template.Spec.ImagePullSecrets); n != 0 {
		t.Errorf("%d pull secrets that nobody wants are left", n)
	}
	f.copilot.Spec.Storage = &v1alpha1.Storage{Embedded: &v1alpha1.EmbeddedStorage{WhenDeleted: v1alpha1.WhenDeletedDelete}}
	f.expectWritten("PersistentVolumeClaim")
	f.copilot.Spec.Storage = nil
	f.expectWritten("PersistentVolumeClaim")
	f.expectWritten()
}

// What was found in order is remembered for that version of the object and that intent alone.
func TestFindingsDoNotOutliveTheirVersion(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply()
	f.expectWritten() // finds all in order
	f.expectWritten() // remembers it
	d := f.deployment()
	f.Edit(d, func() { d.Spec.Template.Spec.Containers[0].Image = "theirs" })
	f.expectWritten("Deployment")
	f.expectWritten()
	f.expectWritten()
	f.table.Copilot.Instructions = "Other."
	f.expectWritten("RoutingTable")
	f.table.Copilot.Instructions = "Keep <tags> & order."
	f.expectWritten("RoutingTable")
}

func (f *fixture) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "c-handoff"}}
}

func TestWhatOthersOwnIsLeftAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply()
	d := f.deployment()
	f.Edit(d, func() {
		d.Annotations = map[string]string{"theirs": "yes"}
		d.Spec.Template.Spec.PriorityClassName = "theirs"
		d.Spec.Template.Spec.Containers[0].Env = append(d.Spec.Template.Spec.Containers[0].Env, corev1.EnvVar{Name: "THEIRS", Value: "yes"})
	})
	f.expectWritten()

	f.Edit(d, func() { d.Spec.Template.Spec.Containers[0].Image = "else.example/x" })
	f.expectWritten("Deployment")
	f.Get(d)
	pod := d.Spec.Template.Spec
	if pod.Containers[0].Image != controltest.Image || pod.PriorityClassName != "theirs" || len(pod.Containers[0].Env) != 2 || d.Annotations["theirs"] != "yes" {
		t.Errorf("after healing: image %s, priority class %s, env %v, annotations %v",
			pod.Containers[0].Image, pod.PriorityClassName, pod.Containers[0].Env, d.Annotations)
	}
	f.expectWritten()
}

// A field that somebody applies with the value that we want is theirs as well, and still as we want it.
func TestSharedFieldIsNoDifference(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply()
	theirs := coreac.ServiceAccount("c-handoff", f.Namespace).WithAutomountServiceAccountToken(false)
	if err := f.Client.Apply(t.Context(), theirs, client.FieldOwner("them")); err != nil {
		t.Fatal(err)
	}
	f.expectWritten()
}

func TestForeignObject(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ExpectCreated(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "c-handoff"}})
	// As the operator's cache, which holds nothing without our label.
	f.applier.Client = blind{f.Client}
	_, err := f.applier.Apply(t.Context(), coreac.ServiceAccount("c-handoff", f.Namespace))
	var foreign *apply.ForeignError
	if !errors.As(err, &foreign) || foreign.Kind != "ServiceAccount" || foreign.Name != "c-handoff" {
		t.Errorf("want a ForeignError, have %v", err)
	}
}

// blind is a client whose cache is empty.
type blind struct{ client.WithWatch }

// Get finds nothing.
func (blind) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	_, err := (&apply.Applier{}).Apply(t.Context(), coreac.Secret("s", "ns"))
	if err == nil || !strings.Contains(err.Error(), "SecretApplyConfiguration") {
		t.Errorf("want an error that names the type, have %v", err)
	}
}
