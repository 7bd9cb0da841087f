package erasure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"hookloop/internal/webhook"
)

// page is how many events of a subject one call erases: each takes Temporal some deletions.
const page = 20

// patience is how long each of them is waited for. Temporal takes up to half a minute over one that
// ended just now: that goes on by itself.
const patience = 500 * time.Millisecond

// Subject says how far the erasure of a subject's events has come.
type Subject struct {
	Erased  []webhook.Erasure
	Refused []Refusal
	Next    string // the event to go on behind; empty: there are no more
}

// Refusal is an event that was not erased, and why.
type Refusal struct{ EventID, Why string }

// EraseSubject erases some events of a subject that stand behind one, in the order of their ids.
// What was erased is not found any more: a repeat goes on. The error carries webhook.OnLegalHold
// when the subject is held; an event that is, or that is being delivered, is passed over.
func (e *Eraser) EraseSubject(ctx context.Context, tenant, subject, after string, o Order) (s Subject, err error) {
	held, err := e.cfg.Registry.SubjectHold(ctx, tenant, subject)
	if err == nil {
		return s, held.Forbids()
	}
	if webhook.CodeOf(err) != webhook.NotFound {
		return s, err
	}
	ids, err := e.cfg.Registry.SubjectEvents(ctx, tenant, subject, after, page)
	if err != nil {
		return s, err
	}
	o.patience = patience
	for _, id := range ids {
		done, err := e.Erase(ctx, tenant, id, o)
		switch webhook.CodeOf(err) {
		case webhook.Conflict, webhook.OnLegalHold:
			s.Refused = append(s.Refused, Refusal{id, err.Error()})
			continue
		}
		if err != nil {
			return s, err
		}
		s.Erased = append(s.Erased, done)
	}
	if len(ids) == page {
		s.Next = ids[page-1]
	}
	return s, nil
}

// fingerprint tells data from other data, without a word of it; empty: there is none.
func fingerprint(data []byte) string {
	if data == nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Hold forbids to erase an event, or what concerns a subject.
func (e *Eraser) Hold(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error) {
	return e.cfg.Registry.PutHold(ctx, tenant, h)
}

// Unhold allows it again. The error carries webhook.NotFound when nothing forbids it.
func (e *Eraser) Unhold(ctx context.Context, tenant string, h webhook.Hold) error {
	return e.cfg.Registry.DeleteHold(ctx, tenant, h)
}

// NoteSubject notes whom an event concerns that is about to be accepted.
func (e *Eraser) NoteSubject(ctx context.Context, tenant, eventID, subject string) error {
	return e.cfg.Registry.NoteSubject(ctx, tenant, eventID, subject, e.cfg.Now())
}
