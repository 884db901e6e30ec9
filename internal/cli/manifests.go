package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// Manifests brings a runtime the inputs that the operator would make of manifests: the same compiler, no cluster.
type Manifests struct {
	// Path is a file, or a directory of .yaml, .yml and .json files.
	Path string
	// Copilot is the name of the one to serve, or empty for the only one there is.
	Copilot string
	// Lookup finds environment variables, as os.LookupEnv does.
	Lookup func(string) (string, bool)
	// Out is told what is wrong with the manifests, and of every reload.
	Out io.Writer
}

// Run calls use for the inputs of the manifests, and again after a change of the files, until ctx ends; it returns nil
// then. What is wrong at the start is an error; a later change that cannot be used is told, and what is in use stays.
func (m *Manifests) Run(ctx context.Context, use table.Use) error {
	dir, err := m.dir()
	if err != nil {
		return err
	}
	changes, err := table.WatchFiles(dir)
	if err != nil {
		return err
	}
	defer changes.Close()
	current, err := m.load()
	if err != nil {
		return err
	}
	if err := use(ctx, current); err != nil {
		return err
	}
	broken := false
	for {
		if err := changes.Next(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
		next, err := m.load()
		changed := !reflect.DeepEqual(next, current)
		if err == nil && changed {
			err = use(ctx, next)
		}
		switch {
		case err != nil:
			m.say("Not reloaded, what was there before stays in use: %v", err)
		case changed:
			current = next
			m.say("Reloaded.")
		case broken:
			m.say("The manifests can be used again, and are what is in use.")
		}
		broken = err != nil
	}
}

func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// dir is the directory to watch.
func (m *Manifests) dir() (string, error) {
	info, err := os.Stat(m.Path)
	if err != nil {
		return "", fmt.Errorf("read manifests: %w", err)
	}
	if info.IsDir() {
		return m.Path, nil
	}
	return filepath.Dir(m.Path), nil
}

// load compiles the manifests and tells what is wrong with them.
func (m *Manifests) load() (table.Inputs, error) {
	objects, err := manifest.Load(m.Path)
	if err != nil {
		return table.Inputs{}, err
	}
	snapshot, err := objects.Snapshot(m.Copilot)
	if err != nil {
		return table.Inputs{}, err
	}
	addSecrets(objects, snapshot, m.Lookup)
	// Again, now that the Secrets are complete.
	if snapshot, err = objects.Snapshot(m.Copilot); err != nil {
		return table.Inputs{}, err
	}
	t, problems := routing.Compile(snapshot)
	m.tell(objects, snapshot, problems)
	if t == nil {
		return table.Inputs{}, fmt.Errorf("serve Copilot %s: %w", snapshot.Copilot.Name, joined(problems))
	}
	if err := t.Validate(); err != nil {
		return table.Inputs{}, fmt.Errorf("the routing table of Copilot %s: %w", snapshot.Copilot.Name, err)
	}
	in := table.Inputs{Revision: routing.Revision(t), Table: t}
	in.Secrets, in.ConfigMaps = objects.Contents(t)
	return in, nil
}

// tell prints what a cluster would show as conditions.
func (m *Manifests) tell(objects *manifest.Objects, s routing.Snapshot, problems []routing.Problem) {
	for _, name := range objects.Ignored {
		m.say("Ignored: %s: not a kind that a Copilot is made of", name)
	}
	for _, p := range problems {
		word := "Problem"
		if p.Condition == v1alpha1.ConditionServed {
			word = "Warning"
		}
		m.say("%s: %v", word, p)
	}
	missing := missingSecrets(s)
	slices.Sort(missing)
	if len(missing) > 0 {
		m.say("Secrets that are not in the manifests can be given by environment variables: %s", strings.Join(missing, " "))
	}
}

func (m *Manifests) say(format string, args ...any) { _, _ = fmt.Fprintf(m.Out, format+"\n", args...) }

// joined returns the problems that keep an object from being used, as one error.
func joined(problems []routing.Problem) error {
	var errs []error
	for _, p := range problems {
		if p.Condition == v1alpha1.ConditionAccepted {
			errs = append(errs, p)
		}
	}
	return errors.Join(errs...)
}
