package gateway

import (
	"context"
	"time"

	"hookloop/api"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

const (
	// defaultOverlap is how long the secret before signs beside a new one.
	defaultOverlap = 24 * time.Hour
	// maxSecrets bounds how many may sign at once: each is a signature in the header of every
	// attempt.
	maxSecrets = 10
)

func (g *Gateway) getSecret(ctx context.Context, in *EndpointPath) (*answerOf[api.Secret], error) {
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	if err := g.recordRead(ctx, in.Tenant, webhook.AuditLine{Kind: webhook.AuditSecretRead, EndpointID: e.ID, EndpointVersion: e.Version}); err != nil {
		return nil, err
	}
	return g.reveal(e), nil
}

func (g *Gateway) reveal(e webhook.Endpoint) *answerOf[api.Secret] {
	return &answerOf[api.Secret]{Body: api.Secret{Secret: e.Secrets[0].Secret.Reveal(), PreviousUntil: webhook.TimeOrNone(e.PreviousSecretUntil(g.cfg.Now()))}}
}

// rotateSecret puts a new secret in front; the one before signs as well until the overlap is over,
// so that the endpoint can change its own in peace.
func (g *Gateway) rotateSecret(ctx context.Context, in *inEndpoint[api.SecretRotation]) (*answerOf[api.Secret], error) {
	overlap := defaultOverlap
	if in.value.Overlap != nil {
		overlap = time.Duration(*in.value.Overlap)
	}
	next := signature.NewSecret()
	e, err := g.change(ctx, in.Tenant, in.ID, func(e *webhook.Endpoint) error {
		now := g.cfg.Now().UTC()
		e.Rotate(next, now, overlap)
		if n := len(e.SigningSecrets(now)); n > maxSecrets {
			return webhook.Errorf(webhook.Conflict, `%d secrets would sign at once; rotate with overlap "0s" to end the old ones`, n)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g.reveal(e), nil
}
