package cli_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/cli"
)

// both writes to two writers, as "2>&1 | tee" into a file does.
type both struct {
	io.Writer
	file *os.File
}

func (b both) Write(p []byte) (int, error) {
	if _, err := b.file.Write(p); err != nil {
		return 0, err
	}
	return b.Writer.Write(p)
}

func TestOutputIntoTheServedDirectoryDoesNotRepeatItself(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("displayName: Hello", "displayName: Hello\n  model: {baseURL: http://127.0.0.1:9/v1, name: m, apiKeySecretRef: {name: acme-model, key: api.key}}")
	edit("  policyRef:", "  inbox: {oidc: {issuerURL: https://login.example, clientID: x}}\n  policyRef:")
	log, err := os.Create(filepath.Join(dir, "serve.log"))
	must(t, err)
	defer func() { must(t, log.Close()) }()
	loads := make(chan struct{}, 1000)
	m := &cli.Manifests{Path: dir, Lookup: func(string) (string, bool) { loads <- struct{}{}; return "", false }}
	uses, said := runTo(t, m, func(w io.Writer) io.Writer { return both{w, log} })
	next(t, uses)
	said.await("Warning", "spec.inbox.oidc")
	for range 3 {
		for len(loads) > 0 {
			<-loads
		}
		edit("displayName: Hello", "displayName: Hello") // an event, and nothing new
		<-loads
	}
	edit("three working days", "four working days")
	said.await("Reloaded")
	content, err := os.ReadFile(log.Name())
	must(t, err)
	if n := strings.Count(string(content), "spec.inbox.oidc"); n != 1 {
		t.Errorf("the warning was told %d times:\n%s", n, content)
	}
}

func TestARefusalIsToldOnceUntilItIsAnother(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("displayName: Hello", "displayName: Hello\n  model: {baseURL: http://127.0.0.1:9/v1, name: m, apiKeySecretRef: {name: acme-model, key: api.key}}")
	loads := make(chan struct{}, 1000)
	uses, said := run(t, &cli.Manifests{Path: dir, Lookup: func(string) (string, bool) { loads <- struct{}{}; return "", false }})
	next(t, uses)
	edit("displayName: Hello", "displayName: unusable")
	said.await("Not reloaded", "cannot use that")
	for range 3 {
		for len(loads) > 0 {
			<-loads
		}
		edit("displayName: unusable", "displayName: unusable")
		<-loads
	}
	edit("displayName: unusable", "displayName: Hello")
	if line := said.await(); !strings.Contains(line, "can be used again") {
		t.Errorf("told again: %s", line)
	}
}

func TestWhatTheServedCopilotDoesNotReachIsCheckedToo(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("copilotRef: {name: hello}", "copilotRef: {name: helo}")
	const stray = `---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: AgentPool
metadata: {name: nights, namespace: other}
spec: {timeZone: Mars/Olympus, agents: [{name: eve, email: eve@hello.example}]}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: HandoffPolicy
metadata: {name: spare}
spec: {routes: [{name: all, targets: [{type: Pool, pool: {name: nobody}}]}]}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: Copilot
metadata: {name: goodbye}
spec: {displayName: Goodbye, policyRef: {name: absent}}
`
	must(t, os.WriteFile(filepath.Join(dir, "stray.yaml"), []byte(stray), 0o600))
	uses, said := run(t, &cli.Manifests{Path: dir, Copilot: "hello", Lookup: none})
	next(t, uses)
	said.await("Problem: Copilot goodbye: spec.policyRef.name", `"absent"`)
	said.await("Problem: Channel hello-web: spec.copilotRef.name: there is no Copilot \"helo\"", `did you mean "hello"?`)
	said.await("Problem: HandoffPolicy spare: spec.routes[0].targets[0].pool.name", `"nobody"`)
	said.await("Problem: AgentPool other/nights: spec.timeZone", "Mars/Olympus")
}

func TestAReloadTellsWhatItKeepsOut(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	uses, said := run(t, &cli.Manifests{Path: dir, Lookup: none})
	next(t, uses)
	edit("copilotRef: {name: hello}", "copilotRef: {name: bikes}")
	said.await("Problem: Channel hello-web", `"bikes"`)
	said.await("no way in for customers")
	edit("- {name: alice, email: alice@hello.example}\n    - {name: bob, email: bob@hello.example}", "[]")
	said.await("No AgentPool has an agent")
}
