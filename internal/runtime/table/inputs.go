// Package table brings a runtime its inputs: the routing table with the Secrets and ConfigMaps that it names.
//
// They come from the cluster (Cluster) or from a file (File). Both check inputs before handing them on, hand on every
// later change, and keep serving what they have when something newer cannot be used.
package table

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Inputs are all that a runtime is configured with. They are never changed after they were made.
type Inputs struct {
	// Revision of Table as the operator computed it.
	Revision string
	// Version orders the tables of a cluster; the zero value, of a file, is in no order.
	Version Version
	Table   *routing.Table
	// ConfigMaps and Secrets are contents by name and key. One that does not exist is absent.
	ConfigMaps map[string]map[string]string
	Secrets    map[string]map[string][]byte
}

// Version is which of a RoutingTable's contents a table is: when the object was made, and its generation.
type Version struct {
	Created    time.Time `json:"created,omitzero"`
	Generation int64     `json:"generation,omitempty"`
}

// Use puts inputs to work. An error refuses them: the caller of Use reports it, and the inputs before stay in use.
type Use func(context.Context, Inputs) error

// document is the JSON form of Inputs: the saved last good inputs, and what a File source reads.
type document struct {
	// Checksum is the SHA-256 of the document with this field empty. It may be left out of a file written by hand.
	Checksum string `json:"checksum,omitempty"`
	// Revision may be left out of a file written by hand.
	Revision   string                       `json:"revision,omitempty"`
	Version    Version                      `json:"version,omitzero"`
	Table      json.RawMessage              `json:"table"`
	ConfigMaps map[string]map[string]string `json:"configMaps,omitempty"`
	// Secrets hold their values in base64.
	Secrets map[string]map[string][]byte `json:"secrets,omitempty"`
}

// inputs checks the document's table and returns it with its contents.
func (d *document) inputs() (Inputs, error) {
	t, err := decodeTable(d.Table)
	if err != nil {
		return Inputs{}, err
	}
	revision := d.Revision
	if revision == "" {
		revision = routing.Revision(t)
	}
	if err := checkTable(t, d.Table, revision); err != nil {
		return Inputs{}, err
	}
	return Inputs{Revision: revision, Version: d.Version, Table: t, ConfigMaps: d.ConfigMaps, Secrets: d.Secrets}, nil
}

// encode returns the document of in. The same inputs give the same bytes.
func encode(in Inputs, raw json.RawMessage) ([]byte, error) {
	d := document{Revision: in.Revision, Version: in.Version, Table: raw, ConfigMaps: in.ConfigMaps, Secrets: in.Secrets}
	out, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode inputs of revision %s: %w", in.Revision, err)
	}
	return out, nil
}

// decodeTable reads a table's JSON. Fields it does not know are passed over: a newer operator may add one under the
// same format version only if a runtime that ignores it still does right; what must not be ignored raises the version.
func decodeTable(raw []byte) (*routing.Table, error) {
	if len(raw) == 0 {
		return nil, errors.New("table: missing")
	}
	t := &routing.Table{}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	return t, nil
}

// checkTable says why t, read from raw, cannot be used as the given revision.
func checkTable(t *routing.Table, raw []byte, revision string) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	if got := routing.Revision(t); got != revision && !hasUnknownFields(raw) {
		return fmt.Errorf("revision: %q does not belong to this table, whose revision is %q: it was edited or cut; "+
			"the operator has to write it again", revision, got)
	}
	return nil
}

// hasUnknownFields reports whether raw has fields that this release does not know. The revision covers them too, so it
// cannot be recomputed here.
func hasUnknownFields(raw []byte) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(&routing.Table{}) != nil
}
