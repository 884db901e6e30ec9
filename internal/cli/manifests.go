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

	first table.Inputs // set before use is first called
	told  []string     // the last lines on what is wrong
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
	current, problems, err := m.load()
	m.tell(problems)
	if err != nil {
		return err
	}
	m.first = current
	if err := use(ctx, current); err != nil {
		return err
	}
	refused := ""
	for {
		if err := changes.Next(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
		next, problems, err := m.load()
		m.tell(problems)
		changed := err == nil && !reflect.DeepEqual(next, current)
		if changed {
			err = use(ctx, next)
		}
		switch {
		case err != nil && err.Error() != refused:
			m.say("Not reloaded, what was there before stays in use: %v", err)
		case err != nil:
		case changed:
			m.say("Reloaded.")
			m.tellGaps(current.Table, next.Table)
			current = next
		case refused != "":
			m.say("The manifests can be used again, and are what is in use.")
		}
		refused = ""
		if err != nil {
			refused = err.Error()
		}
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

// load compiles the manifests, and lists what is wrong with them, as lines; nil where they cannot be read.
func (m *Manifests) load() (table.Inputs, []string, error) {
	objects, err := manifest.Load(m.Path)
	if err != nil {
		return table.Inputs{}, nil, err
	}
	addSecrets(objects, m.Lookup)
	snapshot, err := objects.Snapshot(m.Copilot)
	if err != nil {
		return table.Inputs{}, nil, err
	}
	unreached, err := objects.Unreached(snapshot)
	if err != nil {
		return table.Inputs{}, nil, err
	}
	t, problems := routing.Compile(snapshot)
	told := lines(objects, snapshot, append(slices.Clone(problems), unreached...))
	if t == nil {
		return table.Inputs{}, told, fmt.Errorf("serve Copilot %s: %w", snapshot.Copilot.Name, joined(problems))
	}
	if err := t.Validate(); err != nil {
		return table.Inputs{}, told, fmt.Errorf("the routing table of Copilot %s: %w", snapshot.Copilot.Name, err)
	}
	if t.Copilot.Postgres != nil { // t is nobody else's yet
		t.Copilot.Postgres = nil
		told = append(told, "Warning: spec.storage: served from here the conversations are kept in the data directory, not in PostgreSQL")
	}
	in := table.Inputs{Revision: routing.Revision(t), Table: t}
	in.Secrets, in.ConfigMaps = objects.Contents(t)
	return in, told, nil
}

// lines are what a cluster would show as conditions. They are never nil.
func lines(objects *manifest.Objects, s routing.Snapshot, problems []routing.Problem) []string {
	out := []string{}
	for _, name := range objects.Ignored {
		out = append(out, fmt.Sprintf("Ignored: %s: not a kind that a Copilot is made of", name))
	}
	for _, p := range problems {
		word := "Problem"
		if p.Condition == v1alpha1.ConditionServed {
			word = "Warning"
		}
		out = append(out, fmt.Sprintf("%s: %v", word, p))
	}
	missing := missingSecrets(s)
	slices.Sort(missing)
	if len(missing) > 0 {
		out = append(out, "Secrets that are not in the manifests can be given by environment variables: "+strings.Join(missing, " "))
	}
	return out
}

// tell prints what is wrong, unless that was the last thing told: the output may go to a file of the very directory
// that is watched, and each line there is a change of it.
func (m *Manifests) tell(problems []string) {
	if problems == nil || slices.Equal(problems, m.told) {
		return
	}
	m.told = problems
	for _, line := range problems {
		m.say("%s", line)
	}
}

// tellGaps prints what keeps people out since a reload.
func (m *Manifests) tellGaps(before, now *routing.Table) {
	if webToken(now) == "" && webToken(before) != "" {
		m.say(noWayIn)
	}
	if len(people(now)) == 0 && len(people(before)) > 0 {
		m.say(noAgents)
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
