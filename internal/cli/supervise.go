package cli

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/podlink"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
)

// reachFlags say which runtime to ask, and as whom.
type reachFlags struct {
	as, namespace, kubeconfig, context, runDir, url string
}

func (f *reachFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.as, "as", "", "e-mail address of the supervisor who asks: what they do is in the audit trail")
	c.Flags().StringVarP(&f.namespace, "namespace", "n", "", "namespace of the Copilot; the kubeconfig's by default")
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "path of the kubeconfig to use")
	c.Flags().StringVar(&f.context, "context", "", "context of the kubeconfig to use")
	c.Flags().StringVar(&f.runDir, "run-dir", "", "ask a runtime of this machine, such as `kubectl handoff serve` prints, by its directory")
	c.Flags().StringVar(&f.url, "url", "", "address of the runtime of this machine, with --run-dir; the one it serves by default")
	_ = c.MarkFlagRequired("as")
}

// signedIn signs the supervisor in and calls use.
func (f *reachFlags) signedIn(ctx context.Context, copilot string, use func(*client.Agent) error) error {
	in := func(base, code string) error {
		who, err := client.SignIn(ctx, http.DefaultClient, base, code)
		if err != nil {
			return err
		}
		return use(who)
	}
	if f.runDir != "" {
		s, err := readServed(f.runDir)
		if err == nil {
			err = s.check(copilot, f.runDir)
		}
		if err != nil {
			return err
		}
		code, err := server.RequestLogin(ctx, f.runDir, f.as)
		if err != nil {
			return err
		}
		return in(cmp.Or(f.url, s.URL), code.Code)
	}
	if copilot == "" {
		return errors.New("name the Copilot, or give --run-dir for a runtime of this machine")
	}
	pod, err := podlink.Find(ctx, podlink.Options{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace}, copilot)
	if err != nil {
		return err
	}
	code, err := pod.Mint(ctx, f.as)
	if err != nil {
		return err
	}
	return pod.Forward(ctx, 0, func(base string) error { return in(base, code.Code) })
}

// request is what a command asks a runtime.
type request struct {
	method, path string
	in           any
}

// asking makes a command that asks a runtime and prints its answer. build is called when the flags are known.
func asking(use, short, example string, flags func(*cobra.Command), build func() request) *cobra.Command {
	f := reachFlags{}
	c := &cobra.Command{
		Use: use, Short: short, Example: example, Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r := build()
			return f.signedIn(c.Context(), strings.Join(args, ""), func(who *client.Agent) error {
				return who.Ask(c.Context(), r.method, r.path, r.in, c.OutOrStdout())
			})
		},
	}
	f.add(c)
	flags(c)
	return c
}

// query encodes parameters that are set.
func query(path string, params map[string]string) string {
	q := url.Values{}
	for name, value := range params {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func newRecords() *cobra.Command {
	c := &cobra.Command{Use: "records", Short: "Figures, the audit trail, and what is kept of a customer"}
	c.AddCommand(newReport(), newTrail(), newExport(), newErase())
	return c
}

func newReport() *cobra.Command {
	var from, to string
	var threshold int
	return asking("report COPILOT --as EMAIL", "Service level, speed of answer, handling time, abandonment and occupancy of a period",
		"  kubectl handoff records report acme --as lead@acme.example --from 2026-03-02T00:00:00Z",
		func(c *cobra.Command) {
			c.Flags().StringVar(&from, "from", "", "begin of the period, in RFC 3339; a day before its end by default")
			c.Flags().StringVar(&to, "to", "", "end of the period; now by default")
			c.Flags().IntVar(&threshold, "threshold", 20, "seconds within which an answer meets the service level")
		},
		func() request {
			return request{http.MethodGet, query("/v1/supervisor/report", map[string]string{"from": from, "to": to, "threshold": strconv.Itoa(threshold)}), nil}
		})
}

func newTrail() *cobra.Command {
	var actor, conversation, from, to, after string
	return asking("trail COPILOT --as EMAIL", "What agents and supervisors did, up to 200 entries",
		"  kubectl handoff records trail acme --as lead@acme.example --actor alice@acme.example",
		func(c *cobra.Command) {
			c.Flags().StringVar(&actor, "actor", "", "e-mail address of who did it")
			c.Flags().StringVar(&conversation, "conversation", "", "id of the conversation")
			c.Flags().StringVar(&from, "from", "", "not before, in RFC 3339")
			c.Flags().StringVar(&to, "to", "", "before")
			c.Flags().StringVar(&after, "after", "", "go on behind this entry: \"next\" of the answer before")
		},
		func() request {
			return request{http.MethodGet, query("/v1/supervisor/audit", map[string]string{
				"actor": actor, "conversation": conversation, "from": from, "to": to, "after": after}), nil}
		})
}

// customerFlag is the flag that says which customer.
func customerFlag(key *string) func(*cobra.Command) {
	return func(c *cobra.Command) {
		c.Flags().StringVar(key, "customer", "", "the customer's id, e-mail address or phone number")
		_ = c.MarkFlagRequired("customer")
	}
}

func newExport() *cobra.Command {
	var key string
	return asking("export COPILOT --as EMAIL --customer KEY", "All that is kept of a customer, a line of JSON for each conversation",
		"  kubectl handoff records export acme --as lead@acme.example --customer ada@example.com > ada.ndjson",
		customerFlag(&key), func() request {
			return request{http.MethodPost, "/v1/supervisor/export", map[string]string{"customer": key}}
		})
}

func newErase() *cobra.Command {
	var key string
	return asking("erase COPILOT --as EMAIL --customer KEY", "Erase what a customer wrote, what was written to them, and who they are",
		"  kubectl handoff records erase acme --as lead@acme.example --customer ada@example.com",
		customerFlag(&key), func() request {
			return request{http.MethodPost, "/v1/supervisor/erase", map[string]string{"customer": key}}
		})
}

func newOutbox() *cobra.Command {
	c := &cobra.Command{Use: "outbox", Short: "What waits to be delivered, and what was given up"}
	var after string
	c.AddCommand(asking("list COPILOT --as EMAIL", "How much waits for each destination, and up to 200 dead letters",
		"  kubectl handoff outbox list acme --as lead@acme.example",
		func(c *cobra.Command) {
			c.Flags().StringVar(&after, "after", "", "go on behind this dead letter: \"next\" of the answer before")
		},
		func() request {
			return request{http.MethodGet, query("/v1/supervisor/outbox", map[string]string{"after": after}), nil}
		}))
	var id int64
	var destination string
	replay := asking("replay COPILOT --as EMAIL (--id ID | --destination NAME)", "Let dead letters be tried again, under the same keys and numbers",
		"  kubectl handoff outbox replay acme --as lead@acme.example --destination webhook/crm",
		func(c *cobra.Command) {
			c.Flags().Int64Var(&id, "id", 0, "one dead letter")
			c.Flags().StringVar(&destination, "destination", "", "all of a destination")
			c.MarkFlagsOneRequired("id", "destination")
			c.MarkFlagsMutuallyExclusive("id", "destination")
		},
		func() request {
			in := map[string]any{"id": id}
			if destination != "" {
				in = map[string]any{"destination": destination}
			}
			return request{http.MethodPost, "/v1/supervisor/outbox/replay", in}
		})
	c.AddCommand(replay)
	return c
}
