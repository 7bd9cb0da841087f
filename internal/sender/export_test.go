package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"hookloop/internal/webhook"
)

// The pure parts, for tables in sender_test.
var (
	Classify        = classify
	NewAddressGuard = newAddressGuard
	RetryAfter      = retryAfter
	Clean           = clean
	VerdictOn       = verdictOn
	ErrFailing      = errFailing
	ErrRefuses      = errRefuses
	ErrNoVerdict    = errNoVerdict
	ErrAddress      = errAddress
)

// MaxGuards is how many guards are kept.
const MaxGuards = maxGuards

// PlacesOfAll is how many attempts of one lane are made at once.
const PlacesOfAll = placesOfAll

// Trust lets tests serve TLS under a certificate of their own. Call it before the first Send.
func (s *Sender) Trust(roots *x509.CertPool) {
	s.transport.transport().TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// Renewing gives the present transport of a sender that makes them so.
func Renewing(fresh func() *http.Transport) (present func() *http.Transport) {
	return newRenewing(fresh).transport
}

// Guarded counts the guards kept.
func (s *Sender) Guarded() int { return s.guards.recent.Len() }

// Enter takes a turn as Send does, without an attempt.
func (s *Sender) Enter(tenant, id string) (leave func(error), refused *webhook.Deferral) {
	return s.EnterLimited(webhook.Endpoint{Tenant: tenant, ID: id}, "evt_1")
}

// EnterLimited is Enter for a delivery of an endpoint that may have a rate limit.
func (s *Sender) EnterLimited(e webhook.Endpoint, event string) (leave func(error), refused *webhook.Deferral) {
	return s.EnterDelivery(webhook.Delivery{Endpoint: e, Event: webhook.Event{ID: event}})
}

// EnterDelivery is Enter for a delivery of which more matters.
func (s *Sender) EnterDelivery(d webhook.Delivery) (leave func(error), refused *webhook.Deferral) {
	t, refused := s.guards.acquire(context.Background(), d)
	return func(verdict error) { s.release(t, d, webhook.Attempt{}, verdict) }, refused
}

// Slots counts the slots remembered, of all endpoints.
func (s *Sender) Slots() int {
	s.guards.mu.Lock()
	defer s.guards.mu.Unlock()
	return s.guards.slots
}

// The bounds of guards and pacers.
const (
	IdleGuard time.Duration = idleGuard
	KeptSlot  time.Duration = keptSlot
	MaxSlots                = maxSlots
)
