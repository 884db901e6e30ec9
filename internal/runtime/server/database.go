package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

const (
	// firstAnswer is how long inputs wait for a database, to be refused if it cannot be used. One that takes longer is
	// used when it answers.
	firstAnswer = 5 * time.Second
	// retryOpen is the longest wait before a database that could not be opened is tried again. It doubles up to there.
	retryOpen = 5 * time.Second
)

// storage is what keeps the conversations, and follows the inputs.
type storage interface {
	store.Store
	// use takes the inputs' word for where the conversations are. An error refuses the inputs.
	use(ctx context.Context, in table.Inputs) error
}

// openStorage opens the data folder, or prepares for the database that the table will name where there is no folder.
func openStorage(ctx context.Context, o Options) (storage, error) {
	if o.DataDir == "" {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // until Close
		return &database{Switch: store.NewSwitch(), ctx: ctx, cancel: cancel, log: o.Logger}, nil
	}
	st, err := store.OpenSQLite(ctx, o.DataDir, nil)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return folder{st}, nil
}

// folder is embedded storage.
type folder struct{ store.Store }

func (folder) use(_ context.Context, in table.Inputs) error {
	if in.Table.Copilot.Postgres != nil {
		return errors.New("the table keeps the conversations in PostgreSQL, and this process was given a data folder; start it with --data-dir=")
	}
	return nil
}

// database is PostgreSQL. The table names the Secret with its DSN.
type database struct {
	*store.Switch
	// ctx lasts until Close.
	ctx     context.Context
	cancel  context.CancelFunc
	log     *slog.Logger
	opening sync.WaitGroup
	// setting keeps an attempt that was ended from being put to use.
	setting sync.Mutex
	// dsn is the one in use or tried, and stop ends its attempts. They are use's alone.
	dsn  string
	stop context.CancelFunc
}

func (d *database) use(ctx context.Context, in table.Inputs) error {
	dsn, err := dsnOf(in)
	if err != nil || dsn == d.dsn {
		return err
	}
	opening, stop := context.WithCancel(d.ctx)
	before := d.stop
	if before == nil {
		before = func() {}
	}
	first := make(chan error, 1)
	options := store.PostgresOptions{DSN: dsn, Logger: d.log,
		Schema: store.SchemaName(in.Table.Copilot.Namespace, in.Table.Copilot.Name)}
	d.opening.Go(func() { d.open(opening, options, first, before) })
	timer := time.NewTimer(firstAnswer)
	defer timer.Stop()
	select {
	case err = <-first:
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		stop()
		key := in.Table.Copilot.Postgres.DSN
		return fmt.Errorf("the DSN in Secret %s, key %s: %w", key.Name, key.Key, err)
	}
	before()
	d.dsn, d.stop = dsn, stop
	return nil
}

// dsnOf returns the DSN that inputs name.
func dsnOf(in table.Inputs) (string, error) {
	p := in.Table.Copilot.Postgres
	if p == nil {
		return "", errors.New("the table keeps the conversations on a volume, and this process was given none; start it with --data-dir=DIR")
	}
	dsn := string(in.Secrets[p.DSN.Name][p.DSN.Key])
	if dsn == "" {
		return "", fmt.Errorf("the Secret %s has no key %s, or is not there; put the DSN of PostgreSQL into it, such as "+
			"postgres://user:password@host:5432/database?sslmode=verify-full", p.DSN.Name, p.DSN.Key)
	}
	return dsn, nil
}

// open opens a database and puts it to use, or tries until ctx ends. It sends how the first attempt went. before ends the
// attempts at the database that this one replaces.
func (d *database) open(ctx context.Context, o store.PostgresOptions, first chan<- error, before func()) {
	said := ""
	for wait := retryOpen / 16; ; wait = min(2*wait, retryOpen) {
		st, err := store.OpenPostgres(ctx, o)
		if err == nil {
			d.set(ctx, st, before)
			d.log.Info("the database is open", "schema", o.Schema)
			answer(first, nil)
			return
		}
		if ctx.Err() != nil {
			return
		}
		d.Fail(err)
		if said != err.Error() {
			d.log.Warn("the database cannot be opened, and is tried again", "schema", o.Schema, "error", err)
			said = err.Error()
		}
		answer(first, err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// set puts a database to use, unless another was meanwhile.
func (d *database) set(ctx context.Context, st store.Store, before func()) {
	d.setting.Lock()
	defer d.setting.Unlock()
	if ctx.Err() != nil {
		_ = st.Close() // nobody used it
		return
	}
	before()
	d.Set(st)
}

// answer sends the first answer and drops the others.
func answer(first chan<- error, err error) {
	select {
	case first <- err:
	default:
	}
}

// Close ends attempts at a database, and waits for transactions in progress.
func (d *database) Close() error {
	d.cancel()
	d.opening.Wait()
	return d.Switch.Close()
}
