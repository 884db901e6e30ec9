package controltest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// planted runs one controller of AgentPools, which works on one pool, and hands on what the detector says about it.
func planted(t *testing.T, filter predicate.Predicate, do func(context.Context, client.Client, *v1alpha1.AgentPool) (reconcile.Result, error)) (*World, *Operator, chan string) {
	t.Helper()
	w := New(t)
	o := w.prepare(Setup{})
	complaints := make(chan string, 1)
	o.activity.loops.complain = func(format string, args ...any) {
		select {
		case complaints <- fmt.Sprintf(format, args...):
		default: // the first says it all
		}
	}
	c := o.Manager.GetClient()
	w.must(builder.ControllerManagedBy(o.Manager).Named("planted").
		For(&v1alpha1.AgentPool{}, builder.WithPredicates(filter)).
		Complete(reconcile.AsReconciler(c, reconcile.TypedFunc[*v1alpha1.AgentPool](
			func(ctx context.Context, p *v1alpha1.AgentPool) (reconcile.Result, error) { return do(ctx, c, p) },
		))), "plant a controller")
	o.run(context.WithCancel(context.Background()))
	w.ExpectCreated(&v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "pool"}, Spec: v1alpha1.AgentPoolSpec{
		Agents: []v1alpha1.Agent{{Name: "mara", DisplayName: "Mara", Email: "mara@shop.example"}},
	}})
	return w, o, complaints
}

// countUp is a status write that is never the same as the one before.
func countUp(ctx context.Context, c client.Client, p *v1alpha1.AgentPool) error {
	before := p.DeepCopy()
	p.Status.Agents++
	return c.Status().Patch(ctx, p, client.MergeFrom(before))
}

func expectComplaint(t *testing.T, complaints chan string, says string) {
	t.Helper()
	ctx, cancel := deadline()
	defer cancel()
	select {
	case have := <-complaints:
		if !strings.Contains(have, says) {
			t.Errorf("want %q, have %q", says, have)
		}
	case <-ctx.Done():
		t.Errorf("nothing was found; want %q", says)
	}
}

func TestPollIsFound(t *testing.T) {
	t.Parallel()
	_, _, complaints := planted(t, predicate.Funcs{}, func(context.Context, client.Client, *v1alpha1.AgentPool) (reconcile.Result, error) {
		return reconcile.Result{RequeueAfter: time.Millisecond}, nil
	})
	expectComplaint(t, complaints, "although nothing has changed")
}

func TestReconcileThatWakesItselfIsFound(t *testing.T) {
	t.Parallel()
	_, _, complaints := planted(t, predicate.Funcs{}, func(ctx context.Context, c client.Client, p *v1alpha1.AgentPool) (reconcile.Result, error) {
		return reconcile.Result{}, countUp(ctx, c, p)
	})
	expectComplaint(t, complaints, "wakes itself")
}

func TestReconcileWithACauseIsNone(t *testing.T) {
	t.Parallel()
	w, o, complaints := planted(t, predicate.GenerationChangedPredicate{}, func(ctx context.Context, c client.Client, p *v1alpha1.AgentPool) (reconcile.Result, error) {
		return reconcile.Result{}, countUp(ctx, c, p)
	})
	p := &v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "pool"}}
	for i := range 5 {
		o.Rest()
		w.Get(p)
		if int(p.Status.Agents) != i+1 {
			t.Fatalf("at rest after %d changes it was reconciled %d times", i+1, p.Status.Agents)
		}
		w.Edit(p, func() { p.Spec.Agents[0].DisplayName = fmt.Sprint("Mara ", i) })
	}
	o.Rest()
	select {
	case have := <-complaints:
		t.Error(have)
	default:
	}
}

// A reconcile that fails is tried again, and rest is only when it has succeeded.
func TestRestWaitsForRetries(t *testing.T) {
	t.Parallel()
	left := 5
	w, o, complaints := planted(t, predicate.GenerationChangedPredicate{}, func(ctx context.Context, c client.Client, p *v1alpha1.AgentPool) (reconcile.Result, error) {
		if left--; left > 0 {
			return reconcile.Result{}, fmt.Errorf("planted, %d left", left)
		}
		return reconcile.Result{}, countUp(ctx, c, p)
	})
	o.Rest()
	p := &v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "pool"}}
	w.Get(p)
	if p.Status.Agents != 1 {
		t.Errorf("at rest the retries have not ended: %d are left", left)
	}
	select {
	case have := <-complaints:
		t.Error(have)
	default:
	}
}
