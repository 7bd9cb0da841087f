package quota

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Limits are what a tenant may ask for. In a configuration, zero stands for the default.
type Limits struct {
	PostsPerSecond float64 `json:"posts_per_second"` // events accepted, tests and redeliveries; for a moment twice as many
	BytesPerDay    int64   `json:"bytes_per_day"`    // of events' data, as it comes in
	Reads          int     `json:"reads"`            // lists, reports, ledgers and recoveries in flight
	Endpoints      int     `json:"endpoints"`
	Sources        int     `json:"sources"`
	OpenDeliveries int64   `json:"open_deliveries"` // that were not made at the first attempt and go on
}

// Usual are generous: they keep one tenant from filling the database or the machine by mistake.
func Usual() Limits {
	return Limits{PostsPerSecond: 1000, BytesPerDay: 100 << 30, Reads: 64, Endpoints: 1000, Sources: 1000, OpenDeliveries: 100_000}
}

// or fills in what is not given.
func (l Limits) or(usual Limits) Limits {
	if l.PostsPerSecond == 0 {
		l.PostsPerSecond = usual.PostsPerSecond
	}
	if l.BytesPerDay == 0 {
		l.BytesPerDay = usual.BytesPerDay
	}
	if l.Reads == 0 {
		l.Reads = usual.Reads
	}
	if l.Endpoints == 0 {
		l.Endpoints = usual.Endpoints
	}
	if l.Sources == 0 {
		l.Sources = usual.Sources
	}
	if l.OpenDeliveries == 0 {
		l.OpenDeliveries = usual.OpenDeliveries
	}
	return l
}

func (l Limits) check() error {
	if l.PostsPerSecond < 0 || l.BytesPerDay < 0 || l.Reads < 0 || l.Endpoints < 0 || l.Sources < 0 || l.OpenDeliveries < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}

// Table says which limits hold for whom.
type Table struct {
	Default Limits            `json:"default"`
	Tenants map[string]Limits `json:"tenants"`
}

// ReadTable reads {"default": {…}, "tenants": {"acme": {…}}}. What is left out is the default's, or else Usual.
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
func (t Table) Of(tenant string) Limits { return t.Tenants[tenant].or(t.Default.or(Usual())) }
