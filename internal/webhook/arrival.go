package webhook

import "time"

// RememberArrivals is how long it is remembered that an item of a source became an event: far
// longer than histories are kept. A request without a time in what is signed stays good for anyone
// who has caught it.
const RememberArrivals = 365 * 24 * time.Hour

// MaxArrivals is how many items of one source are remembered, of any age. An older one that comes
// again after its history has gone is a new event.
const MaxArrivals = 1_000_000

// Arrival is what is known of an item of a source by its name, a hash of what makes it the same
// when it comes again.
type Arrival struct {
	First time.Time // when it first came, to the microsecond
	Taken bool      // it has become an event
}

// Taken is an item that has become an event.
type Taken struct {
	Name  string
	First time.Time     // as Arrival has it
	For   time.Duration // how long it is the same item
}

// SourceActivity is what became of what a source sent.
type SourceActivity struct {
	Accepted int64 // events, echoes among them
	Repeats  int64 // items that had become events before
	Refused  int64 // whole requests, and single items of others

	LastAcceptedAt time.Time // zero: never
	LastRefusedAt  time.Time // zero: never
	LastRefusal    string    // why, in words of ours
}

// Add joins what happened later.
func (a *SourceActivity) Add(later SourceActivity) {
	a.Accepted += later.Accepted
	a.Repeats += later.Repeats
	a.Refused += later.Refused
	if later.LastAcceptedAt.After(a.LastAcceptedAt) {
		a.LastAcceptedAt = later.LastAcceptedAt
	}
	if later.LastRefusedAt.After(a.LastRefusedAt) {
		a.LastRefusedAt, a.LastRefusal = later.LastRefusedAt, later.LastRefusal
	}
}
