package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Viewer is a store that is only read.
type Viewer interface {
	View(ctx context.Context, fn func(Reader) error) error
	Close() error
}

// ReadSQLite opens a database to read it: the folder of a store, also of one in use, or the file of a backup.
func ReadSQLite(ctx context.Context, path string) (Viewer, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, databaseFile)
		_, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open a store to read it: %w; give the data folder of a runtime, or the file of a backup", err)
	}
	s := &SQLite{dir: filepath.Dir(path), clock: time.Now}
	if s.read, err = connect(path, readers, url.Values{"mode": {"ro"}, "_pragma": {busyTimeout}}); err != nil {
		return nil, err
	}
	if err := s.read.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in %s to read it: %w", path, err), s.read.Close())
	}
	return reading{s}, nil
}

// reading is a SQLite without a lock and a writer.
type reading struct{ *SQLite }

func (r reading) Close() error { return r.read.Close() }
