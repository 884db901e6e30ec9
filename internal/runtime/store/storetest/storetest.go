// Package storetest is the test suite that every implementation of store.Store passes.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

var (
	t0    = time.Date(2026, 3, 2, 9, 0, 0, 123456789, time.UTC)
	anna  = conversation.Person{Email: "anna@agents.example", Name: "Anna"}
	boris = conversation.Person{Email: "boris@agents.example", Name: "Boris"}
)

// Run tests an implementation. open returns a new, empty store, which is closed by its own cleanup. Its clock stands at
// t0.
func Run(t *testing.T, open func(t *testing.T, clock func() time.Time) store.Store) {
	for name, test := range map[string]func(t *testing.T, s store.Store){
		"CreateAndRead":             testCreateAndRead,
		"UnknownIsNotFound":         testUnknownIsNotFound,
		"EventsByPage":              testEventsByPage,
		"OnlyTheNextChangeIsSaved":  testOnlyTheNextChangeIsSaved,
		"CreateTwice":               testCreateTwice,
		"SameClientID":              testSameClientID,
		"DroppedErrorIsNoCommit":    testDroppedErrorIsNoCommit,
		"ErrorRollsBack":            testErrorRollsBack,
		"PanicRollsBack":            testPanicRollsBack,
		"EndedContextRollsBack":     testEndedContextRollsBack,
		"ViewIsASnapshot":           testViewIsASnapshot,
		"QueueOldestFirst":          testQueueOldestFirst,
		"OffersBySoonestEnd":        testOffersBySoonestEnd,
		"QueriesAgreeWithTheLog":    testQueriesAgreeWithTheLog,
		"PresenceAndIdleTime":       testPresenceAndIdleTime,
		"HandlingTime":              testHandlingTime,
		"WrapUps":                   testWrapUps,
		"TableSeen":                 testTableSeen,
		"CountOnline":               testCountOnline,
		"CodesAreForOnce":           testCodesAreForOnce,
		"KeysAreMadeOnce":           testKeysAreMadeOnce,
		"ConcurrentUpdates":         testConcurrentUpdates,
		"ConcurrentSameClientID":    testConcurrentSameClientID,
		"ConcurrentKey":             testConcurrentKey,
		"PingProvesAWrite":          testPing,
		"TransactionReadsItsWrites": testTransactionReadsItsWrites,
		"CalledAgain":               testCalledAgain,
		"TextOfAnyKind":             testTextOfAnyKind,
		"OrderIsByBytes":            testOrderIsByBytes,
		"AgentsUnderTheirLock":      testAgentsUnderTheirLock,
		"NeverBeyondCapacity":       testNeverBeyondCapacity,
		"EachClaimedOnce":           testEachClaimedOnce,
		"ClaimOnlyWhatWaits":        testClaimOnlyWhatWaits,
		"QueueByPriority":           testQueueByPriority,
		"Deadlines":                 testDeadlines,
		"DeadlineOfAnOffer":         testDeadlineOfAnOffer,
		"DeadlinesOfAnAgent":        testDeadlinesOfAnAgent,
		"ConversationsOfACustomer":  testConversationsOfACustomer,
		"DeadlinesClaimedOnce":      testDeadlinesClaimedOnce,
		"DeadlineOfNobody":          testDeadlineOfNobody,
		"WakesListeners":            testWakesListeners,
		"WakesForManyAtOnce":        testWakesForManyAtOnce,
		"Turns":                     testTurns,
		"TurnsOfOthers":             testTurnsOfOthers,
		"TurnsWake":                 testTurnsWake,
		"Leases":                    testLeases,
		"OutboxInOrder":             testOutboxInOrder,
		"OutboxAtOnce":              testOutboxAtOnce,
		"DeadLetters":               testDeadLetters,
		"AuditTrail":                testAuditTrail,
		"PresenceLog":               testPresenceLog,
		"HandoffsByTime":            testHandoffsByTime,
		"EraseContent":              testEraseContent,
		"ClosedByTime":              testClosedByTime,
		"TrimOutbox":                testTrimOutbox,
		"TrimRecords":               testTrimRecords,
		"TrimPresences":             testTrimPresences,
		"TrimAtOnce":                testTrimAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, func() time.Time { return t0 }))
		})
	}
}

func testPing(t *testing.T, s store.Store) {
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Ping(ctx); err == nil {
		t.Error("a ping whose context has ended succeeds")
	}
}

// update runs a write transaction that must succeed.
func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// view runs a read transaction that must succeed.
func view(t *testing.T, s store.Store, fn func(store.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// started creates a conversation, whose token's hash is its id.
func started(t *testing.T, s store.Store, id string, at time.Time) conversation.Conversation {
	t.Helper()
	change := conversation.Start(conversation.Conversation{ID: id, Channel: "web", Language: "en"}, "Hello!", at)
	update(t, s, func(tx store.Tx) error { return tx.Create(change, []byte(id)) })
	return change.Conversation
}

// move is a transition with its arguments.
type move func(c conversation.Conversation) (conversation.Change, error)

// moved saves transitions of one conversation, each in a transaction of its own.
func moved(t *testing.T, s store.Store, id string, moves ...move) (c conversation.Conversation) {
	t.Helper()
	for _, m := range moves {
		update(t, s, func(tx store.Tx) (err error) {
			if c, err = tx.Conversation(id); err != nil {
				return err
			}
			change, err := m(c)
			if err != nil {
				return err
			}
			c = change.Conversation
			return tx.Save(change)
		})
	}
	return c
}

func writes(clientID, text string) move {
	return func(c conversation.Conversation) (conversation.Change, error) {
		return c.CustomerWrites(clientID, text, t0)
	}
}

func handsOff(at time.Time) move {
	return func(c conversation.Conversation) (conversation.Change, error) {
		return c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Summary: "s"}, nil, []string{"told"}, at)
	}
}

func offers(p conversation.Person, cost int, expires time.Time) move {
	return func(c conversation.Conversation) (conversation.Change, error) {
		return c.MakeOffer(conversation.Offer{Agent: p, Pool: "p", Cost: cost, ExpiresAt: expires}, t0)
	}
}

func ids(conversations []conversation.Conversation) string {
	var s []string
	for _, c := range conversations {
		s = append(s, c.ID)
	}
	return fmt.Sprint(s)
}
