package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// servedFile is what serve leaves in its run directory for login.
const servedFile = "served.json"

// served says what a run directory's runtime serves, and where.
type served struct {
	// URL is its address, such as http://127.0.0.1:8080.
	URL string `json:"url"`
	// Namespace and Name are the Copilot's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

func (s served) write(runDir string) error {
	raw, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(runDir, servedFile), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the address for login: %w", err)
	}
	return nil
}

func readServed(runDir string) (s served, err error) {
	path := filepath.Join(runDir, servedFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("there is no %s: %s is not the --run-dir of a `kubectl handoff serve` that runs", path, runDir)
	}
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		return s, fmt.Errorf("read what is served: %w", err)
	}
	return s, nil
}

// check refuses a Copilot, as name or namespace/name, that is not the one served. An empty one is any.
func (s served) check(copilot, runDir string) error {
	full := s.Namespace + "/" + s.Name
	if copilot == "" || copilot == s.Name || copilot == full {
		return nil
	}
	return fmt.Errorf("%s runs Copilot %s, not %q; leave the name out or give another --run-dir", runDir, full, copilot)
}
