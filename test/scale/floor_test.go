package scale_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// replay sends the same requests with the same bodies to a fresh API server by plain client-go: parallel goroutines,
// each with one namespace's requests at a time in their order. It returns how long that took.
func replay(b *testing.B, c *cluster, writes []*write) time.Duration {
	b.Helper()
	config := c.config("floor")
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	httpClient, err := rest.HTTPClientFor(config)
	must(b, err)
	plain, err := rest.UnversionedRESTClientForConfigAndClient(config, httpClient)
	must(b, err)

	perNamespace := map[string][]*write{}
	for _, w := range writes {
		perNamespace[w.ObjectRef.Namespace] = append(perNamespace[w.ObjectRef.Namespace], w)
	}
	start := time.Now()
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, all := range perNamespace {
		g.Go(func() error {
			for _, w := range all {
				if err := send(plain, w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(b, g.Wait())
	return time.Since(start)
}

func send(c *rest.RESTClient, w *write) error {
	method, kind := http.MethodPost, "application/json"
	switch what := w.what(); {
	case strings.HasPrefix(what, "apply "):
		method, kind = http.MethodPatch, "application/apply-patch+yaml"
	case w.Verb == "patch":
		method, kind = http.MethodPatch, "application/merge-patch+json"
	case w.Verb != "create":
		return fmt.Errorf("the floor does not know how to %s", what)
	}
	err := c.Verb(method).RequestURI(w.RequestURI).SetHeader("Content-Type", kind).Body([]byte(w.RequestObject)).
		Do(context.Background()).Error()
	if err != nil {
		return fmt.Errorf("%s %s/%s: %w", w.what(), w.ObjectRef.Namespace, w.ObjectRef.Name, err)
	}
	return nil
}
