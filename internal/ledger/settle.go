package ledger

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"hookloop/internal/webhook"
)

// settleTimeout bounds how long an attempt that is over waits for the registry.
const settleTimeout = 2 * time.Second

// Settle takes in what came of the attempt that w was noted for; nil: none was made. What never reached the
// application must not make an echo of what a person does there. What may have reached it, though we were
// told that it failed, counts for as long as an application takes to report. A registry that is away changes
// nothing of what has been delivered: the note then counts until it is forgotten.
func (l *Ledger) Settle(ctx context.Context, w *webhook.Write, a *webhook.Attempt) {
	if w == nil || a != nil && a.Succeeded() {
		return
	}
	until := l.now()
	if a != nil && mayHaveArrived(*a) {
		until = until.Add(webhook.ReportLag)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	if err := l.store.Settle(ctx, *w, until); err != nil {
		l.logger.Warn("echo not settled", slog.String("event", w.EventID), slog.String("endpoint", w.EndpointID), slog.Any("error", err))
	}
}

// mayHaveArrived says whether an endpoint may have done what it was asked, of an attempt that failed.
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
