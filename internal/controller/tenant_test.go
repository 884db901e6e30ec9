package controller_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// owned are the children of bikes that go with it.
func owned() []client.Object {
	name := metav1.ObjectMeta{Name: "bikes-handoff"}
	return []client.Object{
		&v1alpha1.RoutingTable{ObjectMeta: name},
		&corev1.ServiceAccount{ObjectMeta: name},
		&rbacv1.Role{ObjectMeta: name},
		&rbacv1.RoleBinding{ObjectMeta: name},
		&networkingv1.NetworkPolicy{ObjectMeta: name},
		&corev1.Service{ObjectMeta: name},
		&appsv1.Deployment{ObjectMeta: name},
	}
}

func TestMinimalTenantBecomesReady(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := tenant(w)
	w.ExpectAccepted(b.copilot, b.channel, b.policy, b.pool)

	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas, "0 of 1")
	w.ExpectKstatus(b.copilot, status.InProgressStatus)
	w.ExpectCondition(b.channel, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas)
	w.ExpectKstatus(b.channel, status.InProgressStatus)

	w.Acknowledge("bikes")
	w.Run("bikes")
	w.ExpectReady(b.copilot, b.channel, b.policy, b.pool)
	if s := b.copilot.Status; s.Channels != 1 || s.Replicas != 1 || s.Acknowledged != 1 || s.TableRevision == "" {
		t.Errorf("status of the Copilot: %+v", s)
	}
	if s := b.channel.Status; s.Token == "" || s.Address != fmt.Sprintf("http://bikes-handoff.%s.svc:8080", w.Namespace) {
		t.Errorf("status of the Channel: %+v", s)
	}
	if s := b.pool.Status; s.Agents != 1 || !slices.Equal(s.Copilots, []string{"bikes"}) {
		t.Errorf("status of the AgentPool: %+v", s)
	}
	expectEvent(w, "Ready")
}

// expectEvent waits for an Event with the reason about the Copilot bikes.
func expectEvent(w *controltest.World, reason string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	events, err := w.Client.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(w.Namespace))
	if err != nil {
		w.Fatal(err)
	}
	defer events.Stop()
	for e := range events.ResultChan() {
		if ev, ok := e.Object.(*eventsv1.Event); ok && ev.Reason == reason && ev.Regarding.Name == "bikes" {
			return
		}
	}
	w.Fatalf("there was no Event %s", reason)
}

func TestDeletedCopilotLeavesItsConversationsOnly(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	for _, o := range owned() {
		w.Get(o)
		if !metav1.IsControlledBy(o, b.copilot) {
			t.Errorf("the garbage collector would leave %T %s: %v", o, o.GetName(), o.GetOwnerReferences())
		}
	}
	pvc := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"}}
	w.Get(pvc)
	if len(pvc.OwnerReferences) > 0 {
		t.Errorf("the garbage collector would delete the conversations: %v", pvc.OwnerReferences)
	}

	b.embedded(w, v1alpha1.EmbeddedStorage{WhenDeleted: v1alpha1.WhenDeletedDelete})
	w.Until(pvc, func() error {
		if !metav1.IsControlledBy(pvc, b.copilot) {
			return errors.New("it would outlive its Copilot, which says whenDeleted: Delete")
		}
		return nil
	})
	b.embedded(w, v1alpha1.EmbeddedStorage{WhenDeleted: v1alpha1.WhenDeletedRetain})
	w.Until(pvc, func() error {
		if len(pvc.OwnerReferences) > 0 {
			return errors.New("the owner of before is still there")
		}
		return nil
	})
}

func (b bikes) embedded(w *controltest.World, e v1alpha1.EmbeddedStorage) {
	w.Edit(b.copilot, func() { b.copilot.Spec.Storage = &v1alpha1.Storage{Embedded: &e} })
}

func TestFullManifestInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := controltest.New(t)
			w.Start()
			objects := w.Manifests(controltest.Root("config/samples/full.yaml"))
			applyShuffled(w, objects, seed)
			expectAllAccepted(w, objects)

			hotel := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "hotel"}}
			w.ExpectCondition(hotel, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
			w.ExpectCondition(hotel, v1alpha1.ConditionServed, metav1.ConditionFalse, v1alpha1.ReasonNotServed, "spec.helpdesks[0]")
			w.Run("hotel")
			w.Acknowledge("hotel")
			w.ExpectReady(hotel, &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "hotel-web"}})
			for _, name := range []string{"hotel-phone", "hotel-mail"} {
				ch := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name}}
				w.ExpectCondition(ch, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotServed, "not served by this release")
				w.ExpectKstatus(ch, status.FailedStatus)
			}
		})
	}
}

// TestSharedManifests applies the API's contract, which is kept outside of the repository.
func TestSharedManifests(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SHARED_DIR")
	if dir == "" {
		t.Skip("SHARED_DIR is not set: it names the folder of api-example.yaml and api-minimal.yaml")
	}
	for _, file := range []string{"api-example.yaml", "api-minimal.yaml"} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(file, seed), func(t *testing.T) {
				t.Parallel()
				w := controltest.New(t)
				w.Start()
				objects := w.Manifests(filepath.Join(dir, file))
				applyShuffled(w, objects, seed)
				expectAllAccepted(w, objects)
			})
		}
	}
}

func applyShuffled(w *controltest.World, objects []*unstructured.Unstructured, seed uint64) {
	w.Helper()
	order := slices.Clone(objects)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	w.ExpectApplied(order...)
}

func expectAllAccepted(w *controltest.World, objects []*unstructured.Unstructured) {
	w.Helper()
	found := 0
	for _, o := range objects {
		name := metav1.ObjectMeta{Name: o.GetName()}
		switch o.GetKind() {
		case "Copilot":
			w.ExpectAccepted(&v1alpha1.Copilot{ObjectMeta: name})
		case "Channel":
			w.ExpectAccepted(&v1alpha1.Channel{ObjectMeta: name})
		case "HandoffPolicy":
			w.ExpectAccepted(&v1alpha1.HandoffPolicy{ObjectMeta: name})
		case "AgentPool":
			w.ExpectAccepted(&v1alpha1.AgentPool{ObjectMeta: name})
		default:
			continue
		}
		found++
	}
	if found < 4 {
		w.Fatalf("only %d objects of our kinds were applied", found)
	}
}
