package gateway

import (
	"context"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// Bounds of how long the secret before signs beside a new one, and how many may sign at once: each
// is a signature in the header of every attempt.
const (
	defaultOverlap = 24 * time.Hour
	maxOverlap     = 7 * 24 * time.Hour
	maxSecrets     = 10
)

// secret is the one that signs from now on.
type secret struct {
	Secret string `json:"secret" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

func (g *Gateway) getSecret(ctx context.Context, in *endpointPath) (*answerOf[secret], error) {
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	return reveal(e), nil
}

func reveal(e webhook.Endpoint) *answerOf[secret] {
	return &answerOf[secret]{Body: secret{Secret: e.Secrets[0].Secret.Reveal()}}
}

type rotateSecret struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id"`
}

// rotateSecret puts a new secret in front; the one before signs as well until the overlap is over,
// so that the endpoint can change its own in peace.
func (g *Gateway) rotateSecret(ctx context.Context, in *rotateSecret) (*answerOf[secret], error) {
	body, err := in.body(true)
	if err != nil {
		return nil, err
	}
	overlap, err := parseRotation(body)
	if err != nil {
		return nil, err
	}
	next := signature.NewSecret()
	e, err := g.change(ctx, in.Tenant, in.ID, func(e *webhook.Endpoint) error {
		now := g.now().UTC()
		e.Rotate(next, now, overlap)
		if n := len(e.SigningSecrets(now)); n > maxSecrets {
			return webhook.Errorf(webhook.Conflict, `%d secrets would sign at once; rotate with overlap "0s" to end the old ones`, n)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reveal(e), nil
}

func parseRotation(body []byte) (time.Duration, error) {
	overlap := defaultOverlap
	if len(body) == 0 {
		return overlap, nil
	}
	all, err := fields(body)
	if err != nil {
		return 0, err
	}
	for _, f := range all {
		if f.name != "overlap" {
			return 0, webhook.Invalidf(f.name, "is not a field of a rotation (overlap)")
		}
		if f.isNull() {
			continue
		}
		if overlap, err = parseDuration("overlap", f.value); err != nil {
			return 0, err
		}
	}
	if overlap < 0 || overlap > maxOverlap {
		return 0, webhook.Invalidf("overlap", `must lie between "0s" and "168h"`)
	}
	return overlap, nil
}
