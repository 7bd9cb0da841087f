// Package registry keeps tenants' endpoints and sources: which applications want which events,
// where, signed with what; which third parties send events, and how we know them. Of events it
// keeps hashes of values under way, and the bodies of large ones. This package seals the secrets of
// every store. The stores are its subpackages: sqlstore holds the Go and SQL that both share,
// sqlite and postgres what is truly their own, and registrytest is the suite that makes them
// interchangeable. A package that reads or writes endpoints declares the interface it needs, and
// cmd picks the store.
package registry

// MaxEndpoints bounds the endpoints of one tenant. An event may go to all of them, and each is a
// line in the event's history: a thousand keep it bounded, far below Temporal's limits.
const MaxEndpoints = 1000

// MaxSources bounds the sources of one tenant.
const MaxSources = 1000

// Resealed counts rows of endpoints and sources: those sealed anew, and those that the primary key
// had sealed already.
type Resealed struct {
	Anew    int `json:"anew"`
	Already int `json:"already"`
}
