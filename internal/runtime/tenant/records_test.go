package tenant_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// openAs begins a conversation of a customer who says who they are, and lets an agent answer it.
func openAs(w *World, who conversation.Customer, text string) (id, token string) {
	w.TB.Helper()
	c, token, err := w.Open(w.TB.Context(), tenant.NewConversation{ChannelToken: Token, Customer: who})
	if err != nil {
		w.TB.Fatal(err)
	}
	w.Send(c.ID, "1", text)
	if _, err := w.TakeOver(w.TB.Context(), c.ID, w.AgentNamed("a0")); err != nil {
		w.TB.Fatal(err)
	}
	if _, err := w.Reply(w.TB.Context(), c.ID, w.AgentNamed("a0"), "r1", "about "+text); err != nil {
		w.TB.Fatal(err)
	}
	return c.ID, token
}

// exported is what is exported of a customer.
func exported(t *testing.T, w *World, key string) string {
	t.Helper()
	var out bytes.Buffer
	if err := w.ExportCustomer(t.Context(), boss, key, func(l export.Line) error { return json.NewEncoder(&out).Encode(l) }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// All that is kept of one customer is exported and erased, nothing of another's; both are in the audit trail, which does
// not say who the customer is.
func TestExportAndEraseOneCustomer(t *testing.T) {
	t.Parallel()
	h := newHook(t, received)
	w := New(t, Options{Table: hooked(map[string]*hook{"crm": h})})
	ada := conversation.Customer{ID: "u1", Name: "Ada", Email: "Ada@example.com"}
	first, token := openAs(w, ada, "sesame-one")
	openAs(w, conversation.Customer{Email: "ada@EXAMPLE.com"}, "sesame-two")
	other, _ := openAs(w, conversation.Customer{ID: "u2", Email: "bob@example.com"}, "sesame-three")

	all := exported(t, w, "ada@example.com")
	for _, want := range []string{"sesame-one", "sesame-two", `"name":"Ada"`} {
		if !strings.Contains(all, want) {
			t.Errorf("the export lacks %s", want)
		}
	}
	if strings.Contains(all, "sesame-three") || strings.Count(all, "\n") != 2 {
		t.Errorf("the export has another's: %s", all)
	}
	a := &audit.Auditor{}
	if err := export.Read(strings.NewReader(all), export.Into(a)); err != nil || len(a.Result()) > 0 {
		t.Errorf("the export audited: %v, %v", a.Result(), err)
	}
	if n, err := w.EraseCustomer(t.Context(), boss, "ada@example.com"); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if err := export.Store(t.Context(), w.Record.Store, func(l export.Line) error {
		raw, err := json.Marshal(l)
		for _, gone := range []string{"sesame-one", "sesame-two", "Ada", "ada@example.com", "u1"} {
			if strings.Contains(string(raw), `"`+gone) || strings.Contains(string(raw), gone+`"`) {
				t.Errorf("%q is still there: %s", gone, raw)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(exported(t, w, "u2"), "sesame-three") {
		t.Error("another customer's is gone")
	}
	if _, err := w.Authorize(t.Context(), first, token); !errors.Is(err, tenant.ErrForbidden) {
		t.Errorf("the customer's token still opens it: %v", err)
	}
	var refusal *conversation.Refusal
	if _, err := w.Say(t.Context(), first, "2", "hello"); !errors.As(err, &refusal) {
		t.Errorf("it goes on: %v", err)
	}
	if c, err := w.Conversation(t.Context(), other); err != nil || c.Owner.Kind != conversation.OwnerAgent {
		t.Errorf("another's conversation: %+v, %v", c.Owner, err)
	}
	trail, err := w.AuditTrail(t.Context(), store.AuditFilter{Actor: boss.Agent.Email}, 0, 100)
	actions := map[string]int{}
	for _, e := range trail {
		actions[e.Action]++
		if strings.Contains(e.Subject+e.Detail, "ada") {
			t.Errorf("the audit trail names the customer: %+v", e)
		}
	}
	if err != nil || actions["customer_exported"] != 2 || actions["customer_erased"] != 1 || actions["erased"] != 2 {
		t.Errorf("%v, %v", actions, err)
	}
	if n, err := w.EraseCustomer(t.Context(), boss, "ada@example.com"); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}

// Closed conversations lose what people wrote when their time is over, also one that was closed before there was a
// retention; a longer retention that comes in between counts.
func TestRetention(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Policy.ReturnToAI.OnResolve = false
	w := New(t, Options{Table: table})
	id, _ := openAs(w, conversation.Customer{ID: "u1"}, "sesame")
	if _, err := w.Resolve(t.Context(), id, w.AgentNamed("a0"), "done"); err != nil {
		t.Fatal(err)
	}
	kept := func(d time.Duration) {
		table := Table(1, 1)
		table.Policy.ReturnToAI.OnResolve = false
		table.Copilot.Retention = metav1.Duration{Duration: d}
		w.UseTable(table)
	}
	closed := w.Clock.Now()
	kept(time.Hour)
	w.Clock.AwaitTimer(t, closed.Add(time.Hour))
	kept(2 * time.Hour)
	w.Clock.AwaitTimer(t, closed.Add(2*time.Hour))
	w.Clock.Step(2*time.Hour - time.Second)
	if c, err := w.Conversation(t.Context(), id); err != nil || !c.ErasedAt.IsZero() {
		t.Errorf("a second before: %s, %v", c.ErasedAt, err)
	}
	w.Clock.Step(time.Second)
	w.AwaitType(id, conversation.EventErased, 1)
	for _, e := range w.Events(id) {
		if strings.Contains(e.Text, "sesame") {
			t.Errorf("%+v", e)
		}
	}
}

// What was delivered and the records go when they are old, of a tenant that keeps nothing for ever, and a report of a time of
// which they are gone is refused. The auditor, which reads what is left when the test ends, finds nothing missing.
func TestOldRecordsAreRemoved(t *testing.T) {
	t.Parallel()
	h := newHook(t, received)
	retention := func(d time.Duration) (out *routing.Table) {
		out = hooked(map[string]*hook{"crm": h})
		out.Policy.ReturnToAI.OnResolve = false
		out.Copilot.Retention = metav1.Duration{Duration: d}
		return out
	}
	w := New(t, Options{Table: retention(0)})
	begin := w.Clock.Now()
	id, _ := openAs(w, conversation.Customer{ID: "u1"}, "sesame")
	if _, err := w.Resolve(t.Context(), id, w.AgentNamed("a0"), "done"); err != nil {
		t.Fatal(err)
	}
	w.AwaitDelivery(id, func(d store.Delivery) bool { return d.Seq > 3 && d.State == store.DeliveryDone })
	trimmed := func(after time.Duration) {
		t.Helper()
		w.Clock.Step(after)
		w.Clock.AwaitTimer(t, w.Clock.Now().Add(24*time.Hour))
	}
	left := func() (delivered, trail int) {
		t.Helper()
		if err := w.Record.View(t.Context(), func(r store.Reader) error {
			all, err := r.Deliveries(id)
			entries, err2 := r.AuditTrail(store.AuditFilter{To: begin.Add(time.Hour)}, 0, 100)
			delivered, trail = len(all), len(entries)
			return errors.Join(err, err2)
		}); err != nil {
			t.Fatal(err)
		}
		return delivered, trail
	}
	if delivered, trail := left(); delivered < 4 || trail == 0 {
		t.Errorf("%d messages and %d entries to begin with", delivered, trail)
	}
	trimmed(store.DeliveredFor + time.Hour)
	if delivered, trail := left(); delivered != 1 || trail == 0 {
		t.Errorf("%d messages and %d entries after a month", delivered, trail)
	}
	trimmed(1000 * 24 * time.Hour)
	if _, trail := left(); trail == 0 {
		t.Error("without a retention the audit trail is gone")
	}
	w.UseTable(retention(500 * 24 * time.Hour))
	trimmed(24 * time.Hour)
	if _, trail := left(); trail != 0 {
		t.Errorf("%d entries are left after the retention", trail)
	}
	var invalid *tenant.Invalid
	if _, err := w.Report(t.Context(), begin, begin.Add(time.Hour), time.Second); !errors.As(err, &invalid) || invalid.Field != "from" {
		t.Errorf("a report of a time that is gone: %v", err)
	}
	if _, err := w.Report(t.Context(), w.Clock.Now().Add(-time.Hour), w.Clock.Now(), time.Second); err != nil {
		t.Error(err)
	}
	var file bytes.Buffer
	a := &audit.Auditor{}
	err := export.Store(t.Context(), w.Record.Store, export.Tee(&file, func(export.Line) error { return nil }))
	if err = errors.Join(err, export.Read(&file, export.Into(a))); err != nil || a.PresencesFrom.Before(begin) {
		t.Errorf("an exported log says that presences are kept from %s: %v", a.PresencesFrom, err)
	}
}

// A report is computed from what happened.
// perView notes the most conversations that were read in one transaction.
type perView struct {
	store.Store
	most *atomic.Int64
}

func (p perView) View(ctx context.Context, fn func(store.Reader) error) error {
	var logs int64
	err := p.Store.View(ctx, func(r store.Reader) error { return fn(logReader{r, &logs}) })
	for most := p.most.Load(); logs > most && !p.most.CompareAndSwap(most, logs); most = p.most.Load() {
	}
	return err
}

type logReader struct {
	store.Reader
	logs *int64
}

func (r logReader) Deliveries(conversation string) ([]store.Delivery, error) {
	*r.logs++
	return r.Reader.Deliveries(conversation)
}

// A report of many conversations keeps no transaction open for all of them.
func TestReportReadsAFewAtATime(t *testing.T) {
	t.Parallel()
	var most atomic.Int64
	w := New(t, Options{Wrap: func(s store.Store) store.Store { return perView{s, &most} }})
	queueUp(t, w, 250)
	w.Clock.Step(time.Minute)
	report, err := w.Report(t.Context(), w.Clock.Now().Add(-time.Hour), w.Clock.Now(), time.Minute)
	if err != nil || report.Queued != 250 {
		t.Errorf("%d were queued, %v", report.Queued, err)
	}
	if n := most.Load(); n == 0 || n > 100 {
		t.Errorf("%d conversations were read in one transaction", n)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	begin := w.Clock.Now()
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	w.Clock.Step(10 * time.Second)
	w.SetState("a0", store.Online)
	w.AwaitType(id, conversation.EventOffered, 1)
	w.Clock.Step(20 * time.Second)
	if _, err := w.Accept(t.Context(), id, w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(60 * time.Second)
	if _, err := w.Resolve(t.Context(), id, w.AgentNamed("a0"), "done"); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(40 * time.Second)
	w.SetState("a0", store.Offline)
	w.Clock.Step(time.Second)
	r, err := w.Report(t.Context(), begin, w.Clock.Now(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if r.Queued != 1 || *r.ServiceLevel != 1 || *r.AverageSpeedOfAnswer != 30 || *r.AverageHandlingTime != 60 || *r.Occupancy != 0.5 {
		raw, err := json.MarshalIndent(r, "", " ")
		t.Errorf("%s %v", raw, err)
	}
	if r, err = w.Report(t.Context(), begin, w.Clock.Now(), 29*time.Second); err != nil || *r.ServiceLevel != 0 {
		t.Errorf("below the threshold: %+v %v", r, err)
	}
	var invalid *tenant.Invalid
	if _, err := w.Report(t.Context(), begin, begin, time.Second); !errors.As(err, &invalid) || invalid.Field != "to" {
		t.Errorf("an empty period: %v", err)
	}
}

var errOneErased = errors.New("one conversation was erased, and that is enough")

// oneErasure is a store that erases one conversation until erased is taken back.
type oneErasure struct {
	store.Store
	erased atomic.Bool
}

func (o *oneErasure) Update(ctx context.Context, fn func(store.Tx) error) error {
	return o.Store.Update(ctx, func(tx store.Tx) error { return fn(erasingTx{tx, o}) })
}

type erasingTx struct {
	store.Tx
	one *oneErasure
}

func (e erasingTx) EraseContent(id string) error {
	if e.one.erased.Swap(true) {
		return errOneErased
	}
	return e.Tx.EraseContent(id)
}

// Who is looked for by their id is also who was merged with them by their e-mail address, in either direction and through
// others. An erasure that was interrupted is finished by the next.
func TestEraseFollowsMerges(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"u1", "u2", "ada@example.com", "ada@work.example"} {
		failing := &oneErasure{}
		var ids []string
		w := New(t, Options{Wrap: func(s store.Store) store.Store { failing.Store = s; return failing }})
		for i, who := range []conversation.Customer{{ID: "u1", Email: "ada@example.com"}, {Email: "ada@example.com"}, {ID: "u2", Email: "ada@example.com"},
			{ID: "u2", Email: "ada@work.example"}, {ID: "stranger", Email: "bob@example.com"}} {
			id, _ := openAs(w, who, fmt.Sprintf("sesame-%d", i))
			if ids = append(ids, id); i > 0 && i < 4 {
				w.Do(w.Merge(t.Context(), ids[i-1], id, w.AgentNamed("a0"), true))
			}
		}
		all := exported(t, w, key)
		for i := range ids {
			if has := strings.Contains(all, fmt.Sprintf("sesame-%d", i)); has != (i < 4) {
				t.Errorf("%s: the export has conversation %d: %v", key, i, has)
			}
		}
		err := errOneErased
		for n := 0; errors.Is(err, errOneErased) && n < 5; n++ {
			failing.erased.Store(false)
			_, err = w.EraseCustomer(t.Context(), boss, key)
		}
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
		for i, id := range ids {
			if c, err := w.Conversation(t.Context(), id); err != nil || c.ErasedAt.IsZero() == (i < 4) {
				t.Errorf("%s: conversation %d is erased at %s, %v", key, i, c.ErasedAt, err)
			}
		}
	}
}

// What a release before this one wrote, which did not know by what customers are found, is found by who asks for it.
func TestEraseFindsWhatTheReleaseBesideWrote(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) != "" {
		return // the file of SQLite is written; the store's own tests have both databases
	}
	w := New(t, Options{})
	ada := conversation.Customer{ID: "u1", Email: "ada@example.com"}
	openAs(w, ada, "sesame-one")
	forget := func() {
		t.Helper()
		db, err := sql.Open("sqlite", filepath.Join(w.Dir, "handoff.db")+"?_pragma=busy_timeout(5000)")
		if err == nil {
			_, err = db.ExecContext(t.Context(), `UPDATE conversations SET customer = NULL, email = NULL, derived = 1`)
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	forget()
	if all := exported(t, w, "u1"); !strings.Contains(all, "sesame-one") {
		t.Errorf("exported: %s", all)
	}
	forget()
	if n, err := w.EraseCustomer(t.Context(), boss, ada.Email); n != 1 || err != nil {
		t.Error(n, err)
	}
}
