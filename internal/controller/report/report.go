// Package report writes the status of objects, and tells people as Events what has changed in it.
package report

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/opencopilot/handoff-operator/internal/status"
)

// noteSize is the longest note of an Event in bytes. The API server refuses those above 1,024.
const noteSize = 1000

// remembered is how many Events are known again when they repeat.
const remembered = 4096

// Reporter writes what the controllers found out. All of them share one.
type Reporter struct {
	client   client.Client
	recorder recorder.EventRecorder
	told     *lru.Cache
}

// New makes a Reporter that writes with c and tells through r.
func New(c client.Client, r recorder.EventRecorder) *Reporter {
	return &Reporter{client: c, recorder: r, told: lru.New(remembered)}
}

// Status writes next where it differs from field, which is the status of o, and then tells the events. An object that is
// gone meanwhile needs no status.
func Status[S any](ctx context.Context, r *Reporter, o client.Object, field *S, next S, events []status.Event) error {
	if equality.Semantic.DeepEqual(*field, next) {
		return nil
	}
	before := o.DeepCopyObject().(client.Object)
	*field = next
	if err := r.client.Status().Patch(ctx, o, client.MergeFrom(before)); err != nil {
		return client.IgnoreNotFound(fmt.Errorf("write the status of %s: %w", describe(o), err))
	}
	for _, e := range events {
		r.tell(o, e)
	}
	return nil
}

// describe is the kind, namespace and name of o.
func describe(o client.Object) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", o), "*v1alpha1.") + " " + client.ObjectKeyFromObject(o).String()
}

// event is what makes two Events the same to a person.
type event struct {
	about types.UID
	status.Event
}

// tell records e about o. The recorder counts repetitions in one Event if they are about the same version of the object,
// whatever their notes are. So an Event that repeats is about the version it was about at first, and only the same
// words count as a repetition.
func (r *Reporter) tell(o client.Object, e status.Event) {
	e.Note = status.Shorten(e.Note, noteSize)
	about := o.DeepCopyObject().(client.Object)
	key := event{o.GetUID(), e}
	if version, known := r.told.Get(key); known {
		about.SetResourceVersion(version.(string))
	} else {
		r.told.Add(key, o.GetResourceVersion())
	}
	r.recorder.Eventf(about, nil, e.Type, e.Reason, e.Action, "%s", e.Note)
}
