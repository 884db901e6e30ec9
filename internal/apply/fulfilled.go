package apply

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/lru"
)

// remembered is how many children are known to be as they should be: those of some 6,000 Copilots, in some 16 MiB. Of
// more, some are compared anew.
const remembered = 1 << 16

// fulfilled remembers which intent a version of a child was found to fulfil. To extract what we own from a live object
// takes most of the time of a reconcile, and most reconciles are about one child of ten. It is a shortcut only: what it
// does not know, as after a restart, is read off the object.
type fulfilled struct {
	once  sync.Once
	known *lru.Cache
}

// finding is an intent, by its hash, and the version of the live object that fulfils it.
type finding struct {
	version string
	intent  [sha256.Size]byte
}

// by says whether the live object is as intent has it.
func (f *fulfilled) by(c *child, intent runtime.ApplyConfiguration) (bool, error) {
	f.once.Do(func() { f.known = lru.New(remembered) })
	raw, err := json.Marshal(intent)
	if err != nil {
		return false, err
	}
	now := finding{c.live.GetResourceVersion(), sha256.Sum256(raw)}
	if known, ok := f.known.Get(c.live.GetUID()); ok && known.(finding) == now {
		return true, nil
	}
	same, err := c.same(raw)
	if same {
		f.known.Add(c.live.GetUID(), now)
	}
	return same, err
}
