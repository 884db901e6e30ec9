package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// defaultMaxConns is small: a server has a hundred connections by default, for all tenants and replicas.
	defaultMaxConns = 8
	// minMaxConns leaves room for a View within an Update.
	minMaxConns = 2
	// defaultTimeout bounds a transaction, with all its attempts: a server that has gone silent, or a lock that is not
	// given back, fails the caller and not the process.
	defaultTimeout = 10 * time.Second
	// retriesWhenLost is for a connection that was lost with an earlier server. More would keep a customer waiting for
	// one that is away.
	retriesWhenLost = 2
)

// settings are parameters of every connection, beside search_path. They are set by a statement: PgBouncer refuses most of
// them at the start of a connection. A replica whose machine is gone holds its locks no longer than this.
var settings = map[string]string{
	"idle_in_transaction_session_timeout": "15s",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "2",
	"synchronous_commit":                  "on",
	"default_transaction_isolation":       "read committed",
}

var postgresDialect = dialect{
	forUpdate:  ` FOR UPDATE`,
	skipLocked: ` FOR UPDATE SKIP LOCKED`,
	forShare:   ` FOR SHARE`,
	in:         func(column string) string { return column + ` = ANY($1)` },
	list:       func(all []string) any { return all },
	violates:   violatesPostgres,
}

// PostgresOptions say where a tenant's data is. DSN and Schema are needed.
type PostgresOptions struct {
	// DSN as of libpq, a URL or key=value; TLS is asked for there, by sslmode and sslrootcert.
	DSN string
	// Schema that holds the tenant's tables. It is made where it does not exist. See SchemaName.
	Schema string
	// MaxConns bounds the connections of this process, beside the one that listens. Default: the DSN's pool_max_conns, or
	// 8; at least 2.
	MaxConns int
	// Timeout bounds a transaction. Default: 10 s.
	Timeout time.Duration
	// ReadOnly makes no schema and brings none up to date: the store is only read.
	ReadOnly bool
	// Clock is the store's time; nil for the database's.
	Clock func() time.Time
	// Logger of lost connections; nil for the default.
	Logger *slog.Logger
}

// Postgres is the Store of any number of processes on one PostgreSQL database.
type Postgres struct {
	proof
	db      *sql.DB
	pool    *pgxpool.Pool
	config  *pgx.ConnConfig
	schema  string
	timeout time.Duration
	clock   func() time.Time
	log     *slog.Logger
	*announcer
	// silence is how long the listening connection may say nothing before it is asked whether it is alive.
	silence time.Duration
}

var _ Store = (*Postgres)(nil)

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// SchemaName returns the schema of a Copilot: legible, and its own also where the names are long.
func SchemaName(namespace, copilot string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(namespace + "/" + copilot))
	legible := strings.NewReplacer("-", "_", ".", "_").Replace("handoff_" + namespace + "_" + copilot)
	return fmt.Sprintf("%.54s_%08x", legible, h.Sum32())
}

// OpenPostgres connects, makes the schema where it does not exist and brings it up to date. Any number of processes may
// do so at once. An error wraps ErrUnavailable if trying again may help.
func OpenPostgres(ctx context.Context, o PostgresOptions) (*Postgres, error) {
	if !schemaName.MatchString(o.Schema) {
		return nil, fmt.Errorf("schema %q: use lower-case letters, digits and _, up to 63", o.Schema)
	}
	config, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("the DSN of PostgreSQL: %w; use postgres://user:password@host:5432/database?sslmode=verify-full", err)
	}
	if !strings.Contains(o.DSN, "pool_max_conns") {
		config.MaxConns = defaultMaxConns
	}
	if o.MaxConns > 0 {
		config.MaxConns = int32(o.MaxConns) //nolint:gosec // a number of connections
	}
	config.MaxConns = max(config.MaxConns, minMaxConns)
	s := &Postgres{proof: proof{now: time.Now}, config: config.ConnConfig, schema: o.Schema, timeout: o.Timeout,
		clock: o.Clock, log: o.Logger, silence: listenSilence}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = s.timeout
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.refusePooler(ctx); err != nil { // before a statement is sent to somebody else's session
		return nil, fmt.Errorf("open the store in schema %s: %w", o.Schema, advise(err))
	}
	config.AfterConnect = s.begin
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("the settings of PostgreSQL: %w", err)
	}
	s.db = stdlib.OpenDBFromPool(s.pool)
	s.startAnnouncing()
	if o.ReadOnly {
		return s, nil
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in schema %s: %w", o.Schema, advise(err)), s.Close())
	}
	return s, nil
}

// Update is described at Store.
func (s *Postgres) Update(ctx context.Context, fn func(Tx) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errSlow)
	defer cancel()
	losses := 0
	return repeat(ctx, func() (done bool, err error) {
		out := transact(func() (session, error) { return beginPostgres(ctx, s.pool, "begin") }, s.reader(ctx), fn)
		s.doubt(ctx, errors.Join(out.failed, out.err))
		if out.failed != nil && out.doing == doingCommit {
			s.announce(out.wake) // it may have been committed
		}
		cause := out.cause()
		if cause == nil {
			if out.wrote {
				s.prove()
				s.announce(out.wake)
			}
			return true, nil
		}
		lost := away(cause) && out.doing != doingCommit // nothing was committed for certain
		if lost {
			losses++
		}
		tryAgain := again(cause) || lost && losses <= retriesWhenLost
		return ctx.Err() != nil || !tryAgain, s.describe(ctx, out)
	})
}

// View is described at Store. The snapshot is taken by fn's first read.
func (s *Postgres) View(ctx context.Context, fn func(Reader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errSlow)
	defer cancel()
	r := s.reader(ctx)
	var err error
	if r.session, err = beginPostgres(ctx, s.pool, "begin isolation level repeatable read read only"); err != nil {
		return s.failed(ctx, "begin a read transaction", err)
	}
	defer r.close()
	err = fn(r)
	if away(err) {
		return s.failed(ctx, "read", err)
	}
	return err
}

func (s *Postgres) reader(ctx context.Context) reader {
	return reader{ctx: ctx, dialect: &postgresDialect, clock: s.clock}
}

// Shared is described at Store.
func (s *Postgres) Shared() bool { return true }

// Key is described at Store.
func (s *Postgres) Key(ctx context.Context, name string) (key []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errSlow)
	defer cancel()
	if key, err = readKey(ctx, s.db, name); err != nil {
		return nil, s.failed(ctx, "read key "+name, err)
	}
	return key, nil
}

// Ping is described at Store. A commit of the last proofAge is proof enough; else it commits one small write, which
// shows that the database answers and is not a read-only copy.
func (s *Postgres) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errSlow)
	defer cancel()
	if err := s.ping(ctx, s.db); err != nil {
		return s.failed(ctx, "try a write", err)
	}
	return nil
}

// Close waits for transactions in progress.
func (s *Postgres) Close() error {
	s.at.Store(nil)
	s.stopAnnouncing()
	err := s.db.Close()
	s.pool.Close()
	if err != nil {
		return fmt.Errorf("close the store in schema %s: %w", s.schema, err)
	}
	return nil
}
