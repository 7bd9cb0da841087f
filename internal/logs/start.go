package logs

import (
	"context"
	"log/slog"
	"sync"
)

// heldLines bounds what a start keeps. One that gets through says a handful.
const heldLines = 1000

// startLog keeps what is logged until a start is through. Then the lines follow in their order. A
// start that fails drops them: the one error that ends it says what is wrong, and the many that it
// led to elsewhere would only hide it.
type startLog struct {
	slog.Handler

	held *held
}

// held is shared by all loggers made from one.
type held struct {
	mu    sync.Mutex
	open  bool
	lines []func() // write one each
}

// HoldUntilStarted gives the logger of a start, and what the start calls when it is through.
func HoldUntilStarted(log *slog.Logger) (of *slog.Logger, started func()) {
	h := &held{}
	return slog.New(startLog{log.Handler(), h}), h.release
}

func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, write := range h.lines {
		write()
	}
	h.open, h.lines = true, nil
}

// Handle implements slog.Handler.
func (l startLog) Handle(ctx context.Context, r slog.Record) error {
	l.held.mu.Lock()
	if l.held.open {
		l.held.mu.Unlock()
		return l.Handler.Handle(ctx, r)
	}
	defer l.held.mu.Unlock()
	if len(l.held.lines) < heldLines {
		r, ctx := r.Clone(), context.WithoutCancel(ctx)
		l.held.lines = append(l.held.lines, func() { _ = l.Handler.Handle(ctx, r) })
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l startLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return startLog{l.Handler.WithAttrs(attrs), l.held}
}

// WithGroup implements slog.Handler.
func (l startLog) WithGroup(name string) slog.Handler {
	return startLog{l.Handler.WithGroup(name), l.held}
}
