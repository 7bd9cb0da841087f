package api

import "time"

// AuditLine is one thing that happened.
type AuditLine struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind" doc:"What happened, in a word." example:"attempt"`
	Actor      string    `json:"actor,omitempty" doc:"Who asked or decided; absent: Hookloop by itself." example:"jane"`
	EndpointID string    `json:"endpoint_id,omitempty" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Detail     string    `json:"detail,omitempty" example:"attempt 2 → ep_01jzc8k0a2n4p6r8s0t2v4w6x8: HTTP 200 in 5 ms"`
	EventID    string    `json:"event_id,omitempty" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	WorkflowID string    `json:"workflow_id,omitempty" doc:"Find where it happened by it in the Temporal UI."`
}

// AuditPage is one page of what happened, the oldest line first.
type AuditPage struct {
	Page[AuditLine]

	Encrypted bool `json:"encrypted,omitempty" doc:"Some of it is encrypted with a key that this gateway does not have."`
}

// AuditQuery says of which time the lines are wanted.
type AuditQuery struct {
	After  string `query:"after" doc:"What happened at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before string `query:"before" doc:"What happened before this time, likewise." example:"2026-01-31T12:00:00Z"`
	CursorQuery
}

// CursorQuery says where a list goes on whose pages have a size of their own.
type CursorQuery struct {
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}
