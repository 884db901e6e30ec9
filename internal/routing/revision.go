package routing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// MaxBytes is the largest JSON form of a Table: what fits into one object of a Kubernetes cluster with room for its status.
const MaxBytes = 1 << 20

// Revision is a hash of the Table's content in 32 hexadecimal digits: the same content has the same revision, also
// after it went through JSON.
func Revision(t *Table) string {
	sum := sha256.Sum256(t.json())
	return hex.EncodeToString(sum[:16])
}

// json is the canonical form: fields in the order of the types, keys of maps sorted.
func (t *Table) json() []byte {
	raw, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("a routing table consists of plain values and always encodes: %v", err))
	}
	return raw
}
