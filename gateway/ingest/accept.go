package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// startAtOnce is how many events of one request are started side by side.
const startAtOnce = 16

// roundSize is how many items of a request are taken at a time: known, started and remembered
// together. A large batch whose time is up has come as far as its last round, and goes on from
// there when it comes again.
const roundSize = 4 * startAtOnce

// errTimeIsUp says that a batch is larger than what can be accepted while its sender waits.
var errTimeIsUp = errors.New("not all events were accepted in time; the others are when they come again")

// tally counts what became of the events of a request.
type tally struct {
	mu                           sync.Mutex
	accepted, duplicates, echoes int
	repeats                      int // of what an application has lost
}

// outcome is the metric's label of a request that was taken.
func (in *ingestion) outcome(r source.Received) string {
	if len(r.Items) == 0 {
		return "handshake"
	}
	return "accepted"
}

// accept starts an event for each item that is none yet. Its error says that some were not started:
// those that cannot be reached now come again with the request, in which the others are known by
// their ids; those that can never be accepted are badItems.
func (in *ingestion) accept(ctx context.Context, items []source.Item, hops int) error {
	if len(items) == 0 {
		return nil
	}
	if err := in.receiver.cfg.Gate.Full(in.source.Tenant); err != nil { // once under way, each event waits for its place
		return err
	}
	if err := in.charge(items); err != nil {
		return err
	}
	defer in.countEvents()
	ctx = webhook.WithActor(ctx, webhook.Actor{Name: in.source.ID, Via: webhook.ViaSource})
	begin, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	in.matcher = &matcher{receiver: in.receiver, source: in.source, matched: map[string]webhook.Match{}}
	in.bad = badItems{of: len(items), bad: map[int]badItem{}}
	begins := 0
	for round := range slices.Chunk(items, roundSize) {
		if begin.Err() != nil {
			return problem.Away("Hookloop", errTimeIsUp)
		}
		if err := in.round(ctx, in.arriving(round, begins), hops); err != nil {
			return err
		}
		begins += len(round)
	}
	if len(in.bad.bad) > 0 {
		return &in.bad
	}
	return nil
}

// charge takes what a request brings of its tenant's quotas.
func (in *ingestion) charge(items []source.Item) error {
	quotas, tenant := in.receiver.cfg.Quotas, in.source.Tenant
	if err := quotas.Post(tenant, len(items)); err != nil {
		return err
	}
	bytes := 0
	for _, item := range items {
		bytes += len(item.Data)
	}
	return quotas.Bytes(tenant, bytes)
}

// round takes some of the items: it finds out which of them are new, and starts those.
func (in *ingestion) round(ctx context.Context, all []*arriving, hops int) error {
	if err := in.recognise(ctx, all); err != nil {
		return err
	}
	var events []newEvent
	for _, a := range all { // in order: an application tells of its changes in the order in which it made them
		if a.taken {
			continue
		}
		e := in.event(a, hops)
		more, err := in.rule(ctx, in.matcher, &e)
		if err != nil {
			return err
		}
		events = append(append(events, e), more...)
	}
	var starting errgroup.Group // one that fails holds no other up
	starting.SetLimit(startAtOnce)
	for _, e := range events {
		starting.Go(func() error { return in.start(ctx, e) })
	}
	return starting.Wait()
}

// start accepts one event. One of the same id was accepted before, from the same request or its
// like.
func (in *ingestion) start(ctx context.Context, e newEvent) error {
	err := in.receiver.cfg.Start(ctx, e.EventInput, e.data)
	in.tally.mu.Lock()
	defer in.tally.mu.Unlock()
	switch {
	case errors.Is(err, orchestrator.ErrAccepted):
		in.tally.duplicates++
	case err != nil:
		return fmt.Errorf("event %s: %w", e.Event.ID, err)
	}
	if e.arriving != nil {
		in.taken = append(in.taken, e.arriving.known())
	}
	switch {
	case err != nil:
	case e.Event.Origin.IsEcho():
		in.tally.echoes++
	case e.Event.Origin.Repeats != "":
		in.tally.repeats++
	default:
		in.tally.accepted++
	}
	return nil
}

// countEvents tells what became of the items, also of a request that was not taken to its end.
func (in *ingestion) countEvents() {
	m, provider := in.receiver.cfg, in.source.Provider
	accepted := in.tally.accepted + in.tally.echoes + in.tally.repeats
	m.Events.Add(float64(accepted))
	m.Items.WithLabelValues(provider, "accepted").Add(float64(in.tally.accepted))
	m.Items.WithLabelValues(provider, "duplicate").Add(float64(in.tally.duplicates))
	m.Items.WithLabelValues(provider, "echo").Add(float64(in.tally.echoes))
	m.Items.WithLabelValues(provider, "repeat").Add(float64(in.tally.repeats))
	m.Items.WithLabelValues(provider, "refused").Add(float64(len(in.bad.bad)))
	a := webhook.SourceActivity{Accepted: int64(accepted), Repeats: int64(in.tally.duplicates)}
	if accepted > 0 {
		a.LastAcceptedAt = in.receiver.cfg.Now()
	}
	if len(in.bad.bad) > 0 {
		a.Refused, a.LastRefusedAt, a.LastRefusal = int64(len(in.bad.bad)), in.receiver.cfg.Now(), in.bad.first()
	}
	in.receiver.arrivals.note(in.source.ID, in.taken, a)
}
