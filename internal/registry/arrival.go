package registry

import (
	"maps"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// ArrivalEnd is when an item that first came at the given time is forgotten.
func ArrivalEnd(first time.Time, sameFor time.Duration) time.Time {
	if sameFor == 0 {
		sameFor = webhook.RememberArrivals
	}
	return first.Add(sameFor)
}

// RedeliveredEnd is when it is forgotten that an event went to an endpoint it was not accepted for: no
// Temporal keeps histories for longer.
func RedeliveredEnd(noted time.Time) time.Time { return noted.Add(webhook.RememberArrivals) }

// SortedNames are names in order and each once: batches that share some lock them in the same order.
func SortedNames(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// SortedTaken are items in the order of their names, each once.
func SortedTaken(all []webhook.Taken) []webhook.Taken {
	byName := make(map[string]webhook.Taken, len(all))
	for _, t := range all {
		byName[t.Name] = t
	}
	sorted := make([]webhook.Taken, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		sorted = append(sorted, byName[name])
	}
	return sorted
}

// Time reads what Micros writes.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
