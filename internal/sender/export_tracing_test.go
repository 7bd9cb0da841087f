package sender

import (
	"context"
	"net/http"

	"hookloop/internal/webhook"
)

// Propagate is what tracing does to a request that is about to be sent.
func Propagate(ctx context.Context, r *http.Request) { propagate(ctx, r) }

// Traced is an attempt within its span, if there is to be one; Attempt is one without.
func (s *Sender) Traced(ctx context.Context, d webhook.Delivery) { _, _ = s.traced(ctx, d, 1) }

// Attempt is what Traced goes around.
func (s *Sender) Attempt(ctx context.Context, d webhook.Delivery) { _, _ = s.attempt(ctx, d, 1) }
