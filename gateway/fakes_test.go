package gateway_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
)

// named is a run of a workflow.
func named(id string, r *orchestratortest.Run) *orchestratortest.Run {
	r.ID = id
	return r
}

// fakeRegistry keeps endpoints in memory.
type fakeRegistry struct {
	mu   sync.Mutex
	all  map[string]webhook.Endpoint
	down error

	redelivered map[string][]string
	creations   map[string]webhook.Creation
	recorded    []string
	reads       int // of single endpoints
}

func newFakeRegistry() *fakeRegistry {
	return &fakeRegistry{all: map[string]webhook.Endpoint{}, redelivered: map[string][]string{}, creations: map[string]webhook.Creation{}}
}

func (f *fakeRegistry) CreateEndpoint(_ context.Context, e webhook.Endpoint) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[e.Tenant+"/"+e.ID] = e
	return f.down
}

func (f *fakeRegistry) CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error) {
	if made, ok := f.creations[e.Tenant+"/"+c.Name]; ok || f.down != nil {
		return made, f.down
	}
	f.creations[e.Tenant+"/"+c.Name] = c
	return c, f.CreateEndpoint(ctx, e)
}

func (f *fakeRegistry) Created(_ context.Context, tenant string, c webhook.Creation) (bool, error) {
	_, made := f.creations[tenant+"/"+c.Name]
	return made, f.down
}

func (f *fakeRegistry) Endpoint(_ context.Context, tenant, id string) (webhook.Endpoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	e, ok := f.all[tenant+"/"+id]
	if f.down == nil && !ok {
		return e, webhook.Errorf(webhook.NotFound, "no endpoint %s", id)
	}
	return e, f.down
}

func (f *fakeRegistry) Endpoints(_ context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []webhook.Endpoint
	for _, e := range f.all {
		if e.Tenant == tenant && e.ID > q.After && (q.Owner == "" || e.Owner == q.Owner) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b webhook.Endpoint) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return found[:min(q.Limit, len(found))], f.down
}

func (f *fakeRegistry) CountEndpoints(_ context.Context, tenant string) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.all {
		if e.Tenant == tenant {
			n++
		}
	}
	return n, f.down
}

func (f *fakeRegistry) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	e, err := f.Endpoint(ctx, tenant, id)
	if err != nil {
		return e, err
	}
	if err := change(&e); err != nil {
		return e, err
	}
	e.Version++
	return e, f.CreateEndpoint(ctx, e)
}

func (f *fakeRegistry) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	_, err := f.Endpoint(ctx, tenant, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, tenant+"/"+id)
	return err
}

func (f *fakeRegistry) Record(ctx context.Context, tenant string, l webhook.AuditLine) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.Actor = webhook.ActorOf(ctx).Name
	f.recorded = append(f.recorded, tenant+" "+string(l.Kind)+" "+l.EndpointID+l.EventID+" by "+l.Actor)
	return f.down
}

func (f *fakeRegistry) Match(_ context.Context, tenant, eventType string) (m webhook.Match, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.all {
		if e.Tenant == tenant && e.Wants(eventType) {
			m.Add(e.ID, e.State == webhook.EndpointDisabled)
		}
	}
	slices.Sort(m.IDs)
	slices.Sort(m.Disabled)
	return m, f.down
}

func (f *fakeRegistry) NoteRedelivery(_ context.Context, tenant, eventID, endpointID string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redelivered[tenant+"/"+eventID] = append(f.redelivered[tenant+"/"+eventID], endpointID)
	return f.down
}

func (f *fakeRegistry) Redelivered(_ context.Context, tenant, eventID string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(f.redelivered[tenant+"/"+eventID]))), f.down
}

func (f *fakeRegistry) Ping(context.Context) error { return f.down }
