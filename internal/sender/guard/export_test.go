package guard

import (
	"time"

	"hookloop/internal/webhook"
)

// The bounds, for tests.
const (
	KeepIdle     time.Duration = keepIdle
	KeepSlot     time.Duration = webhook.SlotKept
	MaxEndpoints               = maxEndpoints
	MaxSlots                   = maxSlots
	MaxAttempts                = maxAttempts
)

// Known counts the endpoints remembered.
func (g *Guard) Known() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.recent.Len()
}

// Slots counts the slots remembered, of all endpoints.
func (g *Guard) Slots() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.slots
}
