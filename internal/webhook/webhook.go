// Package webhook is Hookloop's language: events, endpoints, deliveries, attempts, schedules, and
// the pure decisions about them. It does nothing: no I/O, no clock, no randomness, so workflows may
// call all of it and replay to the same answer. Every other package speaks in its words.
package webhook
