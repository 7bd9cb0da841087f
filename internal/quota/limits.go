package quota

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// Limits are what a tenant may ask for. In a configuration, zero stands for the default.
type Limits struct {
	// PostsPerSecond counts accepted events, tests and redeliveries. Twice as many may come at
	// once.
	PostsPerSecond float64 `json:"posts_per_second"`
	// BytesPerDay counts the data of events as it comes in.
	BytesPerDay int64 `json:"bytes_per_day"`
	// Reads bounds lists, reports, audits and recoveries in flight.
	Reads     int `json:"reads"`
	Endpoints int `json:"endpoints"`
	Sources   int `json:"sources"`
	// OpenDeliveries bounds deliveries that their first attempt did not end.
	OpenDeliveries int64 `json:"open_deliveries"`
	// PortalLinks bounds the links to the portal that are good at once.
	PortalLinks int `json:"portal_links"`
}

// Defaults are generous: they keep one tenant from filling the database or the machine by mistake.
func Defaults() Limits {
	return Limits{PostsPerSecond: 1000, BytesPerDay: 100 << 30, Reads: 64, Endpoints: 1000, Sources: 1000, OpenDeliveries: 100_000, PortalLinks: 10_000}
}

// withDefaults fills in the limits that are zero.
func (l Limits) withDefaults(d Limits) Limits {
	l.PostsPerSecond = cmp.Or(l.PostsPerSecond, d.PostsPerSecond)
	l.BytesPerDay = cmp.Or(l.BytesPerDay, d.BytesPerDay)
	l.Reads = cmp.Or(l.Reads, d.Reads)
	l.Endpoints = cmp.Or(l.Endpoints, d.Endpoints)
	l.Sources = cmp.Or(l.Sources, d.Sources)
	l.OpenDeliveries = cmp.Or(l.OpenDeliveries, d.OpenDeliveries)
	l.PortalLinks = cmp.Or(l.PortalLinks, d.PortalLinks)
	return l
}

func (l Limits) check() error {
	if l.PostsPerSecond < 0 || l.BytesPerDay < 0 || l.Reads < 0 || l.Endpoints < 0 || l.Sources < 0 || l.OpenDeliveries < 0 || l.PortalLinks < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}

// Table says which limits hold for which tenant.
type Table struct {
	Default Limits            `json:"default"`
	Tenants map[string]Limits `json:"tenants"`
}

// ReadTable reads {"default": {…}, "tenants": {"acme": {…}}}. What is left out is the default's, or
// else of Defaults.
func ReadTable(raw []byte) (t Table, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return t, fmt.Errorf("quotas: %w", err)
	}
	if err := t.Default.check(); err != nil {
		return t, fmt.Errorf("quotas: default: %w", err)
	}
	for name, l := range t.Tenants {
		if err := l.check(); err != nil {
			return t, fmt.Errorf("quotas: tenant %s: %w", name, err)
		}
	}
	return t, nil
}

// Of are the limits of a tenant.
func (t Table) Of(tenant string) Limits {
	return t.Tenants[tenant].withDefaults(t.Default.withDefaults(Defaults()))
}
