package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// listenSilence is how long the listening connection is quiet before it is asked whether it is alive: a cut that
	// nobody reported is noticed after this and the answer's timeout.
	listenSilence = 15 * time.Second
	// relisten is the longest wait before a lost connection is made again.
	relisten = 500 * time.Millisecond
)

// Listen is described at Store. It has a connection of its own.
func (s *Postgres) Listen(ctx context.Context, fn func(Wake)) error {
	for cut := false; ; {
		err := s.listen(ctx, func(w Wake) {
			if cut {
				s.log.Info("wake-ups from other replicas arrive again", "schema", s.schema)
			}
			cut = false
			fn(w)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !cut { // said once, not at each attempt
			s.log.Warn("wake-ups from other replicas are cut off, and connected again", "schema", s.schema, "error", err)
		}
		cut = true
		timer := time.NewTimer(relisten/2 + rand.N(relisten/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// listen calls fn until the connection is lost.
func (s *Postgres) listen(ctx context.Context, fn func(Wake)) error {
	conn, err := pgx.ConnectConfig(ctx, s.sessionConfig())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), relisten) // a farewell, no more
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if err := s.bounded(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.schema}.Sanitize())
		return err
	}); err != nil {
		return err
	}
	fn(Wake{Reread: true}) // after LISTEN: what was committed before is read, what comes later is announced
	for {
		wake, err := s.next(ctx, conn)
		if err != nil {
			return err
		}
		if wake != nil {
			fn(*wake)
		}
	}
}

// next returns the next wake-up, or nil after a silence in which the connection proved to be alive.
func (s *Postgres) next(ctx context.Context, conn *pgx.Conn) (*Wake, error) {
	quiet, cancel := context.WithTimeout(ctx, s.silence)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	if err == nil {
		var wake Wake
		if err := json.Unmarshal([]byte(n.Payload), &wake); err != nil {
			return &Wake{Reread: true}, nil //nolint:nilerr // somebody else's words, or a newer release's
		}
		return &wake, nil
	}
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	if err := s.bounded(ctx, conn.Ping); err != nil {
		return nil, fmt.Errorf("no answer after %s of silence: %w", s.silence, err)
	}
	return nil, nil
}

// bounded calls do within the store's timeout.
func (s *Postgres) bounded(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return do(ctx)
}
