package store

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	databaseFile = "handoff.db"
	// busyTimeout is for the moment in which a checkpoint or a connection that is being closed holds a lock; there is
	// one writer.
	busyTimeout = "busy_timeout(5000)"
	// readers bounds the read connections. Each keeps a page cache of 2 MB.
	readers = 8
)

//go:embed migrations
var migrations embed.FS

var sqliteDialect = dialect{
	in: func(column string) string { return column + ` IN (SELECT value FROM json_each($1))` },
	list: func(all []string) any {
		text, _ := json.Marshal(all) // strings always can be
		return string(text)
	},
	violates: func(err error, constraint string) bool {
		codes := map[string]int{
			uniqueConversation: sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
			uniqueClientID:     sqlite3.SQLITE_CONSTRAINT_UNIQUE,
			knownConversation:  sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
		}
		var e *sqlite.Error
		return errors.As(err, &e) && e.Code() == codes[constraint]
	},
}

// SQLite is the Store of one process on a local folder. What Update committed survives a crash of the process and of
// the machine.
type SQLite struct {
	dir  string
	lock *os.File
	// write has one connection, so that write transactions queue in the process and in order.
	write *sql.DB
	known prepared
	read  *sql.DB
	proof
	bus   *bus
	clock func() time.Time
}

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the database in a folder, makes both where they do not exist, and brings the schema up to date. It
// fails if another process has the folder open. clock is the store's time, of deadlines for example; nil for the real one.
func OpenSQLite(ctx context.Context, dir string, clock func() time.Time) (*SQLite, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder %s: %w", dir, err)
	}
	if clock == nil {
		clock = time.Now
	}
	s := &SQLite{dir: dir, known: prepared{byQuery: map[string]*sql.Stmt{}}, proof: proof{now: time.Now}, bus: newBus(), clock: clock}
	if s.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := errors.Join(removeCopies(dir), s.open(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *SQLite) open(ctx context.Context) error {
	path := filepath.Join(s.dir, databaseFile)
	// Made here for its mode: the log next to it inherits it, and both hold customers' words.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.write, err = connect(path, 1, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {busyTimeout, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	s.read, err = connect(path, readers, url.Values{"mode": {"ro"}, "_pragma": {busyTimeout}})
	return err
}

func connect(path string, connections int, params url.Values) (*sql.DB, error) {
	params.Set("_dqs", "0")
	params.Set("_error_rc", "1")
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func (s *SQLite) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.Default()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}

// Update is described at Store. fn must not call the store itself: there is one writer.
func (s *SQLite) Update(ctx context.Context, fn func(Tx) error) error {
	return repeat(ctx, func() (done bool, err error) {
		out := transact(func() (session, error) {
			s.known.learn(ctx, s.write)
			t, err := s.write.BeginTx(ctx, nil)
			return sqliteSession{t, &s.known}, err
		}, s.reader(ctx), fn)
		s.doubt(ctx, errors.Join(out.failed, out.err))
		switch {
		case out.fnErr != nil:
			return !errors.Is(out.fnErr, ErrAgain), out.fnErr
		case out.failed != nil:
			return true, s.failed(ctx, out.doing, out.failed)
		case out.wrote:
			s.prove()
			s.bus.publish(out.wake)
		}
		return true, nil
	})
}

func (s *SQLite) reader(ctx context.Context) reader {
	return reader{ctx: ctx, dialect: &sqliteDialect, clock: s.clock}
}

// View is described at Store. The snapshot is taken by fn's first read.
func (s *SQLite) View(ctx context.Context, fn func(Reader) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failed(ctx, "begin a read transaction", err)
	}
	r := s.reader(ctx)
	r.session = sqliteSession{tx, nil}
	defer r.close()
	return fn(r)
}

// Listen is described at Store. There is no connection to lose: Reread comes once.
func (s *SQLite) Listen(ctx context.Context, fn func(Wake)) error { return s.bus.listen(ctx, fn) }

// failed wraps an error of the database. A transaction that the context ended says so.
func (s *SQLite) failed(ctx context.Context, doing string, err error) error {
	return fmt.Errorf("%s in the store in %s: %w", doing, s.dir, ended(ctx, err))
}

// Shared is described at Store: the folder is locked.
func (s *SQLite) Shared() bool { return false }

// Key is described at Store.
func (s *SQLite) Key(ctx context.Context, name string) ([]byte, error) {
	key, err := readKey(ctx, s.write, name)
	if err != nil {
		return nil, s.failed(ctx, "read key "+name, err)
	}
	return key, nil
}

// Ping is described at Store. A commit of the last proofAge is proof enough; else it commits one small write, which
// shows that the disk has room and the database answers.
func (s *SQLite) Ping(ctx context.Context) error {
	if err := s.ping(ctx, s.write); err != nil {
		return s.failed(ctx, "try a write", err)
	}
	return nil
}

// Close waits for transactions in progress, and gives the folder back.
func (s *SQLite) Close() error {
	s.at.Store(nil)
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if err := errors.Join(append(errs, s.lock.Close())...); err != nil {
		return fmt.Errorf("close the store in %s: %w", s.dir, err)
	}
	return nil
}
