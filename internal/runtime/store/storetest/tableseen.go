package storetest

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// The newest table that was seen stays, whoever comes with an older one; that of an object made anew is newer.
func testTableSeen(t *testing.T, s store.Store) {
	made := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	version := func(created time.Time, generation int64, revision string) store.TableVersion {
		return store.TableVersion{Created: created, Generation: generation, Revision: revision}
	}
	for _, step := range []struct {
		saw  store.TableVersion
		want string
	}{
		{version(made, 2, "b"), "b"}, {version(made, 1, "a"), "b"}, {version(made, 3, "c"), "c"},
		{version(made.Add(time.Hour), 1, "d"), "d"}, {version(made, 9, "e"), "d"},
	} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.SawTable(step.saw) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			seen, err := tx.TableSeen()
			if seen.Revision != step.want || seen.Outdates(step.saw) != (step.saw.Revision != step.want) {
				t.Errorf("after %v the store has seen %v", step.saw, seen)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
