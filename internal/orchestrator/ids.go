package orchestrator

import (
	"crypto/sha256"
	"strings"

	"github.com/oklog/ulid/v2"

	"hookloop/internal/webhook"
)

// IDForKey derives the id of an event from its tenant and a key: the first 16 bytes of
// SHA-256("<tenant>\n<key>") in ULID's base32. A repeat finds its original by it, so it must stay
// as it is for as long as any history is kept. A tenant holds no line break: two pairs never share
// the bytes that are hashed. Apps' keys are visible ASCII, so one with a space in it is never an
// app's.
func IDForKey(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\n" + key))
	return webhook.EventPrefix + strings.ToLower(ulid.ULID(sum[:16]).String())
}
