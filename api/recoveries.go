package api

import "time"

// NewRecovery asks for what an endpoint did not get.
type NewRecovery struct {
	Since         string  `json:"since" doc:"Deliveries that began at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Until         string  `json:"until,omitempty" doc:"Deliveries that began before this time, likewise. Absent: now." example:"2026-01-31T12:00:00Z"`
	Unmatched     bool    `json:"unmatched,omitempty" doc:"In place of what the endpoint missed: events accepted in that time that no endpoint wanted, of types this one wants now."`
	DryRun        bool    `json:"dry_run,omitempty" doc:"Only count."`
	RatePerSecond float64 `json:"rate_per_second,omitempty" minimum:"0.1" maximum:"1000" doc:"Redeliveries started a second; the endpoint's rate_limit holds besides. Absent: 10." example:"10"`
}

// StartedRecovery answers a NewRecovery.
type StartedRecovery struct {
	DryRun     bool   `json:"dry_run"`
	Found      int    `json:"found" doc:"Events of the window that did not reach the endpoint. Above 50000 an upper bound: some may have been redelivered since; and above 500 that were accepted while several endpoints were disabled."`
	WorkflowID string `json:"workflow_id,omitempty" doc:"Absent after a dry run."`
	RunID      string `json:"run_id,omitempty"`
}

// Recovery is how far the latest recovery of an endpoint is, or came.
type Recovery struct {
	Status        string    `json:"status" enum:"running,completed,cancelled,failed"`
	Reason        string    `json:"reason,omitempty" doc:"Why it ended early, if it did."`
	Found         int       `json:"found" doc:"Events of the window that did not reach the endpoint, so far."`
	Redelivered   int       `json:"redelivered" doc:"Of them started again."`
	Skipped       int       `json:"skipped" doc:"Under way or delivered meanwhile, or their history is gone."`
	Since         time.Time `json:"since"`
	Until         time.Time `json:"until"`
	Unmatched     bool      `json:"unmatched,omitempty" doc:"It brings events that no endpoint wanted."`
	RatePerSecond float64   `json:"rate_per_second"`
	By            string    `json:"by" doc:"Who started it."`
	WorkflowID    string    `json:"workflow_id"`
	RunID         string    `json:"run_id"`
}

// The states of a recovery.
const (
	RecoveryRunning   = "running"
	RecoveryCompleted = "completed"
	RecoveryCancelled = "cancelled"
	RecoveryFailed    = "failed"
)

// CancelledRecovery names the recovery that was told to end.
type CancelledRecovery struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
}
