package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"hookloop/internal/accept"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// startAtOnce is how many events of one request are started side by side.
const startAtOnce = 16

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

// accept starts an event for each item. Its error says that some were not: those that cannot be
// reached now come again with the request, in which the others are known by their ids; those that
// can never be accepted are badItems.
func (in *ingestion) accept(ctx context.Context, items []source.Item, hops int) error {
	if len(items) == 0 {
		return nil
	}
	events, err := in.events(ctx, items, hops)
	bad, some := errors.AsType[*badItems](err)
	if err != nil && !some {
		return err
	}
	var starting errgroup.Group // one that fails holds no other up
	starting.SetLimit(startAtOnce)
	for _, e := range events {
		starting.Go(func() error { return in.start(ctx, e) })
	}
	err = starting.Wait()
	in.countEvents()
	if err == nil && some {
		return bad
	}
	return err
}

// incoming is an event about to be started.
type incoming struct {
	workflows.EventInput
	data []byte
}

// events makes the events of a request, in order: the ledger is asked about one after the other, for an
// application tells of its changes in the order in which it made them.
func (in *ingestion) events(ctx context.Context, items []source.Item, hops int) ([]incoming, error) {
	m := matcher{gateway: in.gateway, source: in.source, matched: map[string][]string{}}
	bad := &badItems{of: len(items), bad: map[int]error{}}
	var all []incoming
	for i, item := range items {
		if err := checkItem(item); err != nil {
			bad.bad[i] = err
			continue
		}
		e := in.event(item, hops)
		more, err := in.rule(ctx, &m, &e)
		if err != nil {
			return nil, err
		}
		all = append(append(all, e), more...)
	}
	if len(bad.bad) > 0 {
		return all, bad
	}
	return all, nil
}

// maxContext bounds what a third party says of several events at once, in bytes: it is written once for
// each of them.
const maxContext = 16 << 10

func checkItem(i source.Item) error {
	if len(i.Context) > maxContext {
		return webhook.Invalidf("context", "has %d bytes, at most %d are allowed", len(i.Context), maxContext)
	}
	return webhook.CheckData(i.Data)
}

// maxOriginKey bounds a third party's id of an event as it is shown, in bytes.
const maxOriginKey = 256

// event is what an item is, before it is known whom it goes to.
func (in *ingestion) event(item source.Item, hops int) incoming {
	s := in.source
	key := item.Key
	if len(key) > maxOriginKey {
		key = key[:maxOriginKey]
	}
	e := webhook.Event{
		Tenant: s.Tenant,
		// No app's Idempotency-Key holds a space: an app cannot take a third party's event for its own.
		ID:        accept.IDForKey(s.Tenant, "source "+s.ID+" "+item.ID()),
		Type:      webhook.EventTypeOf(typePrefix(s), item.Type),
		Timestamp: in.gateway.now().UTC(),
		Hops:      hops,
		Origin:    &webhook.Origin{SourceID: s.ID, Provider: s.Provider, Key: key, Application: s.Application},
	}
	return incoming{EventInput: workflows.EventInput{Event: e, Context: item.Context}, data: item.Data}
}

// start accepts one event. One of the same id was accepted before, from the same request or its like.
func (in *ingestion) start(ctx context.Context, e incoming) error {
	err := in.gateway.start(ctx, e.EventInput, e.data)
	in.tally.mu.Lock()
	defer in.tally.mu.Unlock()
	switch {
	case accept.Before(err):
		in.tally.duplicates++
	case err != nil:
		return fmt.Errorf("event %s: %w", e.Event.ID, temporalErr(err))
	case e.Event.Origin.IsEcho():
		in.tally.echoes++
	case e.Event.Origin.Repeats != "":
		in.tally.repeats++
	default:
		in.tally.accepted++
	}
	return nil
}

func (in *ingestion) countEvents() {
	m, provider := in.gateway.metrics, in.source.Provider
	m.accepted.Add(float64(in.tally.accepted + in.tally.echoes + in.tally.repeats))
	m.items.WithLabelValues(provider, "accepted").Add(float64(in.tally.accepted))
	m.items.WithLabelValues(provider, "duplicate").Add(float64(in.tally.duplicates))
	m.items.WithLabelValues(provider, "echo").Add(float64(in.tally.echoes))
	m.items.WithLabelValues(provider, "repeat").Add(float64(in.tally.repeats))
}
