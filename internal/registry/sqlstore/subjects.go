package sqlstore

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// subjectKey names a tenant's row in subject_keys, to which its key is sealed.
const subjectKey = "subjects"

const (
	selectSubjectKey = `SELECT sealed FROM subject_keys WHERE tenant = $1 AND id = $2`
	insertSubjectKey = `INSERT INTO subject_keys (tenant, id, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	insertSubject    = `INSERT INTO subjects (tenant, event_id, subject, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	selectSubjects   = `SELECT event_id FROM subjects WHERE tenant = $1 AND subject = $2 AND event_id > $3 ORDER BY event_id LIMIT $4`
	selectHold       = `SELECT event_id, subject, at, actor, reason FROM holds WHERE tenant = $1 AND
		(event_id = $2 AND subject = '' OR event_id = '' AND subject = (SELECT subject FROM subjects WHERE tenant = $1 AND event_id = $2)) LIMIT 1`
	selectOneHold = `SELECT event_id, subject, at, actor, reason FROM holds WHERE tenant = $1 AND event_id = $2 AND subject = $3`
	insertHold    = `INSERT INTO holds (tenant, event_id, subject, at, actor, reason) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	deleteHold    = `DELETE FROM holds WHERE tenant = $1 AND event_id = $2 AND subject = $3`
)

var expiredSubjects = Rows{Table: "subjects", Key: "tenant, event_id", Where: "expires_at <= $1", Order: "expires_at", Limit: "10"}

// subjectOf is what is kept of a subject: its hash with the tenant's own key, which is drawn when
// it is first needed. Without the key it cannot be found out whether a subject is among them.
func (s *Store) subjectOf(ctx context.Context, tenant, subject string) (string, error) {
	key, known := s.subjectKeys.Load(tenant)
	if !known {
		read, err := s.readSubjectKey(ctx, tenant)
		if err != nil {
			return "", err
		}
		key, _ = s.subjectKeys.LoadOrStore(tenant, read)
	}
	mac := hmac.New(sha256.New, key.([]byte)) //nolint:forcetypeassert // nothing else is put there
	_, _ = mac.Write([]byte(subject))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

func (s *Store) readSubjectKey(ctx context.Context, tenant string) ([]byte, error) {
	drawn := make([]byte, sha256.Size)
	_, _ = rand.Read(drawn) // it does not fail
	var key []byte
	err := s.write(ctx, func(tx *sql.Tx) error {
		sealed, err := s.sealer.SealConfig(tenant, subjectKey, signature.Hide(string(drawn)))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, insertSubjectKey, tenant, subjectKey, sealed); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, selectSubjectKey, tenant, subjectKey).Scan(&sealed); err != nil {
			return err
		}
		opened, err := s.sealer.OpenConfig(tenant, subjectKey, sealed)
		key = []byte(opened.Reveal())
		return err
	})
	return key, s.aboutErasures(ctx, err)
}

// NoteSubject notes whom an event concerns that is about to be accepted, and forgets some that are
// older than a year.
func (s *Store) NoteSubject(ctx context.Context, tenant, eventID, subject string, now time.Time) error {
	hash, err := s.subjectOf(ctx, tenant, subject)
	if err != nil {
		return err
	}
	_, err = s.writer.ExecContext(ctx, insertSubject, tenant, eventID, hash, now.Add(webhook.RememberArrivals).UnixMicro())
	if err == nil {
		_, err = s.writer.ExecContext(ctx, s.statements.deleteSubjects, now.UnixMicro())
	}
	return s.aboutErasures(ctx, err)
}

// SubjectEvents lists the ids of a subject's events that stand behind after, in order.
func (s *Store) SubjectEvents(ctx context.Context, tenant, subject, after string, limit int) ([]string, error) {
	hash, err := s.subjectOf(ctx, tenant, subject)
	if err != nil {
		return nil, err
	}
	rows, err := s.readers.QueryContext(ctx, selectSubjects, tenant, hash, after, limit)
	ids, err := list(rows, err, readID)
	return ids, s.aboutErasures(ctx, err)
}

func readHold(r row) (h webhook.Hold, err error) {
	err = r.Scan(&h.EventID, &h.Subject, micros{&h.At}, prose{&h.By}, prose{&h.Reason})
	return h, err
}

// heldIn refuses an event that is on hold, itself or its subject.
func (s *Store) heldIn(ctx context.Context, tx *sql.Tx, tenant, eventID string) error {
	h, err := readHold(tx.QueryRowContext(ctx, selectHold, tenant, eventID))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.Forbids()
}

// SubjectHold is the legal hold on a subject. The error carries webhook.NotFound when there is
// none.
func (s *Store) SubjectHold(ctx context.Context, tenant, subject string) (webhook.Hold, error) {
	hash, err := s.subjectOf(ctx, tenant, subject)
	if err != nil {
		return webhook.Hold{}, err
	}
	h, err := readHold(s.readers.QueryRowContext(ctx, selectOneHold, tenant, "", hash))
	if errors.Is(err, sql.ErrNoRows) {
		return h, webhook.Errorf(webhook.NotFound, "the subject is under no legal hold")
	}
	return h, s.aboutErasures(ctx, err)
}

// PutHold forbids to erase an event, or what concerns a subject, which is h's in clear. One that is
// there stays as it is, and is given back.
func (s *Store) PutHold(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error) {
	h, err := s.hashed(ctx, tenant, h)
	if err != nil {
		return h, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, "erasures", tenant); err != nil {
			return err
		}
		by := webhook.ActorOf(ctx)
		put, err := tx.ExecContext(ctx, insertHold, tenant, h.EventID, h.Subject, s.now().UnixMicro(), prose{&by.Name}, prose{&h.Reason})
		if err != nil {
			return err
		}
		n, err := put.RowsAffected()
		if err == nil && n > 0 {
			err = s.record(ctx, tx, tenant, aboutHold(webhook.AuditLegalHold, h))
		}
		if err != nil {
			return err
		}
		h, err = readHold(tx.QueryRowContext(ctx, selectOneHold, tenant, h.EventID, h.Subject))
		return err
	})
	return h, s.aboutErasures(ctx, err)
}

// DeleteHold allows it again. The error carries webhook.NotFound when nothing forbids it.
func (s *Store) DeleteHold(ctx context.Context, tenant string, h webhook.Hold) error {
	h, err := s.hashed(ctx, tenant, h)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, deleteHold, tenant, h.EventID, h.Subject)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, webhook.Errorf(webhook.NotFound, "there is no legal hold"))
		}
		return s.record(ctx, tx, tenant, aboutHold(webhook.AuditLegalHoldLifted, h))
	})
	return s.aboutErasures(ctx, err)
}

func (s *Store) hashed(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error) {
	if h.Subject == "" {
		return h, nil
	}
	hash, err := s.subjectOf(ctx, tenant, h.Subject)
	h.Subject = hash
	return h, err
}

// aboutHold is a line of the change log. A subject is named by the beginning of its hash.
func aboutHold(kind webhook.AuditKind, h webhook.Hold) webhook.AuditLine {
	l := webhook.AuditLine{Kind: kind, EventID: h.EventID, Reason: h.Reason}
	if h.Subject != "" {
		l.Detail = "the subject " + h.Subject[:12] + "…"
	}
	return l
}
