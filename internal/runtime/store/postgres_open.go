package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	// lockPeriod and lockTries bound the wait for another process that migrates: ten minutes for the largest change.
	lockPeriod = 1 // second
	lockTries  = 600
)

// errPooled names a pooler that hands connections out for a transaction each.
var errPooled = errors.New("the DSN leads to a pooler such as PgBouncer, which does not keep the session that LISTEN, " +
	"search_path and locks need; give the DSN of the server itself (of CloudNativePG the service <cluster>-rw), or use pool_mode = session")

// prepare makes sure that the schema is there, up to date, and in use.
func (s *Postgres) prepare(ctx context.Context) error {
	if err := s.makeSchema(ctx); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		return err
	}
	return s.migrate(ctx, files)
}

// begin sets the parameters of a new connection.
func (s *Postgres) begin(ctx context.Context, conn *pgx.Conn) error {
	query := "SELECT set_config('search_path', '" + s.schema + "', false)"
	for _, name := range sorted(settings) {
		query += ", set_config('" + name + "', '" + settings[name] + "', false)"
	}
	if _, err := conn.Exec(ctx, query, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("set the parameters of a connection: %w", err)
	}
	return nil
}

// refusePooler finds out whether a connection stays with one session of the server. A pooler in transaction mode gives
// a connection another session while the first one is taken by somebody's transaction.
func (s *Postgres) refusePooler(ctx context.Context) error {
	one, err := pgx.ConnectConfig(ctx, s.sessionConfig())
	if err != nil {
		return err
	}
	defer func() { _ = one.Close(ctx) }()
	other, err := pgx.ConnectConfig(ctx, s.sessionConfig())
	if err != nil {
		return err
	}
	defer func() { _ = other.Close(ctx) }()
	var before, after uint32
	if err := one.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&before); err != nil {
		return err
	}
	tx, err := other.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // it read only
	if err := one.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&after); err != nil {
		return err
	}
	if before != after {
		return errPooled
	}
	return nil
}

// sessionConfig is for a connection beside the pool. Its queries are not prepared: a pooler would lose them, and each
// is asked once.
func (s *Postgres) sessionConfig() *pgx.ConnConfig {
	config := s.config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return config
}

// makeSchema makes the schema where it does not exist. The right to do so is not needed where it does.
func (s *Postgres) makeSchema(ctx context.Context) error {
	var exists bool
	err := s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, s.schema).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = s.db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{s.schema}.Sanitize())
	if violatesPostgres(err, "pg_namespace_nspname_index") {
		return nil // another process made it just now
	}
	return err
}

// migrate brings the schema up to date, once under a lock of the schema's own. A schema that is ahead, because a newer
// release runs beside this one, is left as it is.
func (s *Postgres) migrate(ctx context.Context, files fs.FS) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte("migrations of " + s.schema))
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(int64(h.Sum64())), //nolint:gosec // any 64 bits will do
		lock.WithLockTimeout(lockPeriod, lockTries))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, s.db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	begin := time.Now()
	applied, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	if len(applied) > 0 {
		s.log.Info("migrated the store", "schema", s.schema, "migrations", len(applied), "took", time.Since(begin))
	}
	return nil
}
