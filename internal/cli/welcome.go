package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"text/template"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
)

// What keeps people out, told at the start and after a reload that brought it about.
const (
	noAgents = "No AgentPool has an agent: nobody can take a handoff."
	noWayIn  = "No Channel of type Web names the Copilot: there is no way in for customers."
)

// welcomeText is printed once customers can be served.
var welcomeText = template.Must(template.New("welcome").Parse(`
Copilot {{.Copilot.Namespace}}/{{.Copilot.Name}} is served.

  Customers and agents  {{.URL}}
{{- if .AdminURL}}
  Metrics               {{.AdminURL}}/metrics{{end}}
  Conversations         {{if .DataDir}}kept in {{.DataDir}}{{else}}gone at the end; keep them with --data-dir{{end}}
  This run              {{.RunDir}}, removed at the end; kill -9 leaves it behind
{{if .Agents}}
Agents sign in with a link that works once and for five minutes; it answers with a token:
{{range .Agents}}
  {{.Email}}  {{.Link}}{{end}}

  A new link: {{.Login}}
{{else}}
{{.NoAgents}}
{{end}}
{{- if .Token}}
Try it as a customer:

  curl -s {{.URL}}/v1/conversations -d '{"token":"{{.Token}}"}'
  ID=...  TOKEN=...          # "id" and "token" of the answer
  curl -sN {{.URL}}/v1/conversations/$ID/events -H "Authorization: Bearer $TOKEN" -H 'Accept: text/event-stream' &
  curl -s {{.URL}}/v1/conversations/$ID/messages -H "Authorization: Bearer $TOKEN" -d '{"id":"m1","text":{{.Question}}}'
  curl -s {{.URL}}/v1/conversations/$ID/messages -H "Authorization: Bearer $TOKEN" -d '{"id":"m2","text":"I want to talk to a human."}'
{{if .Agents}}
and as an agent:

  AGENT=$({{.Login}} --token)
  curl -s -X PUT {{.URL}}/v1/agent/presence -H "Authorization: Bearer $AGENT" -d '{"state":"online"}'
  curl -s {{.URL}}/v1/agent/mine -H "Authorization: Bearer $AGENT"
  curl -s -X POST {{.URL}}/v1/agent/conversations/$ID/accept -H "Authorization: Bearer $AGENT"
  curl -s {{.URL}}/v1/agent/conversations/$ID/replies -H "Authorization: Bearer $AGENT" -d '{"id":"r1","text":"Hello, I am a human."}'
  curl -s -X POST {{.URL}}/v1/agent/conversations/$ID/resolve -H "Authorization: Bearer $AGENT"
{{end}}
{{- else}}
{{.NoWayIn}}
{{end}}
Ctrl-C ends it.
`))

type agentLink struct{ Email, Link string }

// welcome prints the addresses, a login link for each agent, and what to try, with ask as the example of a question.
// It leaves in runDir what login needs.
func welcome(ctx context.Context, out io.Writer, s server.Started, runDir, dataDir, ask string) error {
	t, err := s.Tenant.Table()
	if err != nil {
		return err
	}
	view := struct {
		Copilot                              routing.Copilot
		URL, AdminURL, Login, DataDir, Token string
		NoAgents, NoWayIn, RunDir, Question  string
		Agents                               []agentLink
	}{Copilot: t.Copilot, NoAgents: noAgents, NoWayIn: noWayIn, RunDir: runDir, Question: quoted(ask), Token: webToken(t), URL: "http://" + s.Addr, DataDir: dataDir}
	if s.AdminAddr != "" {
		view.AdminURL = "http://" + s.AdminAddr
	}
	if err := (served{URL: view.URL, Namespace: t.Copilot.Namespace, Name: t.Copilot.Name}).write(runDir); err != nil {
		return err
	}
	for _, email := range people(t) {
		code, _, err := s.Tenant.NewCode(ctx, email)
		if err != nil {
			return fmt.Errorf("make a login link for %s: %w", email, err)
		}
		view.Agents = append(view.Agents, agentLink{Email: email, Link: link(view.URL, code)})
	}
	if len(view.Agents) > 0 {
		// As this program was called: where there is no cluster there may be no kubectl.
		view.Login = fmt.Sprintf("%s login --run-dir %s --agent %s", os.Args[0], runDir, view.Agents[0].Email)
	}
	return welcomeText.Execute(out, view)
}

// webToken is the token of the first Channel that customers can write on, or empty.
func webToken(t *routing.Table) string {
	for _, ch := range t.Channels {
		if ch.Web != nil {
			return ch.Web.Token
		}
	}
	return ""
}

// people are the e-mail addresses of the table's agents, each once.
func people(t *routing.Table) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range t.Pools {
		for _, a := range p.Agents {
			if !seen[a.Email] {
				seen[a.Email] = true
				out = append(out, a.Email)
			}
		}
	}
	return out
}

// link is the address that signs an agent in with a one-time code.
func link(base, code string) string { return base + "/agent/login?code=" + url.QueryEscape(code) }
