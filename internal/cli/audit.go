package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// auditTimeout bounds reading a whole database.
const auditTimeout = time.Hour

type auditFlags struct{ data, dsn, schema, log, save string }

func newAudit() *cobra.Command {
	f := auditFlags{}
	c := &cobra.Command{
		Use:   "audit (--data PATH | --dsn DSN --schema NAME | --log FILE)",
		Short: "Prove from what a runtime wrote down that its promises were kept",
		Long: `Read every conversation's log, the outbox and the presences of a store, or of a log that was exported, and check
each promise that they can show: one owner at a time, an AI that is silent while a human has the conversation, handoffs
that were written before anybody was told, once, no offer beyond capacity or to the absent, each message once, a fresh
window after a human, an outbox in order. Each violation is a line; there is none after a clean run.

The store may be in use: it is read as of one instant, and nothing is written.`,
		Example: "  kubectl handoff audit --data ./conversations\n  kubectl handoff audit --dsn \"$DSN\" --schema handoff_support_acme_1a2b3c4d\n  kubectl handoff audit --log customer.ndjson",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAudit(c.Context(), f, c.OutOrStdout()) },
	}
	c.Flags().StringVar(&f.data, "data", "", "data folder of a runtime with SQLite, or the file of a backup")
	c.Flags().StringVar(&f.dsn, "dsn", "", "DSN of the PostgreSQL database")
	c.Flags().StringVar(&f.schema, "schema", "", "schema of the Copilot in it")
	c.Flags().StringVar(&f.log, "log", "", "file with an exported log; - for the standard input")
	c.Flags().StringVar(&f.save, "save", "", "also export the log of the store to this file")
	c.MarkFlagsOneRequired("data", "dsn", "log")
	c.MarkFlagsMutuallyExclusive("data", "dsn", "log")
	c.MarkFlagsRequiredTogether("dsn", "schema")
	c.MarkFlagsMutuallyExclusive("log", "save")
	return c
}

func runAudit(ctx context.Context, f auditFlags, out io.Writer) error {
	a, conversations := &audit.Auditor{}, 0
	into := export.Into(a)
	count := func(l export.Line) error {
		if l.Log != nil {
			conversations++
		}
		return into(l)
	}
	if err := readLog(ctx, f, count); err != nil {
		return err
	}
	found := a.Result()
	for _, v := range found {
		if _, err := fmt.Fprintln(out, v); err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%d violations in %d conversations", len(found), conversations)
	}
	_, err := fmt.Fprintf(out, "%d conversations, %d rules, no violation\n", conversations, len(audit.Rules))
	return err
}

// readLog calls fn for each line of what is to be audited.
func readLog(ctx context.Context, f auditFlags, fn func(export.Line) error) error {
	if f.log == "-" {
		return export.Read(os.Stdin, fn)
	}
	if f.log != "" {
		file, err := os.Open(f.log)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		return errors.Join(export.Read(file, fn), file.Close())
	}
	s, err := openViewer(ctx, f)
	if err != nil {
		return err
	}
	if f.save == "" {
		return errors.Join(export.Store(ctx, s, fn), s.Close())
	}
	file, err := os.OpenFile(f.save, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.Join(fmt.Errorf("export the log: %w", err), s.Close())
	}
	return errors.Join(export.Store(ctx, s, export.Tee(file, fn)), file.Close(), s.Close())
}

func openViewer(ctx context.Context, f auditFlags) (store.Viewer, error) {
	if f.data != "" {
		return store.ReadSQLite(ctx, f.data)
	}
	return store.OpenPostgres(ctx, store.PostgresOptions{DSN: f.dsn, Schema: f.schema, ReadOnly: true, Timeout: auditTimeout})
}
