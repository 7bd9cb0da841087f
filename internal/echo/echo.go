// Package echo tells the echo of what we wrote from a change. An application that takes deliveries
// and is a source as well reports its new values as if a person had changed them. Passed on, such a
// report would come back from the next application, and so on without end. A Tracker notes each
// value before it leaves and recognises it when the application reports it. The rules are here; a
// store keeps what they need (ADR 8). Activities note, the gateway asks.
package echo

import (
	"time"

	"hookloop/internal/webhook"
)

// How long a write is remembered. An application reports what we wrote within TTL; what it reports
// later is a change of its own. What is known of an object is kept for as long as a delivery may be
// late: the longest schedule.
const (
	TTL       = 24 * time.Hour
	ObjectTTL = webhook.MaxScheduleTotal
)

// MaxWrites is how many of a tenant's writes are remembered, whatever their age. An echo that comes
// later counts as a change, which costs one delivery and loses nothing.
const MaxWrites = 1_000_000

// By how much an application may be late with its reports.
const (
	// ReportLag is how long an application takes to say that it was brought the value it had, if it
	// says so at all. After a change of its own it reports nothing that was brought to it more than
	// ReportLag before.
	ReportLag = 5 * time.Minute
	// AttemptLag is how long an attempt may last. After the report of a write, an application
	// reports no write that had ended before that one began.
	AttemptLag = 2 * webhook.MaxTimeout
)

// Value is one that an object in an application has.
type Value struct {
	Tenant      string
	Application string
	Key         string // of the object
	Hash        string // of the canonical value
}

// Write is a value that a delivery is about to bring to an application.
type Write struct {
	Value
	EventID    string
	EndpointID string
	Order      int64 // of the change it carries; 0: the store gives it the next
	Unsure     bool  // that change may have been none
}

// Report is a value that an application says one of its objects has.
type Report struct {
	Value
	EventID string
}

// Ruling says what a report is: the echo of a write of ours, or a change with its place in the
// order of all changes.
type Ruling struct {
	EchoOf string // the event whose write it is; empty: a change
	Order  int64
	// Newer is the event of a later change, which the application had and lost by this write.
	Newer  string
	Latest int64 // that change's place
	// Unsure says that a change may be none: the application has the value it was brought and had
	// before. It may have said so because it was brought it, or because a person changed what the
	// value leaves out.
	Unsure bool
}
