package webhook

import "time"

// MaxInline is how much data lies in an event's history, in bytes; what is more lies in the body
// store. Well below what Temporal refuses (2 MiB), and little enough for the histories of many
// events.
const MaxInline = 256 << 10

// BodyReference marks, in its metadata, a payload in a history that refers to a StoredBody and is
// not the data. No app can write it.
const BodyReference = "hookloop-body"

// StoredBody is an event's data outside of its history. Its digest is part of its name: an event of
// the same id that is refused in the end cannot write over it.
type StoredBody struct {
	Tenant    string
	EventID   string
	Digest    string // SHA-256 of the data, in hex
	Sealed    []byte // a payload of Temporal's, encrypted when histories are; empty in lists
	CreatedAt time.Time
}
