// Package attemptlog is a read model: one row for each attempt, and counts of them by endpoint and
// time, so that lists and statistics need not read histories. The history of a workflow stays the
// truth. A row may be late, and where rows were lost they are made again from histories (Rebuild).
// The worker's activities hand rows to a Recorder, a Keeper deletes what is old and mends what is
// missing, and the registry stores them. Data of events and what endpoints answered are never in
// it.
package attemptlog

import (
	"strings"
	"time"
	"unicode/utf8"

	"hookloop/internal/webhook"
)

// Deferred is the outcome of a row that is no attempt: the first turn of a delivery passed without
// one. It makes the event known at its endpoint before there is an attempt.
const Deferred webhook.Class = "deferred"

// maxError bounds the words about an attempt, in bytes.
const maxError = 200

// runLength is how many characters of a run's id tell the runs of one delivery apart. The first
// ones of an id are the time.
const runLength = 8

// Row is one attempt, or the first turn of a delivery that was deferred. Tenant, EndpointID,
// EventID, Run and Number are its key: an attempt whose result was lost is made again under the
// same number, and only the latter stands in the history.
type Row struct {
	Tenant     string
	EndpointID string
	EventID    string
	EventType  string
	Run        string        // the end of the id of the workflow's run that made it: a redelivery is another one
	Number     int           // from 1; 0: deferred
	At         time.Time     // when it began, to the microsecond; deferred: when the event was accepted
	DurationMS int64         // until the end of the answer
	Outcome    webhook.Class // or Deferred
	StatusCode int           // 0: no answer
	Failure    string        // a webhook.Failure; deferred: a webhook.DeferReason
	Error      string        // the same for people
}

// NewRow is the row of an attempt that a run of a workflow made.
func NewRow(e webhook.Event, endpointID, runID string, a webhook.Attempt) Row {
	return Row{
		Tenant: e.Tenant, EndpointID: endpointID, EventID: e.ID, EventType: e.Type, Run: runOf(runID),
		Number: a.Number, At: kept(a.At), DurationMS: a.DurationMS, Outcome: a.Class(), StatusCode: a.StatusCode,
		Failure: string(a.Failure), Error: short(a.Error),
	}
}

// NewDeferral is the row of a delivery whose first turn was deferred.
func NewDeferral(e webhook.Event, endpointID, runID string, accepted time.Time, d webhook.Deferral) Row {
	return Row{
		Tenant: e.Tenant, EndpointID: endpointID, EventID: e.ID, EventType: e.Type, Run: runOf(runID),
		At: kept(accepted), Outcome: Deferred, Failure: string(d.Reason), Error: short(d.Detail),
	}
}

// kept is a time as stores keep it.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func runOf(id string) string { return id[max(0, len(id)-runLength):] }

// short bounds text, and leaves out what not every database keeps.
func short(s string) string {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\ufffd"), "\ufffd")
	}
	return webhook.Cut(s, maxError)
}

// Key names a row.
type Key struct {
	Tenant, EndpointID, EventID, Run string
	Number                           int
}

// Key is the row's.
func (r Row) Key() Key { return Key{r.Tenant, r.EndpointID, r.EventID, r.Run, r.Number} }

// Attempted says whether the row is an attempt.
func (r Row) Attempted() bool { return r.Outcome != Deferred }

// Latest is what an endpoint took and did not take last. A zero time says that there is no such
// attempt in the log.
type Latest struct {
	Tenant, EndpointID string

	TookAt   time.Time
	FailedAt time.Time // the rest is about that one

	StatusCode int
	Failure    string
	Error      string
}

// Add takes in an attempt.
func (l *Latest) Add(r Row) {
	switch {
	case !r.Attempted():
	case r.Outcome == webhook.Took:
		if r.At.After(l.TookAt) {
			l.TookAt = r.At
		}
	case r.At.After(l.FailedAt):
		l.FailedAt, l.StatusCode, l.Failure, l.Error = r.At, r.StatusCode, r.Failure, r.Error
	}
}
