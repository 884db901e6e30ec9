package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/opencopilot/handoff-operator/internal/runtime/server"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	path, copilot, dataDir, addr, adminAddr string
	verbose                                 bool
}

func newServe() *cobra.Command {
	f := serveFlags{}
	c := &cobra.Command{
		Use:   "serve -f DIR",
		Short: "Serve a Copilot on this machine straight from its manifests, without a cluster",
		Long: `Serve a Copilot on this machine straight from its manifests: the operator's compiler and the same runtime,
with its store in a directory. Files that change are read again.

Without --data-dir the conversations are in a temporary directory, which is removed at the end, also when the terminal
closes. kill -9 leaves it behind.

Secrets come from the manifests, or key by key from environment variables HANDOFF_SECRET_<NAME>_<KEY>, in upper case
and with _ for everything but letters and digits: key apiKey of Secret acme-model is HANDOFF_SECRET_ACME_MODEL_APIKEY.`,
		Example: "  kubectl handoff serve -f tenant/\n  kubectl handoff serve -f tenant.yaml --data-dir ./conversations",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), f, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&f.path, "filename", "f", "", "directory or file with the manifests")
	c.Flags().StringVar(&f.copilot, "copilot", "", "name of the Copilot to serve, as name or namespace/name; needed if the manifests have several")
	c.Flags().StringVar(&f.dataDir, "data-dir", "", "directory that keeps the conversations; without it they are gone at the end")
	c.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8080", "address for customers and agents; port 0 takes a free one")
	c.Flags().StringVar(&f.adminAddr, "admin-addr", "127.0.0.1:8081", "address for metrics and health; empty for none")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "log what happens")
	_ = c.MarkFlagRequired("filename")
	return c
}

func serve(ctx context.Context, f serveFlags, out, errOut io.Writer) (err error) {
	run, err := os.MkdirTemp("", "handoff-")
	if err != nil {
		return fmt.Errorf("make a directory for this run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(run)) }()
	data := f.dataDir
	if data == "" {
		data = run + "/data"
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	level := slog.LevelWarn
	if f.verbose {
		level = slog.LevelInfo
	}
	source := &Manifests{Path: f.path, Copilot: f.copilot, Lookup: os.LookupEnv, Out: errOut}
	err = server.Run(ctx, server.Options{
		DataDir: data, RunDir: run, Addr: f.addr, AdminAddr: f.adminAddr, Source: source, Loopback: true,
		Logger: slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: level})),
		Started: func(ctx context.Context, s server.Started) {
			if err := welcome(ctx, out, s, run, f.dataDir, question(source.first)); err != nil {
				_, _ = fmt.Fprintln(errOut, "The runtime is up, but:", err)
			}
		},
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; choose another with --addr and --admin-addr", err)
	}
	return err
}
