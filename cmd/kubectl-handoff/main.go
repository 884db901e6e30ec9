// Command kubectl-handoff is the kubectl plugin of handoff-operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), ends...)
	defer cancel()
	// A reader of the output that goes away must not kill the process before it has cleaned up. The signal itself says
	// nothing: it also comes when a customer hangs up. So it is taken and dropped, and failed writes end the command.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	c := cli.New(version)
	c.SetOut(output{os.Stdout, cancel})
	c.SetErr(output{os.Stderr, cancel})
	if err := c.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// output calls gone when nobody reads any more.
type output struct {
	io.Writer
	gone func()
}

func (o output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		o.gone()
	}
	return n, err
}
