package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"hookloop/internal/webhook"
)

// erasureColumns are those of the table erasures but when one is due.
var erasureColumns = []column[webhook.Erasure]{
	{"tenant", func(e *webhook.Erasure) any { return &e.Tenant }},
	{"event_id", func(e *webhook.Erasure) any { return &e.EventID }},
	{"asked_at", func(e *webhook.Erasure) any { return micros{&e.AskedAt} }},
	{"erased_at", func(e *webhook.Erasure) any { return microsOrZero{&e.ErasedAt} }},
	{"done_at", func(e *webhook.Erasure) any { return microsOrZero{&e.DoneAt} }},
	{"actor", func(e *webhook.Erasure) any { return prose{&e.By} }},
	{"via", func(e *webhook.Erasure) any { return (*string)(&e.Via) }},
	{"reason", func(e *webhook.Erasure) any { return prose{&e.Reason} }},
	{"data_sha256", func(e *webhook.Erasure) any { return &e.Data }},
	{"data_bytes", func(e *webhook.Erasure) any { return &e.DataBytes }},
	{"endpoints", func(e *webhook.Erasure) any { return jsonText{&e.Endpoints} }},
}

var (
	erasureTable  = tableOf("erasures", erasureColumns)
	insertErasure = "INSERT INTO erasures (" + erasureTable.names + ", due_at, changed_at) VALUES (" + erasureTable.values + ", $" + strconv.Itoa(len(erasureColumns)+1) + ", 0)"
	// takeErasure gives one that is due to a process, until another time.
	takeErasure = `UPDATE erasures SET due_at = $2 WHERE (tenant, event_id) = (SELECT tenant, event_id FROM erasures
		WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT 1) RETURNING ` + erasureTable.names
	selectErasure = erasureTable.selects("tenant = $1 AND event_id = $2")
	listErased    = erasureTable.selects("changed_at > 0 AND changed_at > $1 ORDER BY changed_at")
)

const saveErasure = `UPDATE erasures SET erased_at = $3, done_at = $4, changed_at = $5, due_at = $6 WHERE tenant = $1 AND event_id = $2`

func readErasure(r row) (e webhook.Erasure, err error) {
	err = r.Scan(pointers(erasureColumns, &e)...)
	return e, err
}

func (s *Store) aboutErasures(ctx context.Context, err error) error {
	return s.explain(ctx, "erasures", err)
}

// Erasure finds that of an event. The error carries webhook.NotFound when there is none.
func (s *Store) Erasure(ctx context.Context, tenant, eventID string) (webhook.Erasure, error) {
	e, err := readErasure(s.erasure.row(ctx, tenant, eventID))
	if errors.Is(err, sql.ErrNoRows) {
		return e, webhook.Errorf(webhook.NotFound, "event %s was not erased", eventID)
	}
	return e, s.aboutErasures(ctx, err)
}

// BeginErasure notes that an event is to be erased, and who wants it: from then on it will be. A
// process that is not done by due loses it to another. One that was begun before is given back as
// it is. The error carries webhook.OnLegalHold when a person forbids it.
func (s *Store) BeginErasure(ctx context.Context, e webhook.Erasure, due time.Time) (begun webhook.Erasure, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, "erasures", e.Tenant); err != nil {
			return err
		}
		begun, err = readErasure(tx.QueryRowContext(ctx, selectErasure, e.Tenant, e.EventID))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := s.heldIn(ctx, tx, e.Tenant, e.EventID); err != nil {
			return err
		}
		begun = e
		begun.AskedAt = s.now().UTC().Truncate(time.Microsecond)
		if _, err := tx.ExecContext(ctx, insertErasure, append(pointers(erasureColumns, &begun), due.UnixMicro())...); err != nil {
			return err
		}
		return s.record(ctx, tx, e.Tenant, webhook.AuditLine{
			Kind: webhook.AuditErasureAsked, EventID: e.EventID, Reason: e.Reason, DataSHA256: e.Data, DataBytes: e.DataBytes,
			Detail: aboutData(e),
		})
	})
	return begun, s.aboutErasures(ctx, err)
}

// aboutData says which data it is, without a word of it.
func aboutData(e webhook.Erasure) string {
	if e.Data == "" {
		return "its data was gone already"
	}
	return strconv.FormatInt(e.DataBytes, 10) + " bytes of data, SHA-256 " + e.Data
}

// NextErasure gives one that is due, and holds it until another time; false: none is.
func (s *Store) NextErasure(ctx context.Context, now, until time.Time) (webhook.Erasure, bool, error) {
	e, err := readErasure(s.writer.QueryRowContext(ctx, takeErasure, now.UnixMicro(), until.UnixMicro()))
	if errors.Is(err, sql.ErrNoRows) {
		return e, false, nil
	}
	return e, err == nil, s.aboutErasures(ctx, err)
}

// SaveErasure notes how far one is, and when it is to go on: the zero time, never. That the data
// has gone is a line of the audit.
func (s *Store) SaveErasure(ctx context.Context, e webhook.Erasure, due time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		was, err := readErasure(tx.QueryRowContext(ctx, selectErasure, e.Tenant, e.EventID))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, saveErasure, e.Tenant, e.EventID, microsOf(e.ErasedAt), microsOf(e.DoneAt), microsOf(e.ChangedAt()), microsOf(due)); err != nil {
			return err
		}
		if e.ErasedAt.IsZero() || !was.ErasedAt.IsZero() {
			return nil
		}
		own := webhook.WithActor(ctx, webhook.Actor{Name: webhook.ByHookloop, Via: webhook.ViaHookloop})
		return s.record(own, tx, e.Tenant, webhook.AuditLine{Kind: webhook.AuditPayloadErased, EventID: e.EventID, Detail: aboutData(e)})
	})
	return s.aboutErasures(ctx, err)
}

// ErasedSince lists what was erased after a time, or looked for once more.
func (s *Store) ErasedSince(ctx context.Context, after time.Time) ([]webhook.Erasure, error) {
	rows, err := s.readers.QueryContext(ctx, listErased, max(microsOf(after), 0))
	all, err := list(rows, err, readErasure)
	return all, s.aboutErasures(ctx, err)
}

const (
	knowsEvent = `SELECT EXISTS (SELECT 1 FROM subjects WHERE tenant = $1 AND event_id = $2)
		OR EXISTS (SELECT 1 FROM bodies WHERE tenant = $1 AND event_id = $2)`
	blankAttempts = `UPDATE attempts SET error = '' WHERE tenant = $1 AND endpoint_id = $2 AND event_id = $3 AND error <> ''`
	dropWrites    = `DELETE FROM echo_writes WHERE tenant = $1 AND event_id = $2`
	dropObjects   = `DELETE FROM echo_objects WHERE tenant = $1 AND (event_id = $2 OR echo_of = $2 OR latest_event = $2)`
	dropSubject   = `DELETE FROM subjects WHERE tenant = $1 AND event_id = $2`
)

// KnowsEvent says whether there is something here that an event has left.
func (s *Store) KnowsEvent(ctx context.Context, tenant, eventID string) (known bool, err error) {
	err = s.readers.QueryRowContext(ctx, knowsEvent, tenant, eventID).Scan(&known)
	return known, s.aboutErasures(ctx, err)
}

// ForgetEvent takes away what an event has left here: its body, the words about its attempts, whom
// it concerns, and what is known of the objects that it changed in applications. Who was sent what,
// and hashes of third parties' ids, stay: else a third party's repeat would be a new event.
func (s *Store) ForgetEvent(ctx context.Context, tenant, eventID string, endpoints []string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, id := range endpoints {
			if _, err := tx.ExecContext(ctx, blankAttempts, tenant, id, eventID); err != nil {
				return err
			}
		}
		for _, statement := range []string{deleteBody, dropWrites, dropObjects, dropSubject} {
			if _, err := tx.ExecContext(ctx, statement, tenant, eventID); err != nil {
				return err
			}
		}
		return nil
	})
	return s.aboutErasures(ctx, err)
}
