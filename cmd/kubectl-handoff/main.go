// Command kubectl-handoff is the kubectl plugin of handoff-operator.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones of pools, on machines without them

	_ "golang.org/x/crypto/x509roots/fallback" // roots for model servers, on machines without them

	"github.com/opencopilot/handoff-operator/internal/cli"
)

// version is set at link time.
var version = "dev"

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := cli.New(version).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
