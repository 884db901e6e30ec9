package table

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// messageLimit is the API's limit on the bytes of a message.
const messageLimit = 1024

// candidate is a valid table that may be put to use once its Secrets and ConfigMaps were read.
type candidate struct {
	revision            string
	version             Version
	table               *routing.Table
	raw                 json.RawMessage
	secrets, configMaps []string
	since               time.Time
}

func newCandidate(in Inputs, raw json.RawMessage, since time.Time) *candidate {
	c := &candidate{revision: in.Revision, version: in.Version, table: in.Table, raw: raw, since: since}
	c.secrets, c.configMaps = in.Table.Inputs()
	return c
}

// session is one Run of a Cluster. Only Run's goroutine uses it.
type session struct {
	*Cluster
	use      Use
	started  time.Time
	table    *follower
	followed map[ref]*follower

	// seen identifies the RoutingTable's content that was looked at last.
	seen string
	// next is a newer table than current, saved is what the run before had in use.
	next, current, saved *candidate
	// last has the contents that stand in for those that cannot be read.
	last Inputs
	// inUse and failed are the documents that use took and refused last.
	inUse, failed []byte
	refusal       *v1alpha1.ReplicaStatus
	retryAt       time.Time
	retry         *wait.Backoff
	wakeAt        time.Time
}

// step looks at everything that is known and acts on it. It returns how long to wait if nothing changes.
func (s *session) step(ctx context.Context) time.Duration {
	s.wakeAt = time.Now().Add(time.Hour)
	s.readTable(ctx)
	s.advance(ctx)
	s.followInputs(ctx)
	s.report()
	return time.Until(s.wakeAt)
}

// due asks for a step at t.
func (s *session) due(t time.Time) {
	if t.Before(s.wakeAt) {
		s.wakeAt = t
	}
}

// readTable makes the RoutingTable the next candidate if it is new and valid.
func (s *session) readTable(ctx context.Context) {
	object, known := s.table.get()
	if !known {
		return
	}
	rt, _ := object.(*v1alpha1.RoutingTable)
	if rt == nil {
		s.tableGone(ctx)
		return
	}
	s.acks.observe(&report{entry: ownEntry(rt, s.opts.Pod), resourceVersion: rt.ResourceVersion})
	id := fmt.Sprintf("%s/%d", rt.UID, rt.Generation)
	if id == s.seen {
		return
	}
	s.seen = id
	s.next = nil
	t, err := readSpec(&rt.Spec)
	if err != nil {
		s.refuse(ctx, rt.Spec.Revision, err)
		return
	}
	version := Version{Created: rt.CreationTimestamp.UTC(), Generation: rt.Generation}
	if s.current != nil && s.current.revision == rt.Spec.Revision {
		s.refusal, s.current.version = nil, version // which counts where others work by what was between
		return
	}
	s.next = newCandidate(Inputs{Revision: rt.Spec.Revision, Version: version, Table: t}, rt.Spec.Table.Raw, time.Now())
}

func readSpec(spec *v1alpha1.RoutingTableSpec) (*routing.Table, error) {
	// Asked before decoding: a table of a later format may not even decode.
	if spec.FormatVersion > routing.FormatVersion {
		return nil, fmt.Errorf("spec.formatVersion: %d is not known, this runtime reads up to %d: "+
			"upgrade the runtime to the operator's release", spec.FormatVersion, routing.FormatVersion)
	}
	t, err := decodeTable(spec.Table.Raw)
	if err != nil {
		return nil, err
	}
	return t, checkTable(t, spec.Table.Raw, spec.Revision)
}

func (s *session) tableGone(ctx context.Context) {
	s.acks.observe(nil)
	const gone = "gone"
	if s.seen == gone {
		return
	}
	s.seen, s.next = gone, nil
	s.opts.Log.WarnContext(ctx, "the RoutingTable does not exist, waiting for the operator to write it; what is in use stays in use",
		"routingTable", s.opts.Name)
}

func ownEntry(rt *v1alpha1.RoutingTable, pod string) *v1alpha1.ReplicaStatus {
	for i := range rt.Status.Replicas {
		if rt.Status.Replicas[i].Name == pod {
			return &rt.Status.Replicas[i]
		}
	}
	return nil
}

// advance puts the best usable inputs to work: the next table, else changed contents of the current one, else, when the
// API server has nothing usable at the start, what the run before had in use.
func (s *session) advance(ctx context.Context) {
	if s.next != nil && s.offer(ctx, s.next) {
		s.current, s.next, s.saved = s.next, nil, nil
		return
	}
	if s.current != nil {
		s.offer(ctx, s.current)
		return
	}
	if s.saved == nil {
		return
	}
	if grace := s.started.Add(s.opts.StartGrace); s.refusal == nil && time.Now().Before(grace) {
		s.due(grace)
		return
	}
	if s.hand(ctx, s.saved, s.last) {
		s.opts.Log.WarnContext(ctx, "serving the inputs saved before the restart", "revision", s.saved.revision)
		s.current, s.saved = s.saved, nil
	}
}

// offer hands c with its contents to use, if they were all read and are not in use already. It reports whether c is in use.
func (s *session) offer(ctx context.Context, c *candidate) bool {
	in, complete := s.assemble(ctx, c)
	return complete && s.hand(ctx, c, in)
}

func (s *session) hand(ctx context.Context, c *candidate, in Inputs) bool {
	doc, err := encode(in, c.raw)
	if err != nil {
		s.refuse(ctx, c.revision, err)
		return false
	}
	if bytes.Equal(doc, s.inUse) {
		s.forgive(c.revision)
		return true
	}
	if bytes.Equal(doc, s.failed) && time.Now().Before(s.retryAt) {
		s.due(s.retryAt)
		return false
	}
	if err := s.use(ctx, in); err != nil {
		s.failed, s.retryAt = doc, time.Now().Add(s.retry.Step())
		s.due(s.retryAt)
		s.refuse(ctx, c.revision, err)
		return false
	}
	s.used(ctx, in, doc)
	return true
}

// used notes that in is in use and keeps it for the next start.
func (s *session) used(ctx context.Context, in Inputs, doc []byte) {
	s.inUse, s.failed, s.refusal, s.last, s.retry = doc, nil, nil, in, reconnectBackoff()
	s.opts.Metrics.use(in.Revision)
	s.opts.Log.InfoContext(ctx, "using new inputs", "revision", in.Revision)
	if err := save(s.opts.RunDir, doc); err != nil {
		s.opts.Metrics.unsaved.Inc()
		s.opts.Log.ErrorContext(ctx, "these inputs would not survive a restart without the API server", "error", err)
	}
}

// refuse notes why inputs of a revision cannot be used.
func (s *session) refuse(ctx context.Context, revision string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.opts.Metrics.refused.Inc()
	s.opts.Log.ErrorContext(ctx, "refused inputs, what is in use stays in use", "revision", revision, "error", err)
	s.refusal = &v1alpha1.ReplicaStatus{Refused: revision, Message: clip(err.Error())}
}

// clip shortens a message to what the API takes.
func clip(message string) string {
	if len(message) > messageLimit {
		return string(bytes.ToValidUTF8([]byte(message[:messageLimit]), nil))
	}
	return message
}

// forgive takes back a refusal of a revision whose contents are again those in use.
func (s *session) forgive(revision string) {
	if s.refusal != nil && s.refusal.Refused == revision {
		s.refusal = nil
	}
}

// report tells the operator what this replica serves.
func (s *session) report() {
	entry := v1alpha1.ReplicaStatus{Name: s.opts.Pod}
	if s.refusal != nil {
		entry.Refused, entry.Message = s.refusal.Refused, s.refusal.Message
	}
	if s.current != nil {
		entry.Revision = s.current.revision
	}
	if entry.Revision != "" || entry.Refused != "" {
		s.acks.want(entry)
	}
}

// stop ends every watch and waits for it.
func (s *session) stop() {
	s.table.stop()
	for _, f := range s.followed {
		f.stop()
	}
}
