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

// Ledger says whether an item of a source is the echo of what was delivered to its application.
type Ledger interface {
	Rule(ctx context.Context, s webhook.Source, eventID string, data []byte) (webhook.Ruling, error)
}

// startAtOnce is how many events of one request are started side by side.
const startAtOnce = 16

// tally counts what became of the events of a request.
type tally struct {
	mu                           sync.Mutex
	accepted, duplicates, echoes int
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
		if err := webhook.CheckData(item.Data); err != nil {
			bad.bad[i] = err
			continue
		}
		e, err := in.event(ctx, &m, item, hops)
		if err != nil {
			return nil, err
		}
		all = append(all, incoming{EventInput: e, data: item.Data})
	}
	if len(bad.bad) > 0 {
		return all, bad
	}
	return all, nil
}

// maxOriginKey bounds a third party's id of an event as it is shown, in bytes.
const maxOriginKey = 256

func (in *ingestion) event(ctx context.Context, m *matcher, item source.Item, hops int) (workflows.EventInput, error) {
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
	ruling, err := in.gateway.ledger.Rule(ctx, s, e.ID, item.Data)
	if err != nil {
		return workflows.EventInput{}, fmt.Errorf("event %s: %w", e.ID, registryErr(err))
	}
	e.Origin.Order, e.Origin.EchoOf = ruling.Order, ruling.EchoOf
	if e.Origin.IsEcho() {
		return workflows.EventInput{Event: e}, nil
	}
	to, withheld, err := m.match(ctx, e.Type)
	return workflows.EventInput{Event: e, EndpointIDs: to, Withheld: withheld}, err
}

// start accepts one event. One of the same id was accepted before, from the same request or its like.
func (in *ingestion) start(ctx context.Context, e incoming) error {
	err := accept.Start(ctx, in.gateway.temporal, e.EventInput, e.data)
	in.tally.mu.Lock()
	defer in.tally.mu.Unlock()
	switch {
	case accept.Before(err):
		in.tally.duplicates++
	case err != nil:
		return fmt.Errorf("event %s: %w", e.Event.ID, temporalErr(err))
	case e.Event.Origin.IsEcho():
		in.tally.echoes++
	default:
		in.tally.accepted++
	}
	return nil
}

func (in *ingestion) countEvents() {
	m, provider := in.gateway.metrics, in.source.Provider
	m.accepted.Add(float64(in.tally.accepted + in.tally.echoes))
	m.items.WithLabelValues(provider, "accepted").Add(float64(in.tally.accepted))
	m.items.WithLabelValues(provider, "duplicate").Add(float64(in.tally.duplicates))
	m.items.WithLabelValues(provider, "echo").Add(float64(in.tally.echoes))
}

// matcher finds the endpoints of the events of one request; many are of the same type.
type matcher struct {
	gateway *Gateway
	source  webhook.Source
	matched map[string][]string
	own     map[string]bool // endpoints of the application itself; nil: not asked yet
}

// match gives the endpoints an event goes to, and those it would go to if it did not come from their
// own application.
func (m *matcher) match(ctx context.Context, eventType string) (to, withheld []string, err error) {
	all, known := m.matched[eventType]
	if !known {
		if all, err = m.gateway.registry.Match(ctx, m.source.Tenant, eventType); err != nil {
			return nil, nil, registryErr(err)
		}
		m.matched[eventType] = all
	}
	if err := m.askOwn(ctx); err != nil {
		return nil, nil, err
	}
	for _, id := range all {
		if m.own[id] {
			withheld = append(withheld, id)
		} else {
			to = append(to, id)
		}
	}
	return to, withheld, nil
}

func (m *matcher) askOwn(ctx context.Context) error {
	if m.source.Application == "" || m.own != nil {
		return nil
	}
	ids, err := m.gateway.sources.Withheld(ctx, m.source.Tenant, m.source.Application)
	if err != nil {
		return registryErr(err)
	}
	m.own = map[string]bool{}
	for _, id := range ids {
		m.own[id] = true
	}
	return nil
}
