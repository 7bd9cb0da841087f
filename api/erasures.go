package api

import "time"

// ErasureStatus is how far an erasure is.
type ErasureStatus string

// An erasure that was noted happens, whatever dies meanwhile.
const (
	Erasing ErasureStatus = "erasing"
	IsGone  ErasureStatus = "erased"
)

// Erasure is an event whose data was taken away on purpose: who wanted it, when, and why.
type Erasure struct {
	EventID    string        `json:"event_id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	Status     ErasureStatus `json:"status" enum:"erasing,erased" doc:"Of Temporal and the registry; archives follow by themselves."`
	AskedAt    time.Time     `json:"asked_at"`
	ErasedAt   *time.Time    `json:"erased_at,omitempty"`
	By         string        `json:"by" example:"jane"`
	Reason     string        `json:"reason" example:"request 17 of the data subject"`
	DataSHA256 string        `json:"data_sha256,omitempty" doc:"By it a copy elsewhere can be proven to be what was erased. Absent: the data was gone already."`
	DataBytes  int64         `json:"data_bytes"`
}

// ErasureQuery says why an event is erased.
type ErasureQuery struct {
	Reason string `query:"reason" required:"true" minLength:"1" maxLength:"1024" doc:"Why: it stays in the audit." example:"request 17 of the data subject"`
	Cancel bool   `query:"cancel" doc:"Also what is being delivered: its deliveries end."`
}

// SubjectErasure asks for the erasure of a subject's events.
type SubjectErasure struct {
	Subject string `json:"subject" minLength:"1" maxLength:"512" doc:"Whom they concern, as the events were posted." example:"customer-4711"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1024" doc:"Why: it stays in the audit." example:"request 17 of the data subject"`
	Cancel  bool   `json:"cancel,omitempty" doc:"Also what is being delivered: its deliveries end."`
	After   string `json:"after,omitempty" maxLength:"64" doc:"Go on behind this event: the next of the answer before."`
}

// SubjectErased is what became of some of a subject's events.
type SubjectErased struct {
	Erased  []Erasure        `json:"erased"`
	Refused []ErasureRefused `json:"refused" doc:"Events that are on legal hold, or being delivered."`
	Next    string           `json:"next,omitempty" doc:"Ask again with it as after. Absent: there are no more."`
}

// ErasureRefused is an event that was not erased.
type ErasureRefused struct {
	EventID string `json:"event_id"`
	Why     string `json:"why"`
}

// HoldOrder forbids erasures, or allows them again.
type HoldOrder struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1024" doc:"Why: it stays in the audit." example:"case 12"`
}

// SubjectHoldOrder does so for all that concerns a subject.
type SubjectHoldOrder struct {
	Subject string `json:"subject" minLength:"1" maxLength:"512" doc:"Whom they concern, as the events were posted." example:"customer-4711"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1024" doc:"Why: it stays in the audit." example:"case 12"`
}

// Hold is a legal hold: who forbade to erase, when, and why.
type Hold struct {
	EventID string    `json:"event_id,omitempty" doc:"Absent: of a subject."`
	At      time.Time `json:"at"`
	By      string    `json:"by" example:"jane"`
	Reason  string    `json:"reason" example:"case 12"`
}
