// Package sender makes one attempt: a signed POST with a deadline, behind an address guard. Its
// guard decides whether the attempt may be made now. The sender reports what came back and never
// says what to do about it: verdicts are webhook.Decide's, and whether a turn may go to an endpoint
// in its state is webhook.Endpoint's. Activities call it; it is the only package that asks HTTP of
// others.
package sender

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"hookloop/internal/expression"
	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// Config says how attempts are made.
type Config struct {
	AllowLoopback bool                  // let endpoints on 127.0.0.0/8 and ::1 through; for development only
	AllowNetworks []netip.Prefix        // internal networks that endpoints may lie in; empty: none
	MaxInFlight   int                   // attempts in flight per endpoint, at most; 0: 1,024
	UserAgent     string                // empty: "Hookloop"
	Now           func() time.Time      // dates and signs attempts; nil: time.Now
	Logger        *slog.Logger          // nil: silent
	Metrics       prometheus.Registerer // nil: none
	Tracer        trace.Tracer          // makes spans of attempts at traced events; nil: none, and endpoints see no trace
	Health        guard.Health          // told how endpoints fare; nil: none
	Pacer         guard.Pacer           // keeps rate limits for all workers together; nil: each keeps its own
	Expressions   *expression.Pool      // runs those of endpoints' requests; nil: a pool of its own, which starts no process before the first
}

// Sender makes attempts. It is safe for concurrent use and meant to be shared: only attempts of the
// same Sender share connections, breakers and limits.
type Sender struct {
	userAgent   string
	now         func() time.Time
	log         *slog.Logger
	transport   *renewing
	guard       *guard.Guard
	metrics     *metrics
	tracer      trace.Tracer
	expressions *expression.Pool
}

// New prepares a Sender; nothing is dialled before the first Send.
func New(cfg Config) (*Sender, error) {
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "Hookloop")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Expressions == nil {
		cfg.Expressions, _ = expression.New(expression.Config{}) // without metrics it cannot fail
	}
	g, err := guard.New(guard.Config{
		MaxInFlight: cfg.MaxInFlight, Health: cfg.Health, Pacer: cfg.Pacer, Metrics: cfg.Metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	return &Sender{
		userAgent:   cfg.UserAgent,
		now:         cfg.Now,
		log:         cfg.Logger,
		transport:   newRenewing(func() *http.Transport { return newTransport(cfg.AllowLoopback, cfg.AllowNetworks...) }),
		guard:       g,
		metrics:     m,
		tracer:      cfg.Tracer,
		expressions: cfg.Expressions,
	}, nil
}

// Close gives up idle connections. Attempts in flight go on.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Send makes attempt number of d. Every answer and every failure of the endpoint is an Attempt; an
// error means that no attempt counts, and is a *webhook.Deferral unless the trouble is our own.
func (s *Sender) Send(ctx context.Context, d webhook.Delivery, number int) (webhook.Attempt, error) {
	permit, err := s.guard.Acquire(ctx, d)
	if err != nil {
		return webhook.Attempt{}, s.counted(err)
	}
	var made webhook.Attempt // stays zero when no attempt counts, also after a panic
	defer func() { s.guard.Release(permit, d, made) }()

	a, err := s.traced(ctx, d, number)
	if _, deferred := errors.AsType[*webhook.Deferral](err); deferred {
		return webhook.Attempt{}, s.counted(err)
	}
	if err != nil {
		return webhook.Attempt{}, fmt.Errorf("endpoint %s: %w", d.Endpoint.ID, err)
	}
	made = a
	s.record(ctx, d, a)
	return a, nil
}

// Breaker says how the circuit breaker before an endpoint stands in this worker: "closed", "open",
// or "half-open" when the next attempt is a probe. Other workers have breakers of their own.
func (s *Sender) Breaker(tenant, endpointID string) string {
	return s.guard.Breaker(tenant, endpointID)
}

func (s *Sender) attempt(ctx context.Context, d webhook.Delivery, number int) (webhook.Attempt, error) {
	a := webhook.Attempt{Number: number, At: s.now().UTC(), EndpointVersion: d.Endpoint.Version}
	secrets := d.Endpoint.SigningSecrets(a.At)
	if len(secrets) == 0 {
		return a, errors.New("no secret to sign with")
	}
	want, err := s.wanted(ctx, d) // before the endpoint's time begins: what its expression takes is not the endpoint's answer
	if err != nil {
		return s.unmade(ctx, a, err)
	}
	timeout := d.Endpoint.TimeoutOrDefault()
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	var p phase
	start := time.Now() // not s.now: only the real clock is monotonic
	err = s.exchange(p.watch(within), d, want, secrets, start, &a)
	if err != nil && ctx.Err() != nil {
		return a, guard.Stopping()
	}
	if err != nil {
		a.DurationMS = time.Since(start).Milliseconds()
		a.Failure, a.Error = classify(err, p.late(timeout))
	}
	return a, nil
}

// unmade is an attempt whose request cannot be made of the event, or a turn in which that was not
// found out.
func (s *Sender) unmade(ctx context.Context, a webhook.Attempt, err error) (webhook.Attempt, error) {
	if ctx.Err() != nil {
		return a, guard.Stopping()
	}
	if deferral, ok := errors.AsType[*webhook.Deferral](err); ok {
		return a, deferral
	}
	a.Failure, a.Error = classify(err, "")
	return a, nil
}

// counted counts err if it defers the turn.
func (s *Sender) counted(err error) error {
	if deferral, ok := errors.AsType[*webhook.Deferral](err); ok {
		s.metrics.deferrals.WithLabelValues(string(deferral.Reason)).Inc()
	}
	return err
}

// The messages of attempts in the log.
const (
	LogTaken  = "attempt"
	LogFailed = "attempt failed"
)

// record writes the attempt's one log line and its metrics. The line names the event's type and
// the host of the endpoint's URL. Neither carries anything else that the app or the endpoint
// wrote.
func (s *Sender) record(ctx context.Context, d webhook.Delivery, a webhook.Attempt) {
	s.metrics.attempts.WithLabelValues(outcome(a)).Inc()
	s.metrics.duration.Observe(float64(a.DurationMS) / 1000)
	level := slog.LevelWarn
	if a.Succeeded() {
		level = slog.LevelDebug
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("tenant", d.Event.Tenant),
		slog.String("event", d.Event.ID),
		slog.String("type", d.Event.Type),
		slog.String("endpoint", d.Endpoint.ID),
		slog.String("host", webhook.HostOf(d.Endpoint.URL)),
		slog.Int("attempt", a.Number),
		slog.Int("status", a.StatusCode),
		slog.Int64("duration_ms", a.DurationMS),
		slog.String("failure", string(a.Failure)),
	}
	if a.Succeeded() {
		s.log.LogAttrs(ctx, level, LogTaken, attrs...)
		return
	}
	s.log.LogAttrs(ctx, level, LogFailed, attrs...)
}

// outcome is a metric label: a class of status or a kind of failure, so that no endpoint can make
// labels up.
func outcome(a webhook.Attempt) string {
	switch {
	case a.Failure != "":
		return string(a.Failure)
	case a.StatusCode > 599:
		return string(webhook.FailureOther)
	}
	return strconv.Itoa(a.StatusCode/100) + "xx"
}
