package controller_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// older says which of two Channels a claim belongs to.
func older(a, b *v1alpha1.Channel) bool {
	return a.CreationTimestamp.Before(&b.CreationTimestamp) || a.CreationTimestamp.Equal(&b.CreationTimestamp) && a.UID < b.UID
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
