// Package validation sends objects to a real API server, and to the compiler as kubectl-handoff does without one: what
// is wrong is refused with words that name field, value and fix, and what is right passes up to the stated limits.
package validation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

const root = "../.."

// server is the API server that the tests share: its URL and a client with an administrator's rights. It is nil where
// -short is set and KUBEBUILDER_ASSETS is not.
var server *apiServer

type apiServer struct {
	url    string
	client *http.Client
}

func TestMain(m *testing.M) {
	env := &envtest.Environment{}
	// The largest objects take seconds, and minutes where all packages' tests share two processors.
	env.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "5m")
	os.Exit(controltest.Serve(m, env, connect))
}

func connect(config *rest.Config) error {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	url, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return err
	}
	server = &apiServer{strings.TrimSuffix(url.String(), "/"), client}
	return nil
}

// need skips a test or benchmark where there is no API server, which -short alone allows.
func need(t testing.TB) {
	t.Helper()
	if server == nil {
		t.Skip("KUBEBUILDER_ASSETS is not set and -short is: no API server")
	}
}

// answer is what the API server said.
type answer struct {
	code     int
	body     []byte
	warnings string
}

// message is that of a refusal.
func (a answer) message() string {
	var s metav1.Status
	if err := json.Unmarshal(a.body, &s); err != nil {
		return string(a.body)
	}
	return s.Message
}

// fields and list are JSON.
type (
	fields = map[string]any
	list   = []any
)

// resources are the plural names of the kinds.
var resources = map[string]string{
	"Copilot": "copilots", "Channel": "channels", "HandoffPolicy": "handoffpolicies", "AgentPool": "agentpools", "RoutingTable": "routingtables",
}

// path of a collection or object of ours, such as path("Copilot", "default", "shop").
func path(kind string, parts ...string) string {
	return "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/" + parts[0] + "/" + strings.Join(append([]string{resources[kind]}, parts[1:]...), "/")
}

// ask sends a request; headers are name, value, name, value.
func ask(ctx context.Context, t testing.TB, method, path string, object any, headers ...string) answer {
	t.Helper()
	var body io.Reader
	if object != nil {
		raw, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, server.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := server.client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	raw, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{response.StatusCode, raw, strings.Join(response.Header.Values("Warning"), "\n")}
}

// must is ask for what has to succeed.
func must(ctx context.Context, t testing.TB, method, path string, object any, headers ...string) answer {
	t.Helper()
	a := ask(ctx, t, method, path, object, headers...)
	if a.code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, a.code, a.message())
	}
	return a
}

// namespace makes one of the test's own.
func namespace(t testing.TB) string {
	t.Helper()
	need(t)
	a := must(t.Context(), t, http.MethodPost, "/api/v1/namespaces", map[string]any{"metadata": map[string]any{"generateName": "validation-"}})
	var made metav1.PartialObjectMetadata
	if err := json.Unmarshal(a.body, &made); err != nil {
		t.Fatal(err)
	}
	return made.Name
}
