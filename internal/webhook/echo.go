package webhook

import "time"

// EchoPaths say, as two jq expressions over a body, which object it is about and which value that
// object has.
type EchoPaths struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// IsZero says whether nothing is said.
func (p EchoPaths) IsZero() bool { return p == EchoPaths{} }

// How long the ledger remembers. An application reports what we wrote within EchoTTL, or it is a change
// of its own. What is known of an object is kept for as long as a delivery may be late: the longest
// schedule.
const (
	EchoTTL   = 24 * time.Hour
	ObjectTTL = MaxScheduleTotal
)

// By how much an application may be late with its reports. That it was brought what it had it says within
// ReportLag, or not at all. After a change of its own, what it was
// brought more than ReportLag before will not be reported any more; after the report of one write, no
// write that had ended before that one began.
const (
	ReportLag  = 5 * time.Minute
	AttemptLag = 2 * MaxTimeout
)

// Mark is a value of an object in an application.
type Mark struct {
	Tenant      string
	Application string
	Key         string
	Hash        string // of the canonical value
}

// Write is a value that a delivery is about to bring to an application.
type Write struct {
	Mark
	EventID    string
	EndpointID string
	Order      int64 // of the change it carries; 0: it gets its place now
	Unsure     bool  // that change may have been none
}

// Report is a value that an application tells us one of its objects has.
type Report struct {
	Mark
	EventID string
}

// Ruling says what a report is: the echo of a write of ours, or a change with its place in the order
// of all changes.
type Ruling struct {
	EchoOf string // the event whose write it is; empty: a change
	Order  int64
	Newer  string // the event of a later change, which the application had and has lost by this write
	Latest int64  // that change's place
	// Unsure says that a change may be none: the application has the value it was brought and had before.
	// It may have said so because it was brought it, or because a person changed what the value leaves out.
	Unsure bool
}

// RequestShape is what an endpoint wants instead of our envelope, for APIs that cannot be taught to
// receive webhooks. Path and Body are jq expressions over the envelope.
type RequestShape struct {
	Method string `json:"method,omitempty"` // empty: POST
	Path   string `json:"path,omitempty"`   // gives a list of segments that follow the URL's path
	Body   string `json:"body,omitempty"`   // gives the JSON to send
}

// IsZero says whether the endpoint takes the envelope as it is.
func (s RequestShape) IsZero() bool { return s == RequestShape{} }
