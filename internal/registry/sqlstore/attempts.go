package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/attemptlog"
)

// Store keeps the attempt log.
var _ attemptlog.Store = (*Store)(nil)

func attemptTable(d Dialect) jsonRows {
	return jsonRows{
		dialect: d, table: "attempts",
		key:  append(texts("tenant", "endpoint_id", "event_id", "run"), ints("number")...),
		rest: append(append(texts("event_type"), ints("at", "duration_ms")...), append(texts("outcome"), append(ints("status_code"), texts("failure", "error")...)...)...),
	}
}

func countTable(d Dialect) jsonRows {
	return jsonRows{
		dialect: d, table: "attempt_counts",
		key:  append(texts("tenant"), append(ints("span", "at"), texts("endpoint_id")...)...),
		rest: ints(tallyColumns()...),
	}
}

func latestTable(d Dialect) jsonRows {
	return jsonRows{
		dialect: d, table: "attempt_latest",
		key:  texts("tenant", "endpoint_id"),
		rest: append(ints("took_at", "failed_at", "status_code"), texts("failure", "error")...),
	}
}

// tallyColumns are those of a Tally, in the order of tallyPointers.
func tallyColumns() []string {
	all := []string{"took", "fails", "refuses"}
	for i := range attemptlog.Buckets {
		all = append(all, fmt.Sprint("latency_", i))
	}
	return all
}

func tallyPointers(t *attemptlog.Tally) []any {
	all := []any{&t.Took, &t.Fails, &t.Refuses}
	for i := range t.Latency {
		all = append(all, &t.Latency[i])
	}
	return all
}

// keepLatest leaves in place what is newer. What was not taken stands in four columns, which change
// together.
func keepLatest(column string) string {
	by := "failed_at"
	if column == "took_at" {
		by = column
	}
	return fmt.Sprintf("CASE WHEN excluded.%[1]s > was.%[1]s THEN excluded.%[2]s ELSE was.%[2]s END", by, column)
}

const (
	resizeLog     = `UPDATE attempt_log SET size = size + $1`
	selectLogSize = `SELECT size FROM attempt_log`
	deleteLatest  = `DELETE FROM attempt_latest WHERE tenant = $1 AND endpoint_id = $2`
	selectLastOf  = `SELECT at, status_code, failure, error FROM attempts
		WHERE tenant = $1 AND endpoint_id = $2 AND number > 0 AND (outcome = 'took') = $3 ORDER BY at DESC LIMIT 1`
	upsertGap = `INSERT INTO attempt_gaps (id, from_at, to_at, taken_at) VALUES ($1, $2, $3, 0)
		ON CONFLICT (id) DO UPDATE SET (from_at, to_at, taken_at) = (excluded.from_at, excluded.to_at, 0)`
	deleteGap = `DELETE FROM attempt_gaps WHERE id = $1`
	takeGap   = `UPDATE attempt_gaps SET taken_at = $1 WHERE id = (SELECT id FROM attempt_gaps
		WHERE taken_at < $2 AND (to_at > 0 OR from_at < $3) ORDER BY from_at LIMIT 1) RETURNING id, from_at, to_at`
	deleteStrayLatest = `DELETE FROM attempt_latest WHERE NOT EXISTS
		(SELECT 1 FROM endpoints WHERE endpoints.tenant = attempt_latest.tenant AND endpoints.id = attempt_latest.endpoint_id)`
)

// The key of what is pruned is enough for both databases to find it by.
var (
	oldAttempts = Rows{Table: "attempts", Key: "tenant, endpoint_id, event_id, run, number", Where: "at < $1", Order: "at", Limit: "$2"}
	oldCounts   = Rows{Table: "attempt_counts", Key: "tenant, span, at, endpoint_id", Where: "span = $1 AND at < $2", Order: "at", Limit: strconv.Itoa(attemptlog.PruneBatch)}
)

// WriteAttempts stores rows and what they add to the counts, and notes gaps. The writers of all
// processes take turns: so what a row replaces is known when its counts change.
func (s *Store) WriteAttempts(ctx context.Context, w attemptlog.Write) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, "attempt log"); err != nil {
			return err
		}
		for _, g := range w.Gaps {
			if _, err := tx.ExecContext(ctx, upsertGap, g.ID, g.From.UnixMicro(), microsOf(g.To)); err != nil {
				return err
			}
		}
		return s.writeAttempts(ctx, tx, w)
	})
	return s.aboutAttempts(ctx, err)
}

func (s *Store) writeAttempts(ctx context.Context, tx *sql.Tx, w attemptlog.Write) error {
	if len(w.Rows) == 0 {
		return nil
	}
	byKey := make(map[attemptlog.Key]attemptlog.Row, len(w.Rows))
	for _, r := range w.Rows { // the last of a key holds
		byKey[r.Key()] = r
	}
	keys := slices.SortedFunc(maps.Keys(byKey), compareKeys)
	old, err := s.oldAttempts(ctx, tx, keys)
	if err != nil {
		return err
	}
	var fresh, replaced []attemptlog.Row
	for _, k := range keys {
		switch was, there := old[k]; {
		case !there:
			fresh = append(fresh, byKey[k])
		case was != byKey[k]:
			replaced = append(replaced, was)
			fresh = append(fresh, byKey[k])
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := s.upsertAttempts(ctx, tx, fresh); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, resizeLog, len(fresh)-len(replaced)); err != nil {
		return err
	}
	if err := s.addCounts(ctx, tx, fresh, replaced, w.Now); err != nil {
		return err
	}
	if err := s.forgetLatest(ctx, tx, replaced); err != nil {
		return err
	}
	return s.addLatest(ctx, tx, fresh)
}

func compareKeys(a, b attemptlog.Key) int {
	return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.EndpointID, b.EndpointID), strings.Compare(a.EventID, b.EventID),
		strings.Compare(a.Run, b.Run), cmp.Compare(a.Number, b.Number))
}

func (s *Store) oldAttempts(ctx context.Context, tx *sql.Tx, keys []attemptlog.Key) (map[attemptlog.Key]attemptlog.Row, error) {
	list := make([][]any, len(keys))
	for i, k := range keys {
		list[i] = []any{k.Tenant, k.EndpointID, k.EventID, k.Run, k.Number}
	}
	found, err := readAttempts(tx.QueryContext(ctx, s.statements.selectAttempts, jsonList(list)))
	old := make(map[attemptlog.Key]attemptlog.Row, len(found))
	for _, r := range found {
		old[r.Key()] = r
	}
	return old, err
}

func readAttempts(rows *sql.Rows, err error) ([]attemptlog.Row, error) {
	return list(rows, err, func(from row) (r attemptlog.Row, err error) {
		err = from.Scan(&r.Tenant, &r.EndpointID, &r.EventID, &r.Run, &r.Number, &r.EventType, micros{&r.At}, &r.DurationMS,
			&r.Outcome, &r.StatusCode, &r.Failure, &r.Error)
		return r, err
	})
}

func (s *Store) upsertAttempts(ctx context.Context, tx *sql.Tx, all []attemptlog.Row) error {
	list := make([][]any, len(all))
	for i, r := range all {
		list[i] = []any{
			r.Tenant, r.EndpointID, r.EventID, r.Run, r.Number, r.EventType, r.At.UnixMicro(), r.DurationMS,
			r.Outcome, r.StatusCode, r.Failure, r.Error,
		}
	}
	_, err := tx.ExecContext(ctx, s.statements.upsertAttempts, jsonList(list))
	return err
}

// addCounts adds what is new, and takes away what it replaces.
func (s *Store) addCounts(ctx context.Context, tx *sql.Tx, fresh, replaced []attemptlog.Row, now time.Time) error {
	tallies := map[attemptlog.CountKey]*attemptlog.Tally{}
	add := func(all []attemptlog.Row, n int64) {
		for _, r := range all {
			for _, k := range r.Spans(now) {
				if !r.Attempted() {
					continue
				}
				if tallies[k] == nil {
					tallies[k] = &attemptlog.Tally{}
				}
				tallies[k].Add(r, n)
			}
		}
	}
	add(fresh, 1)
	add(replaced, -1)
	if len(tallies) == 0 {
		return nil
	}
	list := make([][]any, 0, len(tallies))
	for k, t := range tallies {
		list = append(list, append([]any{k.Tenant, seconds(k.Span), k.At.UnixMicro(), k.EndpointID}, tallyPointers(t)...))
	}
	_, err := tx.ExecContext(ctx, s.statements.upsertCounts, jsonList(list))
	return err
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func (s *Store) aboutAttempts(ctx context.Context, err error) error {
	return s.explain(ctx, "attempts", err)
}
