package webhook

import (
	"hash/fnv"
	"strconv"
	"time"
)

// Schedule holds the wait before each attempt: entry 0 before the first, and so on. Its length is
// the number of attempts.
type Schedule []time.Duration

// Bounds of an endpoint's own schedule.
const (
	MaxScheduleEntries = 30
	MaxScheduleTotal   = 30 * 24 * time.Hour
)

// DefaultSchedule is the example of the Standard Webhooks specification: ten attempts in 75.6
// hours.
func DefaultSchedule() Schedule {
	return Schedule{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// Check refuses a schedule that is too long.
func (s Schedule) Check() error {
	if len(s) > MaxScheduleEntries {
		return Invalidf("schedule", "has %d entries, at most %d are allowed", len(s), MaxScheduleEntries)
	}
	var total time.Duration
	for _, wait := range s {
		if wait < 0 || wait > MaxScheduleTotal {
			return Invalidf("schedule", `entries must lie between "0s" and %q`, MaxScheduleTotal)
		}
		total += wait
	}
	if total > MaxScheduleTotal {
		return Invalidf("schedule", "adds up to %s, at most %s is allowed", total, MaxScheduleTotal)
	}
	return nil
}

// Jitter moves a wait by up to 20 % either way, so that deliveries that failed together do not
// return together. The draw is a hash of seed and n: replay draws the same.
func Jitter(wait time.Duration, seed string, n int) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed + "/" + strconv.Itoa(n))) // a hash never fails
	// The outer conversion keeps arm64 from fusing the two steps, which rounds otherwise than amd64
	// does.
	share := float64(float64(mix(h.Sum64())>>11)/(1<<53)*0.4) - 0.2
	return wait + time.Duration(share*float64(wait))
}

// mix spreads FNV's weak low bits over the word (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
