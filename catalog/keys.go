package catalog

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/millrace/millrace/secretref"
)

// Keys seals the endpoint keys that the catalog stores, and opens them again. A nil Keys stores them as they are.
//
// A sealed key is "v1." and, in base64, the SHA-256 of the key, a random nonce, and the key under AES-256-GCM with the
// hash as associated data. A key itself has no dot, which tells the two apart.
type Keys struct{ aead cipher.AEAD }

// sealedPrefix begins a sealed key and names its format.
const sealedPrefix = "v1."

// NewKeys returns what seals with the 32 bytes, in base64, that a secret reference leads to. Without a reference it
// returns nil.
func NewKeys(secretRef string) (*Keys, error) {
	if secretRef == "" {
		return nil, nil //nolint:nilnil // a nil Keys is of use
	}
	text, err := secretref.Resolve(secretRef)
	if err != nil {
		return nil, fmt.Errorf("reading the catalog key (--catalog-key): %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) != sha256.Size {
		return nil, errors.New("the catalog key (--catalog-key) must be 32 random bytes in base64; `openssl rand -base64 32` makes one")
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("using the catalog key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("using the catalog key: %w", err)
	}
	return &Keys{aead}, nil
}

// Open returns the endpoint key that stored holds, sealed or not. Its errors never hold the key.
func (k *Keys) Open(stored string) (string, error) {
	text, isSealed := strings.CutPrefix(stored, sealedPrefix)
	if !isSealed {
		return stored, nil
	}
	if k == nil {
		return "", errors.New("the endpoint key is sealed: set --catalog-key to the reference that it was sealed with")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) < sha256.Size+k.aead.NonceSize() {
		return "", errors.New("the sealed endpoint key is damaged; rotate the endpoint's key")
	}
	hash, rest := sealed[:sha256.Size], sealed[sha256.Size:]
	key, err := k.aead.Open(nil, rest[:k.aead.NonceSize()], rest[k.aead.NonceSize():], hash)
	if sum := sha256.Sum256(key); err != nil || !bytes.Equal(sum[:], hash) {
		return "", errors.New("the endpoint key was sealed with another catalog key: set --catalog-key to that one")
	}
	return string(key), nil
}

// seal returns what is stored for a key, which may be sealed already.
func (k *Keys) seal(key string) string {
	if k == nil || strings.HasPrefix(key, sealedPrefix) {
		return key
	}
	hash := sha256.Sum256([]byte(key))
	nonce := make([]byte, k.aead.NonceSize())
	rand.Read(nonce)
	sealed := k.aead.Seal(append(hash[:], nonce...), nonce, []byte(key), hash[:])
	return sealedPrefix + base64.RawURLEncoding.EncodeToString(sealed)
}

// HashKey returns what an endpoint is found by, given its key.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// newKey returns an endpoint key: 192 random bits in URL-safe letters.
func newKey() string {
	var random [24]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}
