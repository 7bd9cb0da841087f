package registry

import (
	"time"

	"hookloop/internal/webhook"
)

// Object is what the ledger knows of an object in an application, and what follows from it; a store only
// keeps it. The zero value knows nothing.
type Object struct {
	Hash        string // of the value the application last reported
	EventID     string // by which it did
	EchoOf      string // the event whose write that was; empty: a change of its own
	N           int64  // its place among all changes
	Latest      int64  // that of the latest change the application was told of or made
	LatestEvent string
}

// What a write can be besides one that changes a value. Stored data.
const (
	IdleWrite   = 1 // of the value the application has: it may say so or not
	UnsureWrite = 2 // likewise, and of a change that may be none: whatever is said of it is an echo
)

// Idle says what a write is for the application.
func (o *Object) Idle(w webhook.Write) int {
	switch {
	case o.Hash != w.Hash:
		return 0
	case w.Unsure, o.EchoOf == w.EventID: // made again, that delivery is no news either
		return UnsureWrite
	}
	return IdleWrite
}

// TTL is how long the application may take to report a write.
func (o *Object) TTL(w webhook.Write) time.Duration {
	if o.Idle(w) != 0 {
		return webhook.ReportLag
	}
	return webhook.EchoTTL
}

// Told takes in that the application is about to be told of a change.
func (o *Object) Told(w webhook.Write) {
	if w.Order > o.Latest {
		o.Latest, o.LatestEvent = w.Order, w.EventID
	}
}

// Changed takes in a report of something that nobody wrote.
func (o *Object) Changed(p webhook.Report, n int64) webhook.Ruling {
	*o = Object{Hash: p.Hash, EventID: p.EventID, N: n, Latest: n, LatestEvent: p.EventID}
	return webhook.Ruling{Order: n}
}

// Echoed takes in a report of a write.
func (o *Object) Echoed(p webhook.Report, writtenBy string, n int64) {
	o.Hash, o.EventID, o.EchoOf, o.N = p.Hash, p.EventID, writtenBy, n
}

// Ruling tells of the latest report. Behind says that it was the echo of an earlier change than the latest;
// unless that one is still to come, the application has lost it.
func (o *Object) Ruling() (r webhook.Ruling, behind bool) {
	return webhook.Ruling{EchoOf: o.EchoOf, Order: o.N}, o.EchoOf != "" && o.N < o.Latest
}
