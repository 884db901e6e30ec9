package snapshot

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// secretKeys knows the names of the keys of Secrets. It reads a Secret with one GET for each version of it, and
// remembers the names alone: contents are never kept.
type secretKeys struct {
	// cached holds the metadata of Secrets.
	cached client.Reader
	// uncached reads the Secret itself.
	uncached client.Reader

	mu   sync.Mutex
	seen map[types.NamespacedName]version
}

type version struct {
	uid      types.UID
	resource string
	keys     routing.Keys
}

// get returns the keys of a Secret, or nil if it does not exist.
func (s *secretKeys) get(ctx context.Context, key types.NamespacedName) (routing.Keys, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	switch err := s.cached.Get(ctx, key, meta); {
	case apierrors.IsNotFound(err):
		s.forget(key)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look up Secret %s: %w", key, err)
	}
	if known, ok := s.known(key); ok && known.uid == meta.UID && known.resource == meta.ResourceVersion {
		return known.keys, nil
	}
	return s.read(ctx, key)
}

func (s *secretKeys) read(ctx context.Context, key types.NamespacedName) (routing.Keys, error) {
	var secret corev1.Secret
	switch err := s.uncached.Get(ctx, key, &secret); {
	case apierrors.IsNotFound(err):
		s.forget(key)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the keys of Secret %s: %w", key, err)
	}
	keys := routing.Keys{}
	for k := range secret.Data {
		keys[k] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[key] = version{uid: secret.UID, resource: secret.ResourceVersion, keys: keys}
	return keys, nil
}

func (s *secretKeys) known(key types.NamespacedName) (version, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.seen[key]
	return v, ok
}

func (s *secretKeys) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, key)
}
