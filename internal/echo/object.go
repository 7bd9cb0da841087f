package echo

import "time"

// Object is what is known of an object in an application, and what follows from it; a store only
// keeps it. The zero value knows nothing.
type Object struct {
	Hash        string // of the value the application last reported
	EventID     string // of that report
	EchoOf      string // the event whose write it was; empty: a change of the application's own
	Order       int64  // the place of that change among all changes
	Latest      int64  // the place of the latest change that the application was brought or made
	LatestEvent string
}

// WriteKind says what a write does to the value an application has. Stored data.
type WriteKind int

// The kinds of write.
const (
	Changing WriteKind = 0 // the application gets another value, and reports it
	Idle     WriteKind = 1 // the application has that value: it may report it or not
	Unsure   WriteKind = 2 // likewise, and the change may be none: each report of it is an echo
)

// KindOf says what a write does to the object.
func (o *Object) KindOf(w Write) WriteKind {
	switch {
	case o.Hash != w.Hash:
		return Changing
	case w.Unsure, o.EchoOf == w.EventID: // the same delivery, made again, is no news either
		return Unsure
	}
	return Idle
}

// TTL is how long the application may take to report a write.
func (o *Object) TTL(w Write) time.Duration {
	if o.KindOf(w) != Changing {
		return ReportLag
	}
	return TTL
}

// RecordWrite notes that the application is about to be brought a change.
func (o *Object) RecordWrite(w Write) {
	if w.Order > o.Latest {
		o.Latest, o.LatestEvent = w.Order, w.EventID
	}
}

// RecordChange notes a report of something we did not write.
func (o *Object) RecordChange(r Report, order int64) Ruling {
	*o = Object{Hash: r.Hash, EventID: r.EventID, Order: order, Latest: order, LatestEvent: r.EventID}
	return Ruling{Order: order}
}

// RecordEcho notes a report of a write, which the event writtenBy made in the given order.
func (o *Object) RecordEcho(r Report, writtenBy string, order int64) {
	o.Hash, o.EventID, o.EchoOf, o.Order = r.Hash, r.EventID, writtenBy, order
}

// Ruling says what the latest report was. Behind says that it was the echo of an earlier change
// than the latest: unless that one is still on its way, the application has lost it.
func (o *Object) Ruling() (r Ruling, behind bool) {
	return Ruling{EchoOf: o.EchoOf, Order: o.Order}, o.EchoOf != "" && o.Order < o.Latest
}
