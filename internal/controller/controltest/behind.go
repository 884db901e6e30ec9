package controltest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// behind tells what the operator's handlers have not dealt with yet of the objects that it watches, or nothing. It asks
// the API server for the same objects as the operator's own watches do.
func (o *Operator) behind(ctx context.Context) string {
	o.world.Helper()
	o.wire.mu.Lock()
	watches := slices.Collect(maps.Values(o.wire.watches))
	o.wire.mu.Unlock()
	truth := map[schema.GroupResource]map[string]string{}
	for _, u := range watches {
		gr := resourceOf(u.Path)
		if truth[gr] == nil {
			truth[gr] = map[string]string{}
		}
		maps.Copy(truth[gr], o.world.versions(ctx, u))
	}
	for gvk, handlers := range o.activity.dealtWith() {
		mapping, err := o.Manager.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			return err.Error()
		}
		for _, seen := range handlers {
			if want := truth[mapping.Resource.GroupResource()]; !maps.Equal(seen, want) {
				return fmt.Sprintf("a handler has dealt with %s %v and there are %v", gvk.Kind, seen, want)
			}
		}
	}
	return ""
}

// resourceOf reads a path such as /apis/apps/v1/namespaces/x/deployments.
func resourceOf(p string) schema.GroupResource {
	group := ""
	if rest, ok := strings.CutPrefix(p, "/apis/"); ok {
		group, _, _ = strings.Cut(rest, "/")
	}
	return schema.GroupResource{Group: group, Resource: path.Base(p)}
}

// versions returns the resourceVersion of each object that a watch is about, by "namespace/name".
func (w *World) versions(ctx context.Context, watch url.URL) map[string]string {
	w.Helper()
	var list metav1.PartialObjectMetadataList
	w.must(json.Unmarshal(w.listed(ctx, watch, metadata), &list), "list "+watch.Path)
	out := map[string]string{}
	for _, o := range list.Items {
		out[o.Namespace+"/"+o.Name] = o.ResourceVersion
	}
	return out
}

// metadata, behind a content type, asks for no more of the objects than that.
const metadata = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// listed is the list, as JSON in the form, of the objects that a watch is about: an empty one of a kind that is gone.
func (w *World) listed(ctx context.Context, watch url.URL, form string) []byte {
	w.Helper()
	q := watch.Query()
	watch.RawQuery = url.Values{"labelSelector": q["labelSelector"], "fieldSelector": q["fieldSelector"]}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, watch.String(), http.NoBody)
	w.must(err, "list "+watch.Path)
	request.Header.Set("Accept", "application/json"+form)
	admin, err := rest.HTTPClientFor(cluster.admin)
	w.must(err, "list "+watch.Path)
	response, err := admin.Do(request)
	w.must(err, "list "+watch.Path)
	defer func() { w.must(response.Body.Close(), "list "+watch.Path) }()
	body, err := io.ReadAll(response.Body)
	w.must(err, "list "+watch.Path)
	if response.StatusCode == http.StatusNotFound {
		return []byte(`{}`)
	}
	if response.StatusCode != http.StatusOK {
		w.Fatalf("list %s: %s", watch.Path, body)
	}
	return body
}
