package gateway_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"hookloop/internal/webhook"
)

// fakePortals keeps portal links and settings in memory.
type fakePortals struct {
	mu       sync.Mutex
	links    []webhook.PortalLink // the oldest first
	settings map[string]webhook.PortalSettings
	down     error
	reads    int
}

func (f *fakePortals) CreatePortalLink(_ context.Context, l webhook.PortalLink, most int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	live := 0
	for _, other := range f.links {
		if other.Tenant == l.Tenant && other.Live(l.CreatedAt) {
			live++
		}
	}
	if live >= most {
		return webhook.Errorf(webhook.Conflict, "no more")
	}
	f.links = append(f.links, l)
	return f.down
}

func (f *fakePortals) PortalLink(_ context.Context, id string) (webhook.PortalLink, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	for _, l := range f.links {
		if l.ID == id && f.down == nil {
			return l, nil
		}
	}
	if f.down != nil {
		return webhook.PortalLink{}, f.down
	}
	return webhook.PortalLink{}, webhook.Errorf(webhook.NotFound, "no link")
}

func (f *fakePortals) PortalLinks(_ context.Context, tenant string, q webhook.PortalLinkQuery) (all []webhook.PortalLink, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range slices.Backward(f.links) {
		if l.Tenant == tenant && (q.Owner == "" || q.Owner == l.Owner) && (q.EndpointID == "" || q.EndpointID == l.EndpointID) &&
			(q.Before == "" || l.ID < q.Before) && (q.Live.IsZero() || l.Live(q.Live)) {
			all = append(all, l)
		}
	}
	return all[:min(q.Limit, len(all))], f.down
}

func (f *fakePortals) RevokePortalLink(ctx context.Context, tenant, id string, at time.Time) (webhook.PortalLink, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.links {
		if l := &f.links[i]; l.Tenant == tenant && l.ID == id {
			if l.RevokedAt.IsZero() {
				l.RevokedAt, l.RevokedBy = at, webhook.ActorOf(ctx).Name
			}
			return *l, f.down
		}
	}
	return webhook.PortalLink{}, webhook.Errorf(webhook.NotFound, "no link")
}

func (f *fakePortals) PortalSettings(_ context.Context, tenant string) (webhook.PortalSettings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settings[tenant], f.down
}

func (f *fakePortals) ChangePortalSettings(_ context.Context, tenant string, change func(*webhook.PortalSettings) error) (webhook.PortalSettings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.settings[tenant].Clone()
	if err := change(&s); err != nil {
		return s, err
	}
	if f.settings == nil {
		f.settings = map[string]webhook.PortalSettings{}
	}
	f.settings[tenant] = s
	return s, f.down
}
