package api

import "time"

// ApprovalQuery says which approvals are wanted.
type ApprovalQuery struct {
	Status ApprovalStatus `query:"status" enum:"watching,awaiting-approval,probing,releasing,released,recovered,rejected,cancelled" doc:"Absent: all that have not ended."`
	PageQuery
}

// Approval is how the episode of an endpoint that keeps failing stands.
type Approval struct {
	EndpointID   string         `json:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Endpoint     *EndpointName  `json:"endpoint,omitempty" doc:"Absent: the endpoint was deleted."`
	Status       ApprovalStatus `json:"status" enum:"watching,awaiting-approval,probing,releasing,released,recovered,rejected,cancelled"`
	Reason       string         `json:"reason,omitempty" doc:"Why people are asked, or how it ended."`
	FailingSince *time.Time     `json:"failing_since,omitempty"`
	AskAt        *time.Time     `json:"ask_at,omitempty" doc:"While watching: people are asked then, unless the endpoint takes something before."`
	AskedAt      *time.Time     `json:"asked_at,omitempty"`
	DecideBy     *time.Time     `json:"decide_by,omitempty" doc:"Without a decision the endpoint is rejected then."`
	LastAnswers  []Answer       `json:"last_answers,omitempty" doc:"The latest last."`
	Waiting      *int           `json:"waiting,omitempty" doc:"Deliveries under way to the endpoint when they were last counted. Absent: they were not."`
	CountedAt    *time.Time     `json:"counted_at,omitempty"`
	Decided      Decided        `json:"decided,omitempty" enum:"approved,rejected,resumed" doc:"The last decision."`
	Decision     *Decision      `json:"decision,omitempty"`
	DecidedAt    *time.Time     `json:"decided_at,omitempty"`
	Released     int            `json:"released" doc:"Deliveries let go since."`
	WorkflowID   string         `json:"workflow_id"`
	RunID        string         `json:"run_id,omitempty"`
}

// Release lets held deliveries go.
type Release struct {
	Reason        string  `json:"reason,omitempty" maxLength:"1024" doc:"For those who read the history." example:"the customer has mended their firewall"`
	RatePerSecond float64 `json:"rate_per_second,omitempty" minimum:"0.1" maximum:"1000" doc:"Held deliveries let go a second; the endpoint's rate_limit holds besides. Absent: 10." example:"50"`
}
