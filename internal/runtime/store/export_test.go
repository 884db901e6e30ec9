package store

import (
	"context"
	"io/fs"
	"time"
)

// SetSilence sets how long the listening connection may say nothing before it is asked whether it is alive.
func (s *Postgres) SetSilence(d time.Duration) { s.silence = d }

// Migrate brings the schema to other migrations, as another release would.
func (s *Postgres) Migrate(ctx context.Context, files fs.FS) error { return s.migrate(ctx, files) }

// Migrations are those of this release.
func Migrations() (fs.FS, error) { return fs.Sub(migrations, "migrations/postgres") }

// ResetConnections lets no connection be used again.
func (s *Postgres) ResetConnections() { s.pool.Reset() }
