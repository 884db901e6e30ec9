package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/podlink"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
)

// redeemTimeout bounds exchanging a code for a token.
const redeemTimeout = 15 * time.Second

// loginFlags are the flags of login.
type loginFlags struct {
	agent, namespace, kubeconfig, context string
	port                                  int
	token                                 bool
	runDir, url                           string
}

func newLogin() *cobra.Command {
	f := loginFlags{}
	c := &cobra.Command{
		Use:   "login COPILOT --agent EMAIL",
		Short: "Sign an agent in: print a link that works once, or with --token an access token",
		Long: `Sign an agent in to a Copilot's inbox. The one-time code is made inside a runtime pod, so whoever may run commands
in the Copilot's pods may sign in as any of its agents: the command needs the rights to list pods, and to get and create
pods/exec and pods/portforward, in the Copilot's namespace.

Without --token it prints a link on this machine and forwards a local port to the runtime until Ctrl-C.`,
		Example: "  kubectl handoff login acme --agent alice@acme.example -n support\n  TOKEN=$(kubectl handoff login acme --agent alice@acme.example --token)",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if f.runDir != "" {
				return loginLocal(c.Context(), f, strings.Join(args, ""), c.OutOrStdout())
			}
			if len(args) != 1 {
				return errors.New("name the Copilot: kubectl handoff login COPILOT --agent EMAIL")
			}
			return loginCluster(c.Context(), f, args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&f.agent, "agent", "", "e-mail address of the agent, as in an AgentPool")
	c.Flags().StringVarP(&f.namespace, "namespace", "n", "", "namespace of the Copilot; the kubeconfig's by default")
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "path of the kubeconfig to use")
	c.Flags().StringVar(&f.context, "context", "", "context of the kubeconfig to use")
	c.Flags().IntVar(&f.port, "port", 0, "local port to forward; a free one by default")
	c.Flags().BoolVar(&f.token, "token", false, "print an access token instead of a link, and end")
	c.Flags().StringVar(&f.runDir, "run-dir", "", "sign in to a runtime of this machine, such as `kubectl handoff serve` prints, by its directory")
	c.Flags().StringVar(&f.url, "url", "", "address of the runtime of this machine, with --run-dir; the one it serves by default")
	_ = c.MarkFlagRequired("agent")
	return c
}

// loginLocal signs in to a runtime of this machine. An empty copilot is whichever it serves.
func loginLocal(ctx context.Context, f loginFlags, copilot string, out io.Writer) error {
	if f.url == "" || copilot != "" {
		s, err := readServed(f.runDir)
		if err != nil {
			return err
		}
		if err := s.check(copilot, f.runDir); err != nil {
			return err
		}
		f.url = cmp.Or(f.url, s.URL)
	}
	code, err := server.RequestLogin(ctx, f.runDir, f.agent)
	if err != nil {
		return err
	}
	if f.token {
		return printToken(ctx, out, f.url, code.Code)
	}
	_, err = fmt.Fprintln(out, link(f.url, code.Code))
	return err
}

// loginCluster signs in to a Copilot's runtime in a cluster.
func loginCluster(ctx context.Context, f loginFlags, copilot string, out, errOut io.Writer) error {
	pod, err := podlink.Find(ctx, podlink.Options{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace}, copilot)
	if err != nil {
		return err
	}
	code, err := pod.Mint(ctx, f.agent)
	if err != nil {
		return err
	}
	return pod.Forward(ctx, f.port, func(base string) error {
		if f.token {
			return printToken(ctx, out, base, code.Code)
		}
		if _, err := fmt.Fprintln(out, link(base, code.Code)); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(errOut, "The link works once, until %s. Forwarding %s to pod %s; Ctrl-C ends it.\n",
			code.ExpiresAt.Local().Format(time.TimeOnly), base, pod.Name())
		return pod.Wait(ctx)
	})
}

// printToken exchanges a one-time code for an agent's token.
func printToken(ctx context.Context, out io.Writer, base, code string) error {
	agent, err := client.SignIn(ctx, &http.Client{Timeout: redeemTimeout}, base, code)
	if err != nil {
		return fmt.Errorf("redeem the login code at %s: %w", base, err)
	}
	_, err = fmt.Fprintln(out, agent.Token())
	return err
}
