package controller_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// older says which of two objects a claim belongs to.
func older(a, b metav1.Object) bool {
	born, other := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return born.Before(&other) || born.Equal(&other) && a.GetUID() < b.GetUID()
}

func TestOneClaimPerCluster(t *testing.T) {
	t.Parallel()
	one, two := controltest.New(t), controltest.New(t)
	one.Start(two.Namespace)
	worlds := map[string]*controltest.World{one.Namespace: one, two.Namespace: two}
	channels := map[string]*v1alpha1.Channel{}
	for ns, w := range worlds {
		b := tenant(w)
		w.Run("bikes")
		w.Acknowledge("bikes")
		w.Edit(b.channel, func() { b.channel.Spec.Web.Token = "the-one-token" })
		channels[ns] = b.channel
	}
	holder, late := one.Namespace, two.Namespace
	h, l := channels[holder], channels[late]
	if older(l, h) {
		holder, late, h, l = late, holder, l, h
	}

	worlds[holder].ExpectAccepted(h)
	worlds[late].ExpectCondition(l, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonTaken, "spec.web.token", "another namespace")
	worlds[late].ExpectKstatus(l, status.FailedStatus)
	for _, c := range l.Status.Conditions {
		if strings.Contains(c.Message, holder) {
			t.Errorf("%s tells where the holder is: %s", c.Type, c.Message)
		}
	}
	worlds[late].Table("bikes", func(t *v1alpha1.RoutingTable) error {
		if strings.Contains(string(t.Spec.Table.Raw), "the-one-token") {
			return errors.New("the table has a token that belongs to another")
		}
		return nil
	})

	worlds[holder].ExpectDeleted(h)
	worlds[late].ExpectAccepted(l)
	worlds[late].Table("bikes", func(t *v1alpha1.RoutingTable) error {
		if !strings.Contains(string(t.Spec.Table.Raw), "the-one-token") {
			return errors.New("the token has come free and the table lacks it")
		}
		return nil
	})
}

// A phone number is claimed like a token, and no table changes by it.
func TestClaimOfChannelOutsideOfTheTable(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	ready(w)
	phone := func(name string) *v1alpha1.Channel {
		ref := v1alpha1.SecretKeyRef{Name: "twilio", Key: "x"}
		ch := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ChannelSpec{
			CopilotRef: v1alpha1.LocalRef{Name: "bikes"}, Type: v1alpha1.ChannelTypePhone,
			Phone: &v1alpha1.PhoneChannel{Number: "+31205550142", Provider: "Twilio",
				Twilio: &v1alpha1.TwilioProvider{AccountSIDSecretRef: ref, AuthTokenSecretRef: ref}},
		}}
		w.ExpectCreated(ch)
		return ch
	}
	holder, late := phone("one"), phone("two")
	if older(late, holder) {
		holder, late = late, holder
	}
	w.ExpectAccepted(holder)
	w.ExpectCondition(late, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonTaken, "spec.phone.number", "Channel "+holder.Name)
	w.ExpectDeleted(holder)
	w.ExpectAccepted(late)
}

// A host is claimed by a Copilot. It moves when the holder gives it up, by a watch alone.
func TestOneHostPerCluster(t *testing.T) {
	t.Parallel()
	one, two := controltest.New(t), controltest.New(t)
	one.Start(two.Namespace)
	expose := func(w *controltest.World, host string) *v1alpha1.Copilot {
		c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.CopilotSpec{
			Exposure: &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: host},
		}}
		w.ExpectCreated(c)
		return c
	}
	host := one.Namespace + ".example"
	holds, wants := one, two
	h, l := expose(one, host), expose(two, host)
	if older(l, h) {
		holds, wants, h, l = two, one, l, h
	}
	holds.ExpectAccepted(h)
	holds.Until(ingressOf("shop"), func() error { return nil })
	wants.ExpectCondition(l, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonTaken, "spec.exposure.host", host, "another namespace")
	wants.ExpectKstatus(l, status.FailedStatus)
	for _, c := range l.Status.Conditions {
		if strings.Contains(c.Message, holds.Namespace+"/") || strings.Contains(c.Message, "shop") {
			t.Errorf("%s tells who the holder is: %s", c.Type, c.Message)
		}
	}
	expectNone(wants, ingressOf("shop"))

	holds.Edit(h, func() { h.Spec.Exposure = nil })
	wants.ExpectAccepted(l)
	wants.Until(ingressOf("shop"), func() error { return nil })

	// The older one wants it back. It is still the older one.
	holds.Edit(h, func() { h.Spec.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: host} })
	holds.ExpectAccepted(h)
	wants.ExpectCondition(l, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonTaken)
	expectNone(wants, ingressOf("shop"))

	holds.ExpectDeleted(h)
	wants.ExpectAccepted(l)
	wants.Until(ingressOf("shop"), func() error { return nil })
}

func expectNone(w *controltest.World, o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	if err := w.Client.Get(w.Context(), client.ObjectKeyFromObject(o), o); !apierrors.IsNotFound(err) {
		w.Errorf("%s is there: %v", o.GetName(), err)
	}
}

func ingressOf(copilot string) *networkingv1.Ingress {
	return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: desired.Name(copilot)}}
}
