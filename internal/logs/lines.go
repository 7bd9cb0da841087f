package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"hookloop/internal/sender"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// lines shows people what becomes of events, in a line for each event and for each attempt that
// failed. The other records go to the next handler.
type lines struct {
	next slog.Handler
	to   *pacedLines
}

func newLines(w io.Writer, next slog.Handler) slog.Handler {
	return lines{next: next, to: &pacedLines{w: terminal.Coloured(w)}}
}

func (l lines) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || l.next.Enabled(ctx, level)
}

func (l lines) Handle(ctx context.Context, r slog.Record) error {
	switch r.Message {
	case workflows.LogEventEnded:
		l.to.write(eventLine(valuesOf(r)))
		return nil
	case sender.LogFailed:
		l.to.write(attemptLine(valuesOf(r)))
		return nil
	}
	if !l.next.Enabled(ctx, r.Level) {
		return nil
	}
	return l.next.Handle(ctx, r)
}

func (l lines) WithAttrs(all []slog.Attr) slog.Handler { return lines{l.next.WithAttrs(all), l.to} }

func (l lines) WithGroup(name string) slog.Handler { return lines{l.next.WithGroup(name), l.to} }

func valuesOf(r slog.Record) map[string]slog.Value {
	all := make(map[string]slog.Value, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		all[a.Key] = a.Value.Resolve()
		return true
	})
	return all
}

func number(of map[string]slog.Value, key string) int64 {
	if v, ok := of[key]; ok && v.Kind() == slog.KindInt64 {
		return v.Int64()
	}
	return 0
}

// eventLine is like "✓ evt_… order.paid → 2 endpoints, 84 ms".
func eventLine(of map[string]slog.Value) string {
	begins := of["event"].String() + " " + of["type"].String()
	all, took := number(of, "endpoints"), number(of, "delivered")
	lasted := shortly(time.Duration(number(of, "duration_ms")) * time.Millisecond)
	switch webhook.EventStatus(of["status"].String()) {
	case webhook.EventDelivered:
		return fmt.Sprintf("✓ %s → %s, %s", begins, terminal.Count(int(all), "endpoint"), lasted)
	case webhook.EventUnmatched:
		return fmt.Sprintf("- %s: no endpoint takes this type", begins)
	case webhook.EventFailed, webhook.EventDelivering:
	}
	return fmt.Sprintf("✗ %s → %d of %s, %s: the others did not take it", begins, took, terminal.Count(int(all), "endpoint"), lasted)
}

// attemptLine is like "✗ evt_… order.paid → example.com failed: HTTP 503 (attempt 2, 5 ms)".
func attemptLine(of map[string]slog.Value) string {
	answer := fmt.Sprintf("HTTP %d", number(of, "status"))
	if number(of, "status") == 0 {
		answer = "no answer, " + failureWords(webhook.Failure(of["failure"].String()))
	}
	return fmt.Sprintf("✗ %s %s → %s failed: %s (attempt %d, %d ms)",
		of["event"], of["type"], of["host"], answer, number(of, "attempt"), number(of, "duration_ms"))
}

// failureWords say why there was no answer.
func failureWords(f webhook.Failure) string {
	switch f {
	case webhook.FailureRefused:
		return "the connection was refused"
	case webhook.FailureReset:
		return "the connection broke"
	case webhook.FailureDNS:
		return "its name is not known"
	case webhook.FailureTLS:
		return "its certificate is not trusted"
	case webhook.FailureTimeout:
		return "it took too long"
	case webhook.FailureAddress:
		return "its address is not allowed"
	case webhook.FailureRequest:
		return "no request could be made of the event"
	case webhook.FailureOther:
	}
	return "the request failed"
}

// shortly is how long something took.
func shortly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return d.Round(time.Minute).String()
}

// linesASecond is what people can make use of.
const linesASecond = 50

// pacedLines writes no more lines than that, and how many it left out.
type pacedLines struct {
	w io.Writer

	mu      sync.Mutex
	begins  time.Time
	written int
	left    int
}

func (p *pacedLines) write(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.begins) >= time.Second && p.left == 0 {
		p.begins, p.written = now, 0
	}
	if p.written++; p.written <= linesASecond {
		_, _ = fmt.Fprintln(p.w, terminal.OneLine(line))
		return
	}
	if p.left++; p.left == 1 {
		time.AfterFunc(time.Second, p.tellLeft)
	}
}

func (p *pacedLines) tellLeft() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.w, "… and %s\n", terminal.Count(p.left, "more line"))
	p.left, p.begins, p.written = 0, time.Now(), 0
}
