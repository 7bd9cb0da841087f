package source

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"hookloop/internal/webhook"
)

// publicKeys are Ed25519 keys as Standard Webhooks writes them, whpk_<base64>, of which any one
// verifies. They are no secret.
type publicKeys []string

// Each check of an Ed25519 signature hashes the whole body, and any sender can send a long list.
const (
	maxPublicKeys = 4
	maxAsymmetric = 4 // signatures tried with each key
)

func (all publicKeys) check(field string) error {
	if len(all) > maxPublicKeys {
		return webhook.Invalidf(field, "lists %d keys, at most %d are allowed", len(all), maxPublicKeys)
	}
	for i, text := range all {
		if decodePublicKey(text) == nil {
			return webhook.Invalidf(fmt.Sprintf("%s[%d]", field, i), `must be "whpk_" and the Base64 of 32 bytes`)
		}
	}
	return nil
}

// decodePublicKey gives nil for what is no key.
func decodePublicKey(text string) ed25519.PublicKey {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whpk_"))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil
	}
	return key
}

// signed says whether one of the given signatures is that of the parts, by one of the keys.
func (all publicKeys) signed(given [][]byte, parts ...[]byte) bool {
	given = given[:min(len(given), maxAsymmetric)]
	content := slices.Concat(parts...)
	return slices.ContainsFunc(all, func(text string) bool {
		key := decodePublicKey(text)
		return slices.ContainsFunc(given, func(g []byte) bool { return ed25519.Verify(key, content, g) })
	})
}
