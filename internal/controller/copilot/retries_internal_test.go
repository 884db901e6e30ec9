package copilot

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestPausesGrowAndEnd(t *testing.T) {
	t.Parallel()
	limit, request := retries(), reconcile.Request{}
	first := limit.When(request)
	last := first
	for range 40 {
		last = limit.When(request)
	}
	if first >= last || last != patience {
		t.Errorf("the first pause is %s, and after many failures %s; want the last to be %s", first, last, patience)
	}
	limit.Forget(request)
	if again := limit.When(request); again >= last {
		t.Errorf("after a success the pause is still %s", again)
	}
}
