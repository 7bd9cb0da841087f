package webhook

import (
	"fmt"
	"time"
)

// Erasure is an event whose data was taken away on purpose. It stays when all else has gone, and
// says who wanted it and why.
type Erasure struct {
	Tenant, EventID string

	AskedAt  time.Time
	ErasedAt time.Time // from Temporal and the registry; zero: under way
	DoneAt   time.Time // looked for once more, and nothing was left; zero: not yet

	By     string
	Via    AuditVia
	Reason string

	Data      string   // SHA-256 of the data, in hex; empty: it was gone before
	DataBytes int64    // its size
	Endpoints []string // to which there may be deliveries
}

// ChangedAt is when the data was gone, or was looked for once more; the zero time: not yet.
func (e Erasure) ChangedAt() time.Time {
	if e.DoneAt.IsZero() {
		return e.ErasedAt
	}
	return e.DoneAt
}

// Says tells of it in a sentence.
func (e Erasure) Says() string {
	how := "was erased"
	if e.ErasedAt.IsZero() {
		how = "is being erased"
	}
	return fmt.Sprintf("the data of event %s %s: %s asked for it on %s (%s)", e.EventID, how, e.By, e.AskedAt.UTC().Format(time.RFC3339), e.Reason)
}

// Gone is the error of those who want what was erased.
func (e Erasure) Gone() error { return Errorf(Erased, "%s", e.Says()) }

// Hold forbids erasures, of one event or of all that concern a subject.
type Hold struct {
	EventID string // empty: of a subject
	Subject string // what is kept of it; empty: of an event
	At      time.Time
	By      string
	Reason  string
}

// Forbids is the error of those who want to erase what is held.
func (h Hold) Forbids() error {
	what := "event " + h.EventID
	if h.EventID == "" {
		what = "the subject of the event"
	}
	return Errorf(OnLegalHold, "%s is under a legal hold: %s asked for it on %s (%s)", what, h.By, h.At.UTC().Format(time.RFC3339), h.Reason)
}

// maxSubject bounds a subject, in bytes.
const maxSubject = 512
