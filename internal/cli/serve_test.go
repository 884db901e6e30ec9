package cli_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/cli"
)

// command runs the command line until the test's end or stop, which returns its error.
func command(t *testing.T, args ...string) (out, errOut *lines, stop func() error) {
	t.Helper()
	out, errOut = newLines(t), newLines(t)
	c := cli.New("test")
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(errOut)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.ExecuteContext(ctx) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return out, errOut, stop
}

// output runs a command that ends by itself.
func output(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	c := cli.New("test")
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	err := c.ExecuteContext(t.Context())
	return strings.TrimSpace(out.String()), err
}

func TestServeServesCustomersAndSignsAgentsIn(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("How long does delivery take?", "How long does Bob's delivery take?")
	data := filepath.Join(t.TempDir(), "data")
	out, _, stop := command(t, "serve", "-f", dir, "--addr", "127.0.0.1:0", "--admin-addr", "", "--data-dir", data)
	out.await("default/hello is served")
	base := strings.Fields(out.await("Customers and agents"))[3]
	aliceLink := strings.Fields(out.await("alice@hello.example", "/agent/login?code="))[1]
	bobLink := strings.Fields(out.await("bob@hello.example", "/agent/login?code="))[1]
	login := strings.Fields(out.await("A new link"))[3:]

	for email, link := range map[string]string{"alice@hello.example": aliceLink, "bob@hello.example": bobLink} {
		var session struct {
			Token string
			Agent struct{ Email string }
		}
		request(t, http.MethodGet, link, "", "", &session)
		if session.Agent.Email != email || session.Token == "" {
			t.Errorf("the link of %s signs in %+v", email, session)
		}
	}
	token, err := output(t, append(login[1:], "--token")...)
	must(t, err)
	var me struct{ Agent struct{ Email string } }
	request(t, http.MethodGet, base+"/v1/agent/me", token, "", &me)
	if me.Agent.Email != "alice@hello.example" {
		t.Errorf("the printed command signs in %+v", me)
	}
	opening := out.await("/v1/conversations -d")
	var opened struct{ ID, Token string }
	request(t, http.MethodPost, base+"/v1/conversations", "", strings.Split(opening, "'")[1], &opened)
	if opened.ID == "" || opened.Token == "" {
		t.Errorf("the printed request opens %+v", opened)
	}

	message := out.await(`"id":"m1"`)
	var asked struct{ Text string }
	must(t, json.Unmarshal([]byte(strings.Split(message, "'")[1]), &asked))
	if asked.Text != "How long does Bob's delivery take?" {
		t.Errorf("the example asks %q, which the knowledge does not answer", asked.Text)
	}

	run := login[3]
	if link, err := output(t, "login", "default/hello", "--run-dir", run, "--agent", "bob@hello.example"); err != nil || !strings.HasPrefix(link, base+"/") {
		t.Errorf("the link is not one of %s: %q, %v", base, link, err)
	}
	if link, err := output(t, "login", "--run-dir", run, "--url", "https://proxy.example", "--agent", "bob@hello.example"); err != nil || !strings.HasPrefix(link, "https://proxy.example/") {
		t.Errorf("--url was not used: %q, %v", link, err)
	}
	if _, err := output(t, "login", "bikes", "--run-dir", run, "--agent", "bob@hello.example"); err == nil ||
		!strings.Contains(err.Error(), `"bikes"`) || !strings.Contains(err.Error(), "default/hello") {
		t.Errorf("a Copilot that is not served: got %v, want an error with it and the served one", err)
	}
	must(t, stop())
	if _, err := os.Stat(run); !os.IsNotExist(err) {
		t.Errorf("the directory of the run is left: %v", err)
	}
	if entries, err := os.ReadDir(data); err != nil || len(entries) == 0 {
		t.Errorf("the data directory has %v, %v; the conversations were to be kept", entries, err)
	}
}

func request(t *testing.T, method, url, bearer, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { must(t, resp.Body.Close()) }()
	if resp.StatusCode >= 300 {
		t.Fatalf("%s %s: status %d", method, url, resp.StatusCode)
	}
	must(t, json.NewDecoder(resp.Body).Decode(into))
}

func TestServeSaysWhatToDoWhenTheAddressIsTaken(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	_, err = output(t, "serve", "-f", "testdata/tenant", "--addr", l.Addr().String(), "--admin-addr", "")
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("got %v, want one with the address and --addr", err)
	}
}

func TestServeEndsWhenTheManifestsCannotBeServed(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for path, message := range map[string]string{
		filepath.Join(empty, "absent"): "no such file",
		empty:                          "there is no .yaml, .yml or .json file in " + empty,
	} {
		_, err := output(t, "serve", "-f", path, "--addr", "127.0.0.1:0", "--admin-addr", "")
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("serve -f %s: got %v, want one with %q", path, err, message)
		}
	}
}

func TestLoginSaysThatNothingRunsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := output(t, "login", "--run-dir", dir, "--agent", "bob@hello.example")
	if err == nil || !strings.Contains(err.Error(), dir+" is not the --run-dir") {
		t.Errorf("got %v", err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	out, err := output(t, "version")
	must(t, err)
	if !strings.Contains(out, "kubectl-handoff test") || !strings.Contains(out, "handoff.opencopilot.so/v1alpha1") {
		t.Errorf("got %q", out)
	}
}
