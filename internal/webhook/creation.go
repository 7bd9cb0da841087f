package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// rememberCreations is how long an Idempotency-Key stands for the endpoint or source it made: as
// long as one stands for its event, where histories are kept for the default time.
const rememberCreations = DefaultRetention

// Creation is what is remembered of an endpoint or source that was made with an Idempotency-Key.
type Creation struct {
	Name   string    // stands for the key
	Digest string    // of the body it came with; the key is needed to guess at that
	ID     string    // of what was made
	At     time.Time // when
}

// NewCreation names what is about to be made: of a kind, with a key and a body. Neither can be read
// from it: a body holds secrets.
func NewCreation(kind, key string, body []byte, id string, at time.Time) Creation {
	name := sha256.Sum256([]byte(kind + "\n" + key))
	digest := hmac.New(sha256.New, []byte(key))
	digest.Write(body)
	return Creation{Name: hex.EncodeToString(name[:]), Digest: hex.EncodeToString(digest.Sum(nil)), ID: id, At: at}
}

// Ends is when the creation is forgotten.
func (c Creation) Ends() time.Time { return c.At.Add(rememberCreations) }
