package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long files must be left alone before they are read: an editor or a checkout writes in several steps.
const quiet = 50 * time.Millisecond

// FileChanges tells of changes in directories. Directories are watched rather than files, since editors and
// Kubernetes' volumes replace files instead of writing to them.
type FileChanges struct{ watcher *fsnotify.Watcher }

// WatchFiles begins to watch directories, not what lies in directories below them. Close ends it.
func WatchFiles(dirs ...string) (*FileChanges, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("watch %s: %w", dir, err), w.Close())
		}
	}
	return &FileChanges{watcher: w}, nil
}

// Next waits until something changed since the last Next, or since WatchFiles, and has been left alone for a moment.
// Its error is ctx's, or that of a watch that ended. A change may be one of other files or of none.
func (c *FileChanges) Next(ctx context.Context) error {
	if err := c.event(ctx, nil); err != nil {
		return err
	}
	for {
		settled := time.NewTimer(quiet)
		err := c.event(ctx, settled.C)
		settled.Stop()
		if errors.Is(err, errQuiet) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var (
	errQuiet = errors.New("no change")
	errEnded = errors.New("watch files: ended")
)

// event waits for one event; errQuiet says that settled came first.
func (c *FileChanges) event(ctx context.Context, settled <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-settled:
		return errQuiet
	case _, open := <-c.watcher.Events:
		if !open {
			return errEnded
		}
		return nil
	case _, open := <-c.watcher.Errors:
		if !open {
			return errEnded
		}
		// Events were lost: reading everything again is what makes up for it.
		return nil
	}
}

// Close ends the watch.
func (c *FileChanges) Close() { _ = c.watcher.Close() }

// ignoreEnd turns the error of a wait that ended with ctx into nil.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
