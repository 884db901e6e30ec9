package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	databaseFile = "handoff.db"
	// busyTimeout is for the moment in which a checkpoint or a connection that is being closed holds a lock; there is
	// one writer.
	busyTimeout = "busy_timeout(5000)"
	// readers bounds the read connections. Each keeps a page cache of 2 MB.
	readers = 8
	keySize = 32
	// proofAge is how long a commit shows that the store is usable. A write only to ask that would queue behind all
	// others, and fail its asker when the store is busiest, not when it is broken.
	proofAge = 10 * time.Second
)

//go:embed migrations/*.sql
var migrations embed.FS

// SQLite is the Store of one process on a local folder. What Update committed survives a crash of the process and of
// the machine.
type SQLite struct {
	dir  string
	lock *os.File
	// write has one connection, so that write transactions queue in the process and in order.
	write *sql.DB
	read  *sql.DB
	// proven is when the last write was committed; nil if one has failed since, or none was tried.
	proven atomic.Pointer[time.Time]
	now    func() time.Time
}

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the database in a folder, makes both where they do not exist, and brings the schema up to date. It
// fails if another process has the folder open.
func OpenSQLite(ctx context.Context, dir string) (*SQLite, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder %s: %w", dir, err)
	}
	s := &SQLite{dir: dir, now: time.Now}
	if s.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
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
	files, err := fs.Sub(migrations, "migrations")
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
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		s.doubt(ctx, err)
		return s.failed(ctx, "begin a write transaction", err)
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	w := &sqliteTx{sqliteReader: sqliteReader{ctx, tx}}
	err = fn(w)
	s.doubt(ctx, w.err)
	if err != nil {
		return err
	}
	if w.err != nil {
		return fmt.Errorf("not committed, since a write in it failed: %w", w.err)
	}
	if err := tx.Commit(); err != nil {
		s.doubt(ctx, err)
		return s.failed(ctx, "commit", err)
	}
	if w.wrote {
		s.prove()
	}
	return nil
}

// View is described at Store. The snapshot is taken by fn's first read.
func (s *SQLite) View(ctx context.Context, fn func(Reader) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return s.failed(ctx, "begin a read transaction", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(sqliteReader{ctx, tx})
}

// failed wraps an error of the database. A transaction that the context ended says so.
func (s *SQLite) failed(ctx context.Context, doing string, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("%s in the store in %s: %w", doing, s.dir, err)
}

// Key is described at Store.
func (s *SQLite) Key(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, keySize)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	var key []byte
	err := s.write.QueryRowContext(ctx, `INSERT INTO keys (name, key) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET name = name RETURNING key`, name, fresh).Scan(&key)
	if err != nil {
		return nil, s.failed(ctx, "read key "+name, err)
	}
	return key, nil
}

// Ping is described at Store. A commit of the last proofAge is proof enough; else it commits one small write, which
// shows that the disk has room and the database answers.
func (s *SQLite) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return s.failed(ctx, "try a write", err)
	}
	if at := s.proven.Load(); at != nil && s.now().Sub(*at) < proofAge {
		return nil
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO pings (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1`)
	if err != nil {
		return s.failed(ctx, "try a write", err)
	}
	s.prove()
	return nil
}

// prove notes that a write was committed.
func (s *SQLite) prove() {
	now := s.now()
	s.proven.Store(&now)
}

// doubt forgets what was proven if err, the failure of a write, may be the disk's. Callers who left and writes that do
// not fit what is stored are common, and say nothing of the disk.
func (s *SQLite) doubt(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil ||
		errors.Is(err, ErrDuplicate) || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return
	}
	s.proven.Store(nil)
}

// Close waits for transactions in progress, and gives the folder back.
func (s *SQLite) Close() error {
	s.proven.Store(nil)
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
