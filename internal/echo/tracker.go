package echo

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// Store keeps writes and what is known of objects.
type Store interface {
	// Remember notes a write before it leaves. The same delivery may note it again.
	Remember(ctx context.Context, w Write, now time.Time) error
	// Settle lets a write count until a time, and not shorter than before its latest attempt.
	Settle(ctx context.Context, w Write, until time.Time) error
	// Rule says whether a report is an echo or a change.
	Rule(ctx context.Context, r Report, now time.Time) (Ruling, error)
	// Change makes a change of a report, even if it is the echo of a write.
	Change(ctx context.Context, r Report, now time.Time) (Ruling, error)
}

// Config is what a Tracker needs. All but Store may be left out.
type Config struct {
	Store   Store
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time // time.Now

	// Expressions finds objects and values; nil: a pool of the Tracker's own, which starts no
	// process before the first expression.
	Expressions *expression.Pool
}

// Tracker notes what deliveries bring to applications, and recognises it in what they report.
type Tracker struct {
	store       Store
	expressions *expression.Pool
	logger      *slog.Logger
	missed      *prometheus.CounterVec
	now         func() time.Time
}

// New makes a Tracker. Its only error is a metric that is registered already.
func New(c Config) (*Tracker, error) {
	t := &Tracker{store: c.Store, expressions: c.Expressions, logger: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)), missed: newMissed(), now: c.Now}
	if t.expressions == nil {
		t.expressions, _ = expression.New(expression.Config{}) // without metrics it cannot fail
	}
	if t.now == nil {
		t.now = time.Now
	}
	if c.Metrics == nil {
		return t, nil
	}
	if err := c.Metrics.Register(t.missed); err != nil {
		return nil, fmt.Errorf("echo: metrics: %w", err)
	}
	return t, nil
}

// Remember notes what a delivery is about to bring to its endpoint, if that endpoint says how to
// find it. A body in which it is not found is counted and not noted: its echo will count as a
// change. The caller tells settle what came of the attempt; nil: none was made.
func (t *Tracker) Remember(ctx context.Context, d webhook.Delivery) (settle func(context.Context, *webhook.Attempt), err error) {
	if d.Endpoint.Application == "" || d.Endpoint.Echo.IsZero() {
		return settled, nil
	}
	v, err := t.value(ctx, d.Event.Tenant, d.Endpoint.Echo, webhook.Body(d.Event, d.Content))
	if err != nil {
		return settled, t.goOn(ctx, err, "endpoint", d.Endpoint.ID, d.Event.ID)
	}
	v.Tenant, v.Application = d.Event.Tenant, d.Endpoint.Application
	w := Write{Value: v, EventID: d.Event.ID, EndpointID: d.Endpoint.ID}
	if d.Event.Origin != nil {
		w.Order, w.Unsure = d.Event.Origin.Order, d.Event.Origin.Unsure
	}
	if err := t.store.Remember(ctx, w, t.now()); err != nil {
		return settled, err
	}
	return func(ctx context.Context, a *webhook.Attempt) { t.settle(ctx, w, a) }, nil
}

// settled is for a delivery of which nothing was noted.
func settled(context.Context, *webhook.Attempt) {}

// Restore brings an application once more the change it lost (Newer of the ruling). It answers
// false if it cannot: none of the application's endpoints takes it, or its history has gone.
type Restore func(ctx context.Context, r Ruling) (bool, error)

// Rule says whether an item of a source is an echo. An echo by which the application lost a newer
// change is one only if restore can bring it that change again; otherwise it is a change, so that
// the others follow. The ruling is zero for a source that does not say how to find its objects, and
// for an item in which none is found.
func (t *Tracker) Rule(ctx context.Context, s webhook.Source, eventID string, data []byte, restore Restore) (Ruling, error) {
	if s.Application == "" || s.Echo.IsZero() {
		return Ruling{}, nil
	}
	v, err := t.value(ctx, s.Tenant, s.Echo, data)
	if err != nil {
		return Ruling{}, t.goOn(ctx, err, "source", s.ID, eventID)
	}
	v.Tenant, v.Application = s.Tenant, s.Application
	report := Report{Value: v, EventID: eventID}
	ruling, err := t.store.Rule(ctx, report, t.now())
	if err != nil || ruling.Newer == "" {
		return ruling, err
	}
	if restored, err := restore(ctx, ruling); err != nil || restored {
		return ruling, err
	}
	return t.store.Change(ctx, report, t.now())
}
