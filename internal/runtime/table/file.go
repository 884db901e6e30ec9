package table

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// File brings inputs from one file in JSON or YAML, and again whenever it changes. Its form is that of the inputs that a
// Cluster saves:
//
//	table: {...}                     # as in spec.table of a RoutingTable
//	revision: ...                    # may be left out
//	configMaps: {name: {key: text}}
//	secrets: {name: {key: base64}}
type File struct {
	Path    string
	Log     *slog.Logger
	Metrics *Metrics
}

// Run calls use for the file's inputs and for every change of them, until ctx ends, and returns nil then. Only what is
// wrong at the start is an error: a later edit that cannot be used is logged, and the inputs before stay in use.
func (f *File) Run(ctx context.Context, use Use) error {
	changes, err := WatchFiles(filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	defer changes.Close()
	content, err := f.load(ctx, nil, use)
	if err != nil {
		return err
	}
	for {
		if err := changes.Next(ctx); err != nil {
			return ignoreEnd(ctx, err)
		}
		content, err = f.load(ctx, content, use)
		if err != nil && ctx.Err() == nil {
			f.Metrics.refused.Inc()
			f.Log.ErrorContext(ctx, "refused an edit, what is in use stays in use", "error", err)
		}
	}
}

// load uses the file's content if it differs from before, and returns it.
func (f *File) load(ctx context.Context, before []byte, use Use) ([]byte, error) {
	content, err := os.ReadFile(f.Path)
	if err != nil {
		return before, fmt.Errorf("read inputs: %w", err)
	}
	f.Metrics.touch()
	if bytes.Equal(before, content) {
		return content, nil
	}
	in, err := parse(content)
	if err != nil {
		return content, fmt.Errorf("inputs %s: %w", f.Path, err)
	}
	if err := use(ctx, in); err != nil {
		return content, fmt.Errorf("inputs %s: %w", f.Path, err)
	}
	f.Metrics.use(in.Revision)
	f.Log.InfoContext(ctx, "using new inputs", "revision", in.Revision, "file", f.Path)
	return content, nil
}

// parse reads a document. Unlike a RoutingTable it was written by hand, so an unknown field beside the table is a mistake.
func parse(content []byte) (Inputs, error) {
	d := document{}
	if err := yaml.UnmarshalStrict(content, &d); err != nil {
		return Inputs{}, err
	}
	if err := d.verify(); err != nil {
		return Inputs{}, err
	}
	return d.inputs()
}
