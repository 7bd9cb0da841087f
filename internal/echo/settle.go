package echo

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"hookloop/internal/webhook"
)

// settleTimeout bounds how long an attempt that is over waits for the store.
const settleTimeout = 2 * time.Second

// settle notes what came of the attempt that w was noted for; nil: none was made. What never
// reached the application must not make an echo of what a person does there. What may have reached
// it, though the answer says that it failed, counts for as long as an application takes to report.
// A store that is out of reach changes nothing of what was delivered: the write then counts until
// it is forgotten.
func (t *Tracker) settle(ctx context.Context, w Write, a *webhook.Attempt) {
	if a != nil && a.Succeeded() {
		return
	}
	until := t.now()
	if a != nil && mayHaveArrived(*a) {
		until = until.Add(ReportLag)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := t.store.Settle(ctx, w, until); err != nil {
		t.logger.Warn("echo not settled", slog.String("event", w.EventID), slog.String("endpoint", w.EndpointID), slog.Any("error", err))
	}
}

// mayHaveArrived says whether an endpoint may have done what a failed attempt asked.
func mayHaveArrived(a webhook.Attempt) bool {
	switch a.Failure {
	case webhook.FailureTimeout, webhook.FailureReset, webhook.FailureOther:
		return true
	case webhook.FailureRefused, webhook.FailureDNS, webhook.FailureTLS, webhook.FailureAddress, webhook.FailureRequest:
		return false
	case "":
	}
	switch a.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict: // an earlier attempt may have been the one
		return true
	}
	return a.StatusCode >= http.StatusInternalServerError
}
