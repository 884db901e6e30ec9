// Package snapshot reads a Copilot with everything it names out of the informers' caches.
package snapshot

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Reader reads snapshots. All controllers share one, and with it what it knows about Secrets.
type Reader struct {
	cached  client.Reader
	secrets secretKeys
}

// NewReader reads from cached, which must have the fields of package index and the metadata of Secrets and ConfigMaps,
// and reads the Secrets themselves from uncached.
func NewReader(cached, uncached client.Reader) *Reader {
	return &Reader{
		cached:  cached,
		secrets: secretKeys{cached: cached, uncached: uncached, seen: map[types.NamespacedName]version{}},
	}
}

// Read returns the snapshot of c. What does not exist is absent from it; an error means that it could not be read.
func (r *Reader) Read(ctx context.Context, c *v1alpha1.Copilot) (routing.Snapshot, error) {
	s, err := r.routing(ctx, c)
	if err != nil {
		return s, err
	}
	if s.HostHolder, err = r.hostHolder(ctx, c); err != nil {
		return s, fmt.Errorf("snapshot of Copilot %s/%s: %w", c.Namespace, c.Name, err)
	}
	names := index.CopilotSecrets(c)
	for _, ch := range s.Channels {
		names = append(names, index.ChannelSecrets(ch)...)
	}
	if s.Secrets, err = r.Secrets(ctx, c.Namespace, names); err != nil {
		return s, fmt.Errorf("snapshot of Copilot %s/%s: %w", c.Namespace, c.Name, err)
	}
	return s, r.configMaps(ctx, c, s.ConfigMaps)
}

// Secrets returns the keys of those of the named Secrets that exist.
func (r *Reader) Secrets(ctx context.Context, namespace string, names []string) (map[string]routing.Keys, error) {
	found := map[string]routing.Keys{}
	for _, name := range names {
		keys, err := r.secrets.get(ctx, types.NamespacedName{Namespace: namespace, Name: name})
		if err != nil {
			return nil, err
		}
		if keys != nil {
			found[name] = keys
		}
	}
	return found, nil
}

// Problems compiles c for what it says about its policy and pools, which name no Secrets and no ConfigMaps.
func (r *Reader) Problems(ctx context.Context, c *v1alpha1.Copilot) ([]routing.Problem, error) {
	s, err := r.routing(ctx, c)
	if err != nil {
		return nil, err
	}
	_, problems := routing.Compile(s)
	return problems, nil
}

// routing is the snapshot of c without Secrets and ConfigMaps.
func (r *Reader) routing(ctx context.Context, c *v1alpha1.Copilot) (routing.Snapshot, error) {
	s := routing.Snapshot{
		Copilot:    c,
		Pools:      map[string]*v1alpha1.AgentPool{},
		Secrets:    map[string]routing.Keys{},
		ConfigMaps: map[string]routing.Keys{},
		Taken:      map[string]string{},
	}
	if err := r.policy(ctx, c, &s); err != nil {
		return s, fmt.Errorf("snapshot of Copilot %s/%s: %w", c.Namespace, c.Name, err)
	}
	if err := r.channels(ctx, c, &s); err != nil {
		return s, fmt.Errorf("snapshot of Copilot %s/%s: %w", c.Namespace, c.Name, err)
	}
	return s, nil
}

func (r *Reader) policy(ctx context.Context, c *v1alpha1.Copilot, s *routing.Snapshot) error {
	if c.Spec.PolicyRef == nil {
		return nil
	}
	var p v1alpha1.HandoffPolicy
	if found, err := r.get(ctx, c.Namespace, c.Spec.PolicyRef.Name, &p); err != nil || !found {
		return err
	}
	s.Policy = &p
	return r.Pools(ctx, &p, s.Pools)
}

// Pools puts the pools that p names and that exist into pools.
func (r *Reader) Pools(ctx context.Context, p *v1alpha1.HandoffPolicy, pools map[string]*v1alpha1.AgentPool) error {
	for _, name := range index.PolicyPools(p) {
		var pool v1alpha1.AgentPool
		found, err := r.get(ctx, p.Namespace, name, &pool)
		if err != nil {
			return err
		}
		if found {
			pools[name] = &pool
		}
	}
	return nil
}

func (r *Reader) get(ctx context.Context, namespace, name string, o client.Object) (bool, error) {
	err := r.cached.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, o)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// channels puts in the Channels of c, and who holds their claims already.
func (r *Reader) channels(ctx context.Context, c *v1alpha1.Copilot, s *routing.Snapshot) error {
	list, err := index.Channels(ctx, r.cached, c.Namespace, index.ChannelCopilot, c.Name)
	if err != nil {
		return err
	}
	for i := range list {
		ch := &list[i]
		s.Channels = append(s.Channels, ch)
		holder, err := r.Holder(ctx, ch)
		if err != nil {
			return err
		}
		if holder != "" {
			s.Taken[ch.Name] = holder
		}
	}
	return nil
}

// Holder is "namespace/name" of the older Channel, anywhere in the cluster, that holds what ch claims, or empty.
func (r *Reader) Holder(ctx context.Context, ch *v1alpha1.Channel) (string, error) {
	claim := index.Claim(ch)
	if claim == "" {
		return "", nil
	}
	list, err := index.Channels(ctx, r.cached, metav1.NamespaceAll, index.ChannelClaim, claim)
	if err != nil {
		return "", err
	}
	return holder(routing.Taken(pointers(list)), ch), nil
}

// hostHolder is "namespace/name" of the older Copilot, anywhere in the cluster, that holds the host of c, or empty.
func (r *Reader) hostHolder(ctx context.Context, c *v1alpha1.Copilot) (string, error) {
	host := routing.Host(c)
	if host == "" {
		return "", nil
	}
	list, err := index.Copilots(ctx, r.cached, metav1.NamespaceAll, index.CopilotHost, host)
	if err != nil {
		return "", err
	}
	return holder(routing.HostsTaken(pointers(list)), c), nil
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func holder(taken map[types.NamespacedName]types.NamespacedName, o client.Object) string {
	if by, ok := taken[client.ObjectKeyFromObject(o)]; ok {
		return by.String()
	}
	return ""
}

// configMaps notes which ConfigMaps exist. Their keys are of no interest to the compiler: each is a document.
func (r *Reader) configMaps(ctx context.Context, c *v1alpha1.Copilot, found map[string]routing.Keys) error {
	for _, name := range index.CopilotConfigMaps(c) {
		meta := &metav1.PartialObjectMetadata{}
		meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		exists, err := r.get(ctx, c.Namespace, name, meta)
		if err != nil {
			return fmt.Errorf("snapshot of Copilot %s/%s: look up ConfigMap %s: %w", c.Namespace, c.Name, name, err)
		}
		if exists {
			found[name] = routing.Keys{}
		}
	}
	return nil
}
