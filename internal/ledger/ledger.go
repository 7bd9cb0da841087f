// Package ledger tells the echo of what we wrote from a change. An application that takes a delivery
// and is a source as well tells us of its new value as if a person had changed it; passed on, that
// would come back from the next application, and so on without end. The ledger notes each value before
// it leaves and recognises it when it returns. What is stored, and in which order, is the store's (ADR
// 8); activities note, the gateway asks.
package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// Store keeps the marks.
type Store interface {
	Remember(ctx context.Context, w webhook.Write, now time.Time) error
	// Settle lets a write count until a time, and not shorter than before its latest attempt.
	Settle(ctx context.Context, w webhook.Write, until time.Time) error
	Rule(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
	Change(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
}

// Config is what a Ledger needs. All but Store may be left out.
type Config struct {
	Store   Store
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time // time.Now

	Expressions *expression.Pool // finds objects and values; nil: one of its own, which starts no process before the first
}

// Ledger reads marks out of bodies.
type Ledger struct {
	store       Store
	expressions *expression.Pool
	logger      *slog.Logger
	unmarked    *prometheus.CounterVec
	now         func() time.Time
}

// New makes a Ledger. Its only error is a metric that is registered already.
func New(c Config) (*Ledger, error) {
	l := &Ledger{store: c.Store, expressions: c.Expressions, logger: c.Logger, unmarked: newUnmarked(), now: c.Now}
	if l.expressions == nil {
		l.expressions, _ = expression.New(expression.Config{}) // without metrics it cannot fail
	}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.now == nil {
		l.now = time.Now
	}
	if c.Metrics == nil {
		return l, nil
	}
	if err := c.Metrics.Register(l.unmarked); err != nil {
		return nil, fmt.Errorf("ledger: metrics: %w", err)
	}
	return l, nil
}

// Remember notes what a delivery is about to bring to its endpoint, if that endpoint says how to find
// it. A body it does not find it in is counted and not noted: its echo will be taken for a change. Where
// something was noted, Settle has to be told what came of it.
func (l *Ledger) Remember(ctx context.Context, d webhook.Delivery) (*webhook.Write, error) {
	if d.Endpoint.Application == "" || d.Endpoint.Echo.IsZero() {
		return nil, nil
	}
	m, err := l.mark(ctx, d.Event.Tenant, d.Endpoint.Echo, webhook.Body(d.Event, d.Content))
	if err != nil {
		return nil, l.pass(ctx, err, "endpoint", d.Endpoint.ID, d.Event.ID)
	}
	m.Tenant, m.Application = d.Event.Tenant, d.Endpoint.Application
	w := webhook.Write{Mark: m, EventID: d.Event.ID, EndpointID: d.Endpoint.ID}
	if d.Event.Origin != nil {
		w.Order, w.Unsure = d.Event.Origin.Order, d.Event.Origin.Unsure
	}
	if err := l.store.Remember(ctx, w, l.now()); err != nil {
		return nil, err
	}
	return &w, nil
}

// Rule says whether an item of a source is an echo. Of a source that does not say how to find its
// objects, and of an item in which none is found, it is not, and the ruling is zero.
func (l *Ledger) Rule(ctx context.Context, s webhook.Source, eventID string, data []byte) (webhook.Ruling, error) {
	return l.rule(ctx, s, eventID, data, l.store.Rule)
}

// Change makes a change of an item that Rule found to be an echo.
func (l *Ledger) Change(ctx context.Context, s webhook.Source, eventID string, data []byte) (webhook.Ruling, error) {
	return l.rule(ctx, s, eventID, data, l.store.Change)
}

func (l *Ledger) rule(
	ctx context.Context, s webhook.Source, eventID string, data []byte,
	judge func(context.Context, webhook.Report, time.Time) (webhook.Ruling, error),
) (webhook.Ruling, error) {
	if s.Application == "" || s.Echo.IsZero() {
		return webhook.Ruling{}, nil
	}
	m, err := l.mark(ctx, s.Tenant, s.Echo, data)
	if err != nil {
		return webhook.Ruling{}, l.pass(ctx, err, "source", s.ID, eventID)
	}
	m.Tenant, m.Application = s.Tenant, s.Application
	return judge(ctx, webhook.Report{Mark: m, EventID: eventID}, l.now())
}
