package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// errNoFolder is why a runtime on PostgreSQL has nothing to copy.
var errNoFolder = errors.New("--data-dir is empty: the conversations are in PostgreSQL; use pg_dump and pg_restore with the Copilot's schema")

// backup is run inside the pod, beside the runtime.
func backup(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "backup", Short: "Write a copy of the conversations' store to the standard output, while a runtime uses it",
		Example: "  kubectl exec deploy/acme-handoff -c runtime -- /runtime backup > acme.db",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.dataDir == "" {
				return errNoFolder
			}
			return store.CopySQLite(c.Context(), f.dataDir, c.OutOrStdout())
		},
	}
}

// restore is run in a pod of its own that has the volume.
func restore(f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "restore", Short: "Put the copy of a store from the standard input in the place of the one that is there; no runtime may use it",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.dataDir == "" {
				return errNoFolder
			}
			n, aside, err := store.RestoreSQLite(c.Context(), f.dataDir, c.InOrStdin())
			if err != nil {
				return err
			}
			said := fmt.Sprintf("restored %d conversations", n)
			if aside != "" {
				said += "; what was there is in " + aside
			}
			_, err = fmt.Fprintln(c.ErrOrStderr(), said)
			return err
		},
	}
}
