package catalog

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/millrace/millrace/schemas"
)

// HashKey returns what an endpoint is found by, given its key.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// withNewKey gives an endpoint a key of 192 random bits in URL-safe letters.
func (w *Writer) withNewKey(endpoint schemas.Endpoint) schemas.Endpoint {
	var random [24]byte
	rand.Read(random[:])
	key := base64.RawURLEncoding.EncodeToString(random[:])
	endpoint.Key, endpoint.KeyHash = key, HashKey(key)
	return endpoint
}
