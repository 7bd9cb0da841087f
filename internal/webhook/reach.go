package webhook

import (
	"crypto/sha256"
	"encoding/json"
	"time"
)

// Reach is how an endpoint is reached: a fingerprint of all that shapes a request to it. Of two
// versions with the same reach, what one failed with is what the other would fail with.
type Reach [sha256.Size]byte

// Reach gives the fingerprint. It tells nothing of the secrets in it.
func (e Endpoint) Reach() Reach {
	secrets := make([]string, len(e.Secrets))
	for i, s := range e.Secrets {
		secrets[i] = s.Secret.Reveal()
	}
	// these always marshal
	text, _ := json.Marshal([]any{e.URL, e.Headers, e.TimeoutOrDefault(), e.Request, secrets})
	return sha256.Sum256(text)
}

// BeginsAnew says whether what the endpoint failed with before a change is past: it is reached in
// another way, or a person has let its deliveries go.
func (e Endpoint) BeginsAnew(reach Reach, releasing time.Time) bool {
	return e.Reach() != reach || !e.Releasing.Equal(releasing)
}
