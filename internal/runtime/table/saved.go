package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// savedName is the file of a run directory that holds the last good inputs.
const savedName = "inputs.json"

// save replaces the last good inputs in dir by doc, whole or not at all. The file is readable by its owner only, since
// it holds Secrets; dir should be backed by memory.
func save(dir string, doc []byte) error {
	d := document{}
	if err := json.Unmarshal(doc, &d); err != nil {
		return fmt.Errorf("save inputs: %w", err)
	}
	d.Checksum = checksum(doc)
	sealed, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("save inputs: %w", err)
	}
	path := filepath.Join(dir, savedName)
	// A fixed name: a process killed here leaves one file behind, not one each time.
	if err := writeFile(path+".new", sealed); err != nil {
		return fmt.Errorf("save inputs: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("save inputs: %w", err)
	}
	return nil
}

func writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// loadSaved returns the last good inputs of dir. It returns fs.ErrNotExist if there are none, and another error if they
// cannot be used.
func loadSaved(dir string) (Inputs, json.RawMessage, error) {
	path := filepath.Join(dir, savedName)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Inputs{}, nil, err
	}
	if err != nil {
		return Inputs{}, nil, fmt.Errorf("read saved inputs: %w", err)
	}
	d := document{}
	if err := json.Unmarshal(content, &d); err != nil {
		return Inputs{}, nil, fmt.Errorf("saved inputs %s: %w", path, err)
	}
	sum := d.Checksum
	if err := d.verify(); err != nil {
		return Inputs{}, nil, fmt.Errorf("saved inputs %s: %w", path, err)
	}
	if sum == "" {
		return Inputs{}, nil, fmt.Errorf("saved inputs %s: checksum: missing", path)
	}
	in, err := d.inputs()
	if err != nil {
		return Inputs{}, nil, fmt.Errorf("saved inputs %s: %w", path, err)
	}
	return in, d.Table, nil
}

// verify checks and removes the checksum, if there is one.
func (d *document) verify() error {
	sum := d.Checksum
	if sum == "" {
		return nil
	}
	d.Checksum = ""
	plain, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if got := checksum(plain); got != sum {
		return fmt.Errorf("checksum: is %s, the content has %s; remove the field to use an edited file", sum, got)
	}
	return nil
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
