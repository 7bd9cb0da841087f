package api

import "time"

// Traffic is what the attempts of a time came to. Latencies are estimates: attempts are counted in
// buckets with the upper ends 10, 25, 50, 100, 250 and 500 ms, 1, 2.5, 5, 10 and 15 s.
type Traffic struct {
	Attempts  int64    `json:"attempts" example:"1200"`
	Took      int64    `json:"took" doc:"Attempts that the endpoint took." example:"1188"`
	Fails     int64    `json:"fails" doc:"Attempts at which the endpoint failed." example:"12"`
	Refuses   int64    `json:"refuses" doc:"Attempts at which the endpoint refused the event." example:"0"`
	Success   *float64 `json:"success,omitempty" doc:"The share that was taken, from 0 to 1. Absent: there were no attempts." example:"0.99"`
	PerMinute float64  `json:"per_minute" doc:"Attempts." example:"20"`
	P50MS     *float64 `json:"p50_ms,omitempty" doc:"Half of the attempts took no longer, in milliseconds." example:"84"`
	P95MS     *float64 `json:"p95_ms,omitempty" doc:"95 % of the attempts took no longer." example:"210"`
}

// StatsQuery says of which time statistics are wanted.
type StatsQuery struct {
	Since string `query:"since" doc:"RFC 3339, a day (from midnight, UTC), or how long ago. Absent: 24h, of a whole tenant 1h." example:"24h"`
	Until string `query:"until" doc:"Likewise. Absent: now." example:"2026-01-31T12:00:00Z"`
}

// StatsPeriod is the time that statistics are of. Attempts are counted by the minute for three
// hours, and by the hour as long as they are kept.
type StatsPeriod struct {
	Since  time.Time `json:"since" doc:"Where the first bucket begins."`
	Until  time.Time `json:"until"`
	Bucket Duration  `json:"bucket" doc:"1m within the last three hours, else 1h." example:"1h"`
}

// EndpointStats is how an endpoint did in a time.
type EndpointStats struct {
	StatsPeriod
	Traffic
	Activity Activity      `json:"activity"`
	Buckets  []StatsBucket `json:"buckets" doc:"The oldest first. Those without attempts are missing."`
}

// StatsBucket is what the attempts that began within a minute or an hour came to.
type StatsBucket struct {
	At time.Time `json:"at" doc:"Where it begins."`
	Traffic
}

// Activity is how an endpoint does now. It is read from the attempt log, a second behind, and from
// Temporal's lists, some seconds behind.
type Activity struct {
	Waiting       *int       `json:"waiting,omitempty" doc:"Deliveries under way, those held among them. Absent: it is not known now." example:"12"`
	Held          *int       `json:"held,omitempty" doc:"Those that wait until a person decides." example:"0"`
	OldestAt      *time.Time `json:"oldest_at,omitempty" doc:"When the event of the oldest of them was accepted."`
	LastSuccessAt *time.Time `json:"last_success_at,omitempty" doc:"Absent: the log knows of none."`
	LastError     *LastError `json:"last_error,omitempty" doc:"The latest attempt that was not taken."`
	LastHour      Traffic    `json:"last_hour"`
}

// LastError is an attempt that an endpoint did not take.
type LastError struct {
	At         time.Time `json:"at"`
	StatusCode int       `json:"status_code,omitempty" doc:"Absent: there was no answer." example:"503"`
	Failure    string    `json:"failure,omitempty" doc:"Why there was no answer." example:"refused"`
	Error      string    `json:"error,omitempty" doc:"The same for people."`
}

// TenantStatsQuery says of which time statistics of a tenant are wanted, and how many endpoints
// each list names.
type TenantStatsQuery struct {
	StatsQuery
	Top int `query:"top" minimum:"1" maximum:"50" default:"10" doc:"How many endpoints each list has at most."`
}

// TenantStats is how a tenant's endpoints do.
type TenantStats struct {
	StatsPeriod
	Traffic
	Endpoints EndpointCounts `json:"endpoints"`
	Buckets   []StatsBucket  `json:"buckets" doc:"Of all endpoints, the oldest first. Those without attempts are missing."`
	Backlog   *Backlog       `json:"backlog,omitempty" doc:"Absent: it is not known now."`
	Busiest   []EndpointLine `json:"busiest" doc:"With the most attempts."`
	Slowest   []EndpointLine `json:"slowest" doc:"With the highest p95_ms."`
	Failing   []EndpointLine `json:"failing" doc:"Which did not take everything: the lowest success first."`
	Held      []EndpointLine `json:"held" doc:"Held or paused, those with the most waiting deliveries first."`
}

// EndpointCounts is how many endpoints a tenant has.
type EndpointCounts struct {
	Active   int `json:"active"`
	Held     int `json:"held"`
	Paused   int `json:"paused"`
	Disabled int `json:"disabled"`
}

// Backlog is what has not been delivered yet.
type Backlog struct {
	Waiting   int        `json:"waiting" doc:"Deliveries under way, those held among them." example:"312"`
	Held      int        `json:"held" doc:"Those that wait until a person decides about their endpoint." example:"300"`
	Parked    int        `json:"parked" doc:"Those beside them that wait until a person lets their event go, which may go in circles." example:"0"`
	OldestAt  *time.Time `json:"oldest_at,omitempty" doc:"When the event of the oldest of them was accepted."`
	Whole     bool       `json:"whole" doc:"false: there are more than were looked at, so held, parked and oldest_at are of a part."`
	CountedAt time.Time  `json:"counted_at"`
}

// EndpointLine is an endpoint in a list of statistics.
type EndpointLine struct {
	EndpointID string `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	EndpointName
	StateReason     string `json:"state_reason,omitempty"`
	ReportedFailing bool   `json:"reported_failing,omitempty" doc:"A worker has reported that it fails, or refuses one event after the other, and it has taken nothing since."`
	Traffic
	Waiting       *int       `json:"waiting,omitempty"`
	OldestAt      *time.Time `json:"oldest_at,omitempty"`
	LastSuccessAt *time.Time `json:"last_success_at,omitempty"`
	LastError     *LastError `json:"last_error,omitempty"`
}
