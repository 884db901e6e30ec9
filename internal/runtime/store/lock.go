package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile is locked by the process that uses the folder. The lock ends with the process, however it ends.
const lockFile = "handoff.lock"

// lockDir takes a folder for this process. Closing the file gives it back.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of data folder %s: %w; the process needs to write there", dir, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("data folder %s is in use by another process; stop that one, or give this one a folder of its own", dir)
	}
	return nil, fmt.Errorf("lock data folder %s: %w; the folder must be on a local file system or a volume that supports flock", dir, err)
}
