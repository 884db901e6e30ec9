package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// childDir makes a process of this test the one that writes, in the folder that it names.
	childDir = "HANDOFF_STORETEST_CHILD"
	// childEarly plants the mistake that the test is there to find: to acknowledge before the commit.
	childEarly = "HANDOFF_STORETEST_EARLY"
	crashIDs   = 3
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Getenv(childEarly) != ""))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled plays conversations and prints each change after Update returned: "id seq".
func writeUntilKilled(dir string, early bool) error {
	ctx := context.Background()
	s, err := store.OpenSQLite(ctx, dir, nil)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		var acknowledged string
		err := s.Update(ctx, func(tx store.Tx) error {
			change, err := playOn(tx, fmt.Sprintf("c%d", n%crashIDs))
			acknowledged = fmt.Sprintf("%s %d\n", change.Conversation.ID, change.Conversation.Seq)
			if early && err == nil {
				_, err = os.Stdout.WriteString(acknowledged)
			}
			return err
		})
		if err != nil {
			return err
		}
		if !early {
			if _, err := os.Stdout.WriteString(acknowledged); err != nil {
				return err
			}
		}
	}
}

// playOn saves the next change of a conversation that goes round from the AI to an agent and back.
func playOn(tx store.Tx, id string) (change conversation.Change, err error) {
	now := time.Now()
	agent := conversation.Person{Email: "anna@agents.example"}
	c, err := tx.Conversation(id)
	if errors.Is(err, store.ErrNotFound) {
		change = conversation.Start(conversation.Conversation{ID: id}, "Hello!", now)
		return change, tx.Create(change, []byte(id))
	}
	switch {
	case err != nil:
	case c.Owner.Kind == conversation.OwnerAI && c.Pending == 0:
		change, err = c.CustomerWrites(fmt.Sprint("m", c.Seq), "help", now)
	case c.Owner.Kind == conversation.OwnerAI:
		change, err = c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Summary: "s"}, &conversation.Answer{Text: "I"}, []string{"told"}, now)
	case c.Offer == nil && c.Owner.Kind == conversation.OwnerQueue:
		change, err = c.MakeOffer(conversation.Offer{Agent: agent, Cost: 1, ExpiresAt: now.Add(time.Hour)}, now)
	case c.Owner.Kind == conversation.OwnerQueue:
		change, err = c.Accept(agent, "told", now)
	default:
		c.Returns = 0 // it goes round for as long as the test likes
		change, err = c.ReturnToAI(agent, "background", "told", now)
	}
	if err != nil {
		return change, err
	}
	return change, tx.Save(change)
}

// killOnce runs the writer on a folder, kills it with SIGKILL at a random moment after it has acknowledged a random
// number of changes, and returns the last sequence number that it acknowledged of each conversation.
func killOnce(t *testing.T, dir string, early bool) map[string]int64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	if early {
		cmd.Env = append(cmd.Env, childEarly+"=1")
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seqs := map[string]int64{}
	lines := bufio.NewReader(out)
	read := func() error {
		var id string
		var seq int64
		_, err := fmt.Fscanf(lines, "%s %d\n", &id, &seq)
		if err == nil {
			seqs[id] = seq
		}
		return err
	}
	for range 1 + rand.IntN(50) {
		if err := read(); err != nil {
			break
		}
	}
	<-time.After(time.Duration(rand.IntN(3_000_000))) // anywhere within a transaction
	_ = cmd.Process.Kill()
	for err == nil {
		err = read()
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read from the writer: %v", err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the writer ended by itself: %v\n%s", err, stderr.String())
	}
	return seqs
}

// lost compares what was acknowledged with what is stored, and counts the changes that were stored without being
// acknowledged.
func lost(r store.Reader, acknowledged map[string]int64) (unacknowledged int, err error) {
	for i := range crashIDs {
		id := fmt.Sprintf("c%d", i)
		c, err := r.Conversation(id)
		if errors.Is(err, store.ErrNotFound) && acknowledged[id] == 0 {
			continue
		}
		if err != nil {
			return 0, err
		}
		events, err := r.Events(id, 0, 1_000_000)
		if err != nil {
			return 0, err
		}
		for i, e := range events {
			if e.Seq != int64(i+1) {
				return 0, fmt.Errorf("%s: event %d has number %d", id, i+1, e.Seq)
			}
		}
		if c.Seq != int64(len(events)) {
			return 0, fmt.Errorf("%s is at %d with %d events: half a change", id, c.Seq, len(events))
		}
		if last, ok := acknowledged[id]; ok && c.Seq < last {
			return 0, fmt.Errorf("%s is at %d, but %d was acknowledged", id, c.Seq, last)
		} else if c.Seq > last {
			unacknowledged++
		}
	}
	return unacknowledged, nil
}

func TestKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	kills := 5
	if os.Getenv("SOAK") != "" {
		kills = 100
	}
	dir := t.TempDir()
	acknowledged := map[string]int64{}
	total, between := int64(0), 0
	for range kills {
		for id, seq := range killOnce(t, dir, false) {
			acknowledged[id] = seq
		}
		between += checkStore(t, dir, acknowledged)
	}
	for _, seq := range acknowledged {
		total += seq
	}
	t.Logf("%d kills, %d events in the log, no acknowledged one lost; %d changes committed whose acknowledgement was cut off", kills, total, between)
}

// checkStore opens the folder as the next process would. At most one change may be there that was not acknowledged:
// the one whose acknowledgement the kill has cut off.
func checkStore(t *testing.T, dir string, acknowledged map[string]int64) int {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var unacknowledged int
	err = s.View(t.Context(), func(r store.Reader) (err error) {
		unacknowledged, err = lost(r, acknowledged)
		for i := range crashIDs {
			if c, err := r.Conversation(fmt.Sprintf("c%d", i)); err == nil {
				acknowledged[c.ID] = c.Seq
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if unacknowledged > 1 {
		t.Fatalf("%d changes are stored that were not acknowledged, want at most 1", unacknowledged)
	}
	return unacknowledged
}

// The same kills and the same check find a writer that acknowledges before it commits.
func TestAPlantedLossIsFound(t *testing.T) {
	t.Parallel()
	for range 100 {
		dir := t.TempDir()
		acknowledged := killOnce(t, dir, true)
		s := open(t, dir)
		err := s.View(t.Context(), func(r store.Reader) error {
			_, err := lost(r, acknowledged)
			return err
		})
		if err != nil {
			t.Logf("found: %v", err)
			return
		}
	}
	t.Error("100 kills of a writer that acknowledges before it commits, and no loss was found")
}
