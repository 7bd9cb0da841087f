// Package ledger tells the echo of what we wrote from a change. An application that takes a delivery
// and is a source as well tells us of its new value as if a person had changed it; passed on, that
// would come back from the next application, and so on without end. The ledger notes each value before
// it leaves and recognises it when it returns. What is stored, and in which order, is the store's (ADR
// 8); activities note, the gateway asks.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// Store keeps the marks.
type Store interface {
	Remember(ctx context.Context, w webhook.Write, now time.Time) error
	Rule(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
	Change(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
}

// Ledger reads marks out of bodies.
type Ledger struct {
	store       Store
	expressions *expression.Expressions
	now         func() time.Time
}

// New makes a Ledger on a store; now nil: time.Now.
func New(s Store, x *expression.Expressions, now func() time.Time) *Ledger {
	if now == nil {
		now = time.Now
	}
	return &Ledger{store: s, expressions: x, now: now}
}

// maxKey bounds an object's key, in bytes: it stands in an index.
const maxKey = 512

// errNoMark says that a body is about no object we could recognise again. That is nobody's fault.
var errNoMark = errors.New("the body names no object")

// Remember notes what a delivery is about to bring to its endpoint, if that endpoint says how to find
// it. A body it does not find it in is not noted: its echo will be taken for a change.
func (l *Ledger) Remember(ctx context.Context, d webhook.Delivery) error {
	if d.Endpoint.Application == "" || d.Endpoint.Echo.IsZero() {
		return nil
	}
	m, err := l.mark(ctx, d.Endpoint.Echo, webhook.Body(d.Event, d.Content))
	if errors.Is(err, errNoMark) {
		return nil
	}
	if err != nil {
		return err
	}
	m.Tenant, m.Application = d.Event.Tenant, d.Endpoint.Application
	w := webhook.Write{Mark: m, EventID: d.Event.ID, EndpointID: d.Endpoint.ID}
	if d.Event.Origin != nil {
		w.Order, w.Unsure = d.Event.Origin.Order, d.Event.Origin.Unsure
	}
	return l.store.Remember(ctx, w, l.now())
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
	m, err := l.mark(ctx, s.Echo, data)
	if errors.Is(err, errNoMark) {
		return webhook.Ruling{}, nil
	}
	if err != nil {
		return webhook.Ruling{}, err
	}
	m.Tenant, m.Application = s.Tenant, s.Application
	return judge(ctx, webhook.Report{Mark: m, EventID: eventID}, l.now())
}

// mark finds object and value in a body. Its error is errNoMark, or that the caller has gone.
func (l *Ledger) mark(ctx context.Context, paths webhook.EchoPaths, raw []byte) (m webhook.Mark, err error) {
	body, err := expression.Body(raw)
	if err != nil {
		return m, errNoMark
	}
	key, err := l.expressions.Value(ctx, paths.Key, body)
	if err != nil || key == nil {
		return m, gone(ctx)
	}
	value, err := l.expressions.Value(ctx, paths.Value, body) // null is a value: somebody cleared it
	if err != nil {
		return m, gone(ctx)
	}
	if m.Key, err = text(key); err != nil {
		return m, errNoMark
	}
	if m.Hash, err = expression.Hash(value); err != nil {
		return m, errNoMark
	}
	return m, nil
}

func gone(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errNoMark
}

// text is a key as it is stored: 7 and "7" are the same object, for JSON of one application may quote
// what that of another does not.
func text(key any) (string, error) {
	s, isString := key.(string)
	if !isString {
		raw, err := expression.Marshal(key)
		if err != nil {
			return "", err
		}
		s = string(raw)
	}
	if s == "" || len(s) > maxKey {
		return "", fmt.Errorf("a key of %d bytes", len(s))
	}
	return s, nil
}
