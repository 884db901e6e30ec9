package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Who listens before there is a database hears of the first one, whatever failed before, and does not keep the Switch
// from being closed.
func TestSwitchIsListenedTo(t *testing.T) {
	t.Parallel()
	w := store.NewSwitch()
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan store.Wake, 10), make(chan error, 1)
	go func() { ended <- w.Listen(ctx, func(wake store.Wake) { heard <- wake }) }()
	for _, why := range []string{"no route", "wrong password"} {
		w.Fail(errors.New(why))
		if err := w.Ping(ctx); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), why) {
			t.Errorf("error %v does not say %q", err, why)
		}
	}
	for range 2 { // the first and another
		s, err := store.OpenSQLite(ctx, t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Set(s)
		if wake := <-heard; !wake.Reread {
			t.Errorf("a new database begins with %+v", wake)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Ping(ctx); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after the end: %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("listening ended with %v", err)
	}
}
