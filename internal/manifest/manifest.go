// Package manifest reads YAML manifests from files the way an API server would: strictly, so that a misspelt field is
// an error and not a default. It makes the snapshots that routing.Compile takes where there is no cluster.
package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// DefaultNamespace is that of objects that name none.
const DefaultNamespace = "default"

// Objects are what was read. Every object has a namespace.
type Objects struct {
	Copilots []*v1alpha1.Copilot
	Channels []*v1alpha1.Channel
	Policies []*v1alpha1.HandoffPolicy
	Pools    []*v1alpha1.AgentPool
	// Secrets have data and stringData in one; the caller may add to them.
	Secrets    map[types.NamespacedName]map[string][]byte
	ConfigMaps map[types.NamespacedName]map[string]string
	// Ignored names the objects of other kinds, such as "Deployment web (all.yaml, document 3)".
	Ignored []string

	seen map[string]string // "kind namespace/name" → where it is
}

// Load reads a file, or the .yaml, .yml and .json files of a directory (not of those below it), as kubectl apply -f
// does. All mistakes are joined in one error.
func Load(name string) (*Objects, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	if info.IsDir() {
		o, err := LoadFS(os.DirFS(name))
		if errors.Is(err, errNoFile) {
			return nil, fmt.Errorf("%w in %s", err, name)
		}
		return o, err
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	return parseAll(map[string][]byte{filepath.Base(name): raw})
}

var errNoFile = errors.New("read manifests: there is no .yaml, .yml or .json file")

// LoadFS reads the manifests at the top of a file system.
func LoadFS(fsys fs.FS) (*Objects, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(e.Name())) {
			continue
		}
		raw, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, fmt.Errorf("read manifests: %w", err)
		}
		files[e.Name()] = raw
	}
	if len(files) == 0 {
		return nil, errNoFile
	}
	return parseAll(files)
}

// Parse reads the documents of one file, whose name is for errors.
func Parse(file string, raw []byte) (*Objects, error) {
	return parseAll(map[string][]byte{file: raw})
}

func parseAll(files map[string][]byte) (*Objects, error) {
	o := &Objects{
		Secrets:    map[types.NamespacedName]map[string][]byte{},
		ConfigMaps: map[types.NamespacedName]map[string]string{},
		seen:       map[string]string{},
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var errs []error
	for _, name := range names {
		errs = append(errs, o.parse(name, files[name])...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return o, nil
}

// parse splits a file into its documents.
func (o *Objects) parse(file string, raw []byte) []error {
	var errs []error
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for n := 1; ; n++ {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return errs
		}
		where := fmt.Sprintf("%s, document %d", file, n)
		if err != nil {
			return append(errs, fmt.Errorf("%s: %w", where, err))
		}
		content, err := yaml.YAMLToJSONStrict(doc)
		if err == nil && !bytes.Equal(content, []byte("null")) {
			err = o.add(where, content)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
	}
}

// add decodes one object, or each item of a List.
func (o *Objects) add(where string, raw []byte) error {
	var head struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ObjectMeta `json:"metadata"`
		Items           []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("not an object of Kubernetes: %w", err)
	}
	if head.APIVersion == "" || head.Kind == "" {
		return errors.New("apiVersion and kind are needed, such as apiVersion: " + v1alpha1.GroupVersion.String() + " and kind: Copilot")
	}
	if head.APIVersion == "v1" && head.Kind == "List" {
		var errs []error
		for i, item := range head.Items {
			errs = append(errs, o.add(fmt.Sprintf("%s, item %d", where, i), item))
		}
		return errors.Join(errs...)
	}
	group, _, _ := strings.Cut(head.APIVersion, "/")
	into, known := newObject(head.TypeMeta)
	if !known {
		if group == v1alpha1.GroupVersion.Group {
			return unknownKind(head.TypeMeta)
		}
		o.Ignored = append(o.Ignored, fmt.Sprintf("%s %s (%s)", head.Kind, head.Metadata.Name, where))
		return nil
	}
	if err := decode(raw, into); err != nil {
		return fmt.Errorf("%s %s: %w", head.Kind, head.Metadata.Name, err)
	}
	return o.keep(where, head.Kind, into)
}

func newObject(t metav1.TypeMeta) (metav1.Object, bool) {
	switch t.APIVersion + " " + t.Kind {
	case v1alpha1.GroupVersion.String() + " Copilot":
		return &v1alpha1.Copilot{}, true
	case v1alpha1.GroupVersion.String() + " Channel":
		return &v1alpha1.Channel{}, true
	case v1alpha1.GroupVersion.String() + " HandoffPolicy":
		return &v1alpha1.HandoffPolicy{}, true
	case v1alpha1.GroupVersion.String() + " AgentPool":
		return &v1alpha1.AgentPool{}, true
	case "v1 Secret":
		return &corev1.Secret{}, true
	case "v1 ConfigMap":
		return &corev1.ConfigMap{}, true
	}
	return nil, false
}

func unknownKind(t metav1.TypeMeta) error {
	if t.APIVersion != v1alpha1.GroupVersion.String() {
		return fmt.Errorf("apiVersion %q: this release knows %s", t.APIVersion, v1alpha1.GroupVersion)
	}
	return fmt.Errorf("unknown kind %q%s", t.Kind, suggest(t.Kind, []string{"Copilot", "Channel", "HandoffPolicy", "AgentPool"}))
}

// keep puts an object where it belongs, once.
func (o *Objects) keep(where, kind string, obj metav1.Object) error {
	if obj.GetName() == "" {
		return fmt.Errorf("%s: metadata.name is missing", kind)
	}
	if obj.GetNamespace() == "" {
		obj.SetNamespace(DefaultNamespace)
	}
	name := types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
	id := key(kind, name.Namespace, name.Name)
	if before, twice := o.seen[id]; twice {
		return fmt.Errorf("%s is defined already in %s", id, before)
	}
	o.seen[id] = where
	switch obj := obj.(type) {
	case *v1alpha1.Copilot:
		o.Copilots = append(o.Copilots, obj)
	case *v1alpha1.Channel:
		o.Channels = append(o.Channels, obj)
	case *v1alpha1.HandoffPolicy:
		o.Policies = append(o.Policies, obj)
	case *v1alpha1.AgentPool:
		o.Pools = append(o.Pools, obj)
	case *corev1.Secret:
		o.Secrets[name] = secretData(obj)
	case *corev1.ConfigMap:
		data := obj.Data
		if data == nil {
			data = map[string]string{}
		}
		o.ConfigMaps[name] = data
	}
	return nil
}

// key names an object among those of all kinds and namespaces.
func key(kind, namespace, name string) string { return kind + " " + namespace + "/" + name }

// secretData is data with stringData over it, as an API server stores them.
func secretData(s *corev1.Secret) map[string][]byte {
	data := map[string][]byte{}
	for k, v := range s.Data {
		data[k] = v
	}
	for k, v := range s.StringData {
		data[k] = []byte(v)
	}
	return data
}
