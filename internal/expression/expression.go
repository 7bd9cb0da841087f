// Package expression runs the jq expressions that endpoints and sources are configured with: which
// object a body is about, which value it has, what a foreign API wants to read. Tenants write them,
// so none of them runs in this process: a Pool hands them to child processes of the same binary,
// which the kernel and a watchdog bound in memory and time (ADR 17). What an answer means is for
// the caller: sender and echo ask for values, the gateway whether a text is an expression at all.
package expression

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/places"
)

// The bounds of expressions.
const (
	// MaxSource bounds an expression's text, in bytes.
	MaxSource = 4 << 10
	// MaxBody bounds the body an expression is given, in bytes. Decoded it holds ten times as much
	// of the memory.
	MaxBody = 2 << 20
	// MaxValue bounds what an expression gives, in bytes of JSON.
	MaxValue = 2 << 20
	// MaxMemory is what a child may take of the memory for its work, in bytes: beside what it had
	// at its start.
	MaxMemory = 64 << 20
	// MaxCPU is what one expression may take of a processor. It is no wall clock: a busy machine
	// makes no expression fail.
	MaxCPU = 500 * time.Millisecond
)

// What an expression does wrong with a body. None of them quotes it.
var (
	ErrTime   = errors.New("the expression ran for too long")
	ErrMemory = errors.New("the expression took too much memory")
	ErrCount  = errors.New("the expression must give exactly one value")
	ErrFails  = errors.New("the expression fails on this body")
	ErrLarge  = errors.New("the expression gives too large a value")
	ErrJSON   = errors.New("the body is not one JSON value")
)

// Unavailable is our own failure: nothing was found out about the expression. It is worth another
// try.
type Unavailable struct{ Cause error }

func (e *Unavailable) Error() string { return "expressions: " + e.Cause.Error() }

// Unwrap gives the cause.
func (e *Unavailable) Unwrap() error { return e.Cause }

// Fault is what an expression did wrong: its owner's affair, and the same at every try.
type Fault struct {
	Ask     int // which of those asked for, from 0
	Problem error
}

func (e *Fault) Error() string { return e.Problem.Error() }

// Unwrap gives the problem.
func (e *Fault) Unwrap() error { return e.Problem }

// Form is how an answer is written.
type Form string

// The forms of an answer.
const (
	JSON Form = "json" // the members of objects in order of their names
	Hash Form = "hash" // 64 hexadecimal digits, the same for all texts of the same value
)

// Ask is one expression that is to be run.
type Ask struct {
	Text string `json:"text"`
	Form Form   `json:"form"`
	Max  int    `json:"max"` // bytes of JSON the value may have; 0: MaxValue
}

// patience bounds how long an expression waits for a child. Each is free again after some two
// seconds at the latest, so an expression that waits longer has many before it.
const patience = 5 * time.Second

// usualProcesses is how many children there are unless a Config says otherwise. Two let a second
// tenant in beside one whose expressions take all their time.
func usualProcesses() int { return min(max(runtime.GOMAXPROCS(0), 2), 4) }

// Config is what a Pool is made of.
type Config struct {
	Processes int                   // at most; 0: as many as there are processors, two at least and four at most
	Metrics   prometheus.Registerer // nil: shows none
}

// Pool runs expressions in child processes. None is started before the first expression, and one
// that breaks its bounds is replaced. It is safe for concurrent use, and meant to be shared.
type Pool struct {
	places   *places.Places
	children *children
	outcomes *prometheus.CounterVec
}

// New makes a Pool; no process is started. Its only error is a metric that is registered already.
func New(c Config) (*Pool, error) {
	p := &Pool{places: places.New(cmp.Or(c.Processes, usualProcesses()), patience), children: &children{}, outcomes: newOutcomes()}
	if c.Metrics == nil {
		return p, nil
	}
	if err := c.Metrics.Register(p.outcomes); err != nil {
		return nil, fmt.Errorf("expressions: metrics: %w", err)
	}
	return p, nil
}

// Close ends the children. What they work at fails.
func (p *Pool) Close() { p.children.close() }

// Values gives what a tenant's expressions make of a body, in the order they were asked for. It
// stops at the first that fails: then the error is a *Fault, and the values before it are given.
// ErrJSON and ErrLarge alone are about the body. Any other error is ctx's, or an *Unavailable.
func (p *Pool) Values(ctx context.Context, tenant string, body []byte, asks ...Ask) ([][]byte, error) {
	if len(body) > MaxBody {
		return nil, ErrLarge
	}
	values, err := p.run(ctx, tenant, request{Asks: asks}, body)
	p.count(err)
	return values, err
}

// Check says what is wrong with an expression's text: then the error is a *Fault.
func (p *Pool) Check(ctx context.Context, tenant, text string) error {
	if len(text) > MaxSource {
		return &Fault{Problem: fmt.Errorf("has %d bytes, at most %d are allowed", len(text), MaxSource)}
	}
	_, err := p.run(ctx, tenant, request{Check: text}, nil)
	return err
}

// run finds a child and asks it. One that was idle may have been ended by others: then a new one is
// asked.
func (p *Pool) run(ctx context.Context, tenant string, r request, body []byte) ([][]byte, error) {
	if err := p.places.Take(ctx, tenant); err != nil {
		if errors.Is(err, places.ErrFull) {
			err = &Unavailable{err}
		}
		return nil, err
	}
	defer p.places.GiveBack(tenant)
	for {
		c, used, err := p.children.take(ctx)
		if err != nil {
			return nil, err
		}
		values, err := c.ask(ctx, r, body)
		p.children.giveBack(c)
		if used && errors.Is(err, errBroken) {
			continue
		}
		return values, err
	}
}

func newOutcomes() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_expressions_total",
		Help: "Bodies that expressions were run on, by how that ended: ok, fault (the body does not suit), time or memory (a bound was broken), unavailable (ours).",
	}, []string{"outcome"})
	for _, outcome := range []string{"ok", "fault", "time", "memory", "unavailable"} {
		c.WithLabelValues(outcome) // shown from the start
	}
	return c
}

func (p *Pool) count(err error) {
	outcome := "fault"
	_, ours := errors.AsType[*Unavailable](err)
	switch {
	case err == nil:
		outcome = "ok"
	case errors.Is(err, ErrTime):
		outcome = "time"
	case errors.Is(err, ErrMemory):
		outcome = "memory"
	case ours:
		outcome = "unavailable"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return // the caller has gone
	}
	p.outcomes.WithLabelValues(outcome).Inc()
}
