package client

import (
	"context"
	"fmt"
	"io"
)

// Ask sends a supervisor's request, with in as JSON (nil for none), and copies the answer to out as it comes.
func (a *Agent) Ask(ctx context.Context, method, path string, in any, out io.Writer) error {
	resp, err := a.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("the answer to %s %s broke off, what came of it is not all: %w", method, path, err)
	}
	return nil
}
