package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	// copyPattern names the folders in which copies are made.
	copyPattern = "backup-*"
	// restoring is the file that a restore writes, and replacedFile the database that it put aside.
	restoring    = "restore.tmp"
	replacedFile = databaseFile + ".replaced"
)

// Backup writes a copy of the database to a file that does not exist, as of one instant, while the store is in use.
// The copy has everything that was committed before the call.
func (s *SQLite) Backup(ctx context.Context, file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // VACUUM INTO takes an empty file as it is, with its mode
	if err != nil {
		return fmt.Errorf("back the store in %s up: %w", s.dir, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("back the store in %s up: %w", s.dir, err)
	}
	if _, err := s.read.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return s.failed(ctx, "back up to "+file, err)
	}
	return nil
}

// CopySQLite writes a copy of the database in the data folder of a store, also of one in use by another process, as of
// one instant. The copy is made in the folder first, which needs as much room again.
func CopySQLite(ctx context.Context, dir string, to io.Writer) (err error) {
	v, err := ReadSQLite(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	temporary, err := os.MkdirTemp(dir, copyPattern)
	if err != nil {
		return fmt.Errorf("back the store in %s up: %w", dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	file := filepath.Join(temporary, databaseFile)
	if err := v.(reading).Backup(ctx, file); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("back the store in %s up: %w", dir, err)
	}
	defer func() { _ = f.Close() }() // it was read only
	if _, err := io.Copy(to, f); err != nil {
		return fmt.Errorf("write the copy of the store in %s: %w", dir, err)
	}
	return nil
}

// removeCopies removes what processes left that were killed while they made a copy.
func removeCopies(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, copyPattern))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// RestoreSQLite puts a copy in the place of the database in a folder that no process uses, and says how many
// conversations it has. What was there is put aside. A copy that is not whole changes nothing. If the process is killed,
// restore again before a store is opened.
func RestoreSQLite(ctx context.Context, dir string, from io.Reader) (conversations int, aside string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, "", fmt.Errorf("make data folder %s: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = lock.Close() }()
	file := filepath.Join(dir, restoring)
	defer func() { _ = os.Remove(file) }() // after a success it is not there
	if err := writeDurably(file, from); err != nil {
		return 0, "", fmt.Errorf("write what is to be restored: %w", err)
	}
	if conversations, err = check(ctx, file); err != nil {
		return 0, "", fmt.Errorf("what is to be restored is not a whole copy of a store: %w; make the backup again", err)
	}
	if aside, err = putAside(dir); err != nil {
		return 0, "", fmt.Errorf("put the database in %s aside: %w", dir, err)
	}
	if err := os.Rename(file, filepath.Join(dir, databaseFile)); err != nil {
		return 0, "", fmt.Errorf("put the copy in its place: %w", err)
	}
	return conversations, aside, syncDir(dir)
}

func writeDurably(file string, from io.Reader) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

// check reads the whole of a copy.
func check(ctx context.Context, file string) (conversations int, err error) {
	v, err := ReadSQLite(ctx, file)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	db := v.(reading).read
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found); err != nil {
		return 0, err
	}
	if found != "ok" {
		return 0, errors.New(found)
	}
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM conversations`).Scan(&conversations)
	return conversations, err
}

// putAside renames a database with its log, the log first: beside another database it would be taken for that one's.
func putAside(dir string) (aside string, err error) {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(filepath.Join(dir, databaseFile+suffix), filepath.Join(dir, replacedFile+suffix))
		switch {
		case err == nil:
			aside = filepath.Join(dir, replacedFile)
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
	}
	return aside, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
