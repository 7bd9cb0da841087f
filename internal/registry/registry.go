// Package registry keeps tenants' endpoints and sources: who wants which events, where, and signed with
// what; who sends us some, and how we know them. Of events it knows nothing but the ledger's marks:
// hashes of values under way. This package holds what every store of it shares, above all the
// sealing of secrets; the stores are its subpackages, and registrytest is the suite that makes them
// interchangeable. Who reads or writes endpoints declares the interface it needs and cmd picks the
// store.
package registry

// MaxEndpoints bounds the endpoints of one tenant. An event may go to all of them, and each is a line
// in the event's history: a thousand keep it bounded, far below Temporal's limits.
const MaxEndpoints = 1000

// MaxSources bounds the sources of one tenant.
const MaxSources = 1000

// MaxLedger is how many of a tenant's writes the ledger remembers, whatever their age: an echo that comes later
// is taken for a change, which costs a delivery and loses nothing.
const MaxLedger = 1_000_000
