package gateway

import (
	"crypto/hmac"
	"fmt"

	"hookloop/internal/webhook"
)

// idempotencyKey is that of the request; empty: it has none.
func (r *request) idempotencyKey() (string, error) {
	switch keys := r.gin.Request.Header.Values("Idempotency-Key"); len(keys) {
	case 0:
		return "", nil
	case 1:
		return keys[0], checkKey(keys[0])
	default:
		return "", webhook.Invalidf("Idempotency-Key", "appears twice")
	}
}

// once refuses a key that was used before with another body.
func once(c webhook.Creation, create func() (webhook.Creation, error)) (webhook.Creation, error) {
	made, err := create()
	if err == nil && !hmac.Equal([]byte(made.Digest), []byte(c.Digest)) {
		err = webhook.Errorf(IdempotencyConflict, "this Idempotency-Key was used with another body, for %s", made.ID)
	}
	return made, err
}

// gone says of what a key had made that it is not there any more: making it again is not what a repeat asks for.
func gone(kind, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return webhook.Errorf(IdempotencyConflict, "the %s that this Idempotency-Key made, %s, was deleted; use another key for another one", kind, id)
	}
	return fmt.Errorf("%s %s: %w", kind, id, registryErr(err))
}
