package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// changeRow is a row of the change log.
type changeRow struct {
	webhook.AuditLine

	tenant string
}

// changeColumns are those of the change log. No two lines of a tenant have the same time, so that
// the time is their order, too.
var changeColumns = []column[changeRow]{
	{"tenant", func(l *changeRow) any { return &l.tenant }},
	{"at", func(l *changeRow) any { return micros{&l.At} }},
	{"kind", func(l *changeRow) any { return (*string)(&l.Kind) }},
	{"actor", func(l *changeRow) any { return prose{&l.Actor} }},
	{"via", func(l *changeRow) any { return (*string)(&l.Via) }},
	{"event_id", func(l *changeRow) any { return &l.EventID }},
	{"endpoint_id", func(l *changeRow) any { return &l.EndpointID }},
	{"source_id", func(l *changeRow) any { return &l.SourceID }},
	{"version", func(l *changeRow) any { return &l.EndpointVersion }},
	{"url_host", func(l *changeRow) any { return &l.EndpointURLHost }},
	{"status", func(l *changeRow) any { return &l.Status }},
	{"reason", func(l *changeRow) any { return prose{&l.Reason} }},
	{"changes", func(l *changeRow) any { return jsonText{&l.Changes} }},
	{"detail", func(l *changeRow) any { return prose{&l.Detail} }},
}

var changeTable = tableOf("change_log", changeColumns)

// selectLatest finds the time of a tenant's latest line.
const selectLatest = `SELECT at FROM change_log WHERE tenant = $1 ORDER BY at DESC LIMIT 1`

// Record adds a line about something that was read, or changed elsewhere than in the
// registry. Its time and its actor are the store's to say.
func (s *Store) Record(ctx context.Context, tenant string, l webhook.AuditLine) error {
	return s.explain(ctx, "change log of "+tenant, s.write(ctx, func(tx *sql.Tx) error { return s.record(ctx, tx, tenant, l) }))
}

// record adds a line to the change log, in the transaction of what it tells. It is the last that a
// transaction does: of those of a tenant each waits here for the one before, and so the order of
// the lines is that of the changes.
func (s *Store) record(ctx context.Context, tx *sql.Tx, tenant string, l webhook.AuditLine) error {
	if err := s.dialect.Lock(ctx, tx, changeTable.name, tenant); err != nil {
		return err
	}
	var latest time.Time
	if err := tx.QueryRowContext(ctx, selectLatest, tenant).Scan(micros{&latest}); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if l.At = s.now().UTC().Truncate(time.Microsecond); !l.At.After(latest) {
		l.At = latest.Add(time.Microsecond)
	}
	by := webhook.ActorOf(ctx)
	l.Actor, l.Via = by.Name, by.Via
	_, err := tx.ExecContext(ctx, changeTable.inserts(), pointers(changeColumns, &changeRow{l, tenant})...)
	return err
}

// Changes lists at most limit lines of a tenant's change log, the oldest first, from the one that
// follows after; the zero time starts at the first.
func (s *Store) Changes(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]webhook.AuditLine, error) {
	statement, args := selectChanges(tenant, q, after, limit)
	rows, err := s.readers.QueryContext(ctx, statement, args...)
	lines, err := list(rows, err, func(r row) (webhook.AuditLine, error) {
		var l changeRow
		err := r.Scan(pointers(changeColumns, &l)...)
		return l.AuditLine, err
	})
	return lines, s.explain(ctx, "change log of "+tenant, err)
}

// selectChanges asks for what a query bounds.
func selectChanges(tenant string, q webhook.AuditQuery, after time.Time, limit int) (statement string, args []any) {
	var where []string
	bound := func(condition string, value any) {
		args = append(args, value)
		where = append(where, condition+" $"+strconv.Itoa(len(args)))
	}
	bound("tenant =", tenant)
	for _, c := range []struct{ column, value string }{
		{"endpoint_id", q.EndpointID},
		{"source_id", q.SourceID},
		{"event_id", q.EventID},
		{"actor", q.Actor},
		{"status", q.Status},
		{"kind", string(q.Kind)},
	} {
		if c.value != "" {
			bound(c.column+" =", c.value)
		}
	}
	if !after.IsZero() {
		bound("at >", after.UnixMicro())
	}
	if !q.After.IsZero() {
		bound("at >=", q.After.UnixMicro())
	}
	if !q.Before.IsZero() {
		bound("at <", q.Before.UnixMicro())
	}
	args = append(args, limit)
	return changeTable.selects(strings.Join(where, " AND ") + " ORDER BY at LIMIT $" + strconv.Itoa(len(args))), args
}

// ChangesQuery is the statement of Changes, for tests that ask a database how it would run it.
func ChangesQuery(tenant string, q webhook.AuditQuery, after time.Time, limit int) (statement string, args []any) {
	return selectChanges(tenant, q, after, limit)
}
