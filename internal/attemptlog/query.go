package attemptlog

import "time"

// Query asks for attempts at an endpoint, the newest first.
type Query struct {
	Tenant, EndpointID string

	After, Before time.Time // began at After or later, and before Before; zero: no bound
	Failed        bool      // those alone that the endpoint did not take
	From          Position  // what lies behind it; zero: from the newest on
	Limit         int
}

// Position is where a list goes on: behind the row with this time and key.
type Position struct {
	At      time.Time
	EventID string
	Run     string
	Number  int
}

// Position is the row's.
func (r Row) Position() Position { return Position{r.At, r.EventID, r.Run, r.Number} }

// Seen is an event that had a turn at an endpoint.
type Seen struct {
	EventID, EventType string
	At                 time.Time // of its first attempt there; deferred: when it was accepted
}
