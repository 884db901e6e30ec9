package snapshot

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
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

	// reading lets controllers that want the same version of a Secret at the same time share one GET.
	reading singleflight.Group

	mu   sync.Mutex
	seen map[types.NamespacedName]version
}

type version struct {
	uid      types.UID
	resource string
	keys     routing.Keys
}

// covers says whether v was read at the version that meta shows, or after it.
func (v version) covers(meta *metav1.PartialObjectMetadata) bool {
	if v.uid != meta.UID {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(v.resource, meta.ResourceVersion)
	return err == nil && order >= 0
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
	if known, ok := s.known(key); ok && known.covers(meta) {
		return known.keys, nil
	}
	// A GET that began before this version was there may return an older one, so each version has its own.
	flight := fmt.Sprintf("%s %s %s", key, meta.UID, meta.ResourceVersion)
	keys, err, _ := s.reading.Do(flight, func() (any, error) {
		if known, ok := s.known(key); ok && known.covers(meta) {
			return known.keys, nil
		}
		return s.read(ctx, key)
	})
	if err != nil {
		return nil, err
	}
	return keys.(routing.Keys), nil
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
