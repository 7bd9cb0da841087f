// Package registry keeps tenants' endpoints: who wants which events, where, and signed with what.
// It knows nothing about events. This package holds what every store of it shares, above all the
// sealing of secrets; the stores are its subpackages, and registrytest is the suite that makes them
// interchangeable. Who reads or writes endpoints declares the interface it needs and cmd picks the
// store.
package registry

// MaxEndpoints bounds the endpoints of one tenant. An event may go to all of them, and each is a line
// in the event's history: a thousand keep it bounded, far below Temporal's limits.
const MaxEndpoints = 1000
