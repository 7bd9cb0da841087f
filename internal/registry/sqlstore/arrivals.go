package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

func selectArrivals(d Dialect) string {
	return `SELECT name, first_at, taken FROM arrivals WHERE source_id = $1 AND name ` + d.Among("$2")
}

// openArrivals begins anew with an item that first came before $5.
func openArrivals(d Dialect) string {
	return `INSERT INTO arrivals AS was (source_id, name, first_at, taken, expires_at)
		SELECT $1, item.value, $3, false, $4 FROM ` + d.Items("$2") + ` WHERE true
		ON CONFLICT (source_id, name) DO UPDATE SET
		taken = was.taken AND was.first_at > $5,
		expires_at = CASE WHEN was.first_at <= $5 THEN excluded.expires_at ELSE was.expires_at END,
		first_at = CASE WHEN was.first_at <= $5 THEN excluded.first_at ELSE was.first_at END
		RETURNING name, first_at, taken`
}

// takeArrivals leaves alone an item that has begun anew meanwhile.
func takeArrivals(d Dialect) string {
	return `INSERT INTO arrivals AS was (source_id, name, first_at, taken, expires_at)
		SELECT $1, name, first_at, true, expires_at FROM ` + d.TakenItems() + ` WHERE true
		ON CONFLICT (source_id, name) DO UPDATE SET taken = true WHERE was.first_at = excluded.first_at`
}

func activityOf(d Dialect) string {
	return `SELECT source_id, accepted, repeats, refused, last_accepted_at, last_refused_at, last_refusal FROM source_activity
		WHERE source_id ` + d.Among("$1")
}

const (
	pruneArrivals = `DELETE FROM arrivals WHERE source_id = $1 AND first_at <=
		(SELECT first_at FROM arrivals WHERE source_id = $1 ORDER BY first_at DESC LIMIT 1 OFFSET $2)`

	addActivity = `INSERT INTO source_activity AS was (source_id, accepted, repeats, refused, last_accepted_at, last_refused_at, last_refusal)
		SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM sources WHERE id = $1)
		ON CONFLICT (source_id) DO UPDATE SET
		accepted = was.accepted + excluded.accepted, repeats = was.repeats + excluded.repeats, refused = was.refused + excluded.refused,
		last_accepted_at = CASE WHEN excluded.last_accepted_at > was.last_accepted_at THEN excluded.last_accepted_at ELSE was.last_accepted_at END,
		last_refusal = CASE WHEN excluded.last_refused_at > was.last_refused_at THEN excluded.last_refusal ELSE was.last_refusal END,
		last_refused_at = CASE WHEN excluded.last_refused_at > was.last_refused_at THEN excluded.last_refused_at ELSE was.last_refused_at END`
	deleteActivity = `DELETE FROM source_activity WHERE source_id = $1`
)

var expiredArrivals = Rows{Table: "arrivals", Key: "source_id, name", Where: "expires_at <= $1", Order: "expires_at", Limit: "$2"}

// arrivalEnd is when an item that first came at the given time is forgotten.
func arrivalEnd(first time.Time, sameFor time.Duration) int64 {
	return first.Add(cmp.Or(sameFor, webhook.RememberArrivals)).UnixMicro()
}

// Arrivals says which of these items of a source came before. With sameFor, items are the same for
// so long after the first: that one is noted, now, if it has not been. Without it they are the same
// for ever, and new ones are missing in the answer.
func (s *Store) Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error) {
	// In order and each once: batches that share some lock them in the same order.
	items := s.dialect.List(slices.Compact(slices.Sorted(slices.Values(names))))
	var rows *sql.Rows
	var err error
	if sameFor == 0 {
		rows, err = s.arrivals.rows(ctx, sourceID, items)
	} else {
		rows, err = s.writer.QueryContext(ctx, s.statements.openArrivals, sourceID, items,
			now.UnixMicro(), arrivalEnd(now, sameFor), now.Add(-sameFor).UnixMicro())
	}
	found := make(map[string]webhook.Arrival, len(names))
	_, err = list(rows, err, func(r row) (a webhook.Arrival, err error) {
		var name string
		err = r.Scan(&name, micros{&a.First}, &a.Taken)
		found[name] = a
		return a, err
	})
	return found, s.explain(ctx, "arrivals", err)
}

// TakeArrivals notes that items of a source have become events, and adds what became of its
// requests. It forgets some of what is too old, more than it adds.
func (s *Store) TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error {
	_, err := s.writer.ExecContext(ctx, s.statements.deleteArrivals, now.UnixMicro(), 2*len(all)+100)
	if err == nil {
		err = s.write(ctx, func(tx *sql.Tx) error {
			if err := s.take(ctx, tx, sourceID, all); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, addActivity, sourceID, a.Accepted, a.Repeats, a.Refused,
				microsOf(a.LastAcceptedAt), microsOf(a.LastRefusedAt), a.LastRefusal)
			return err
		})
	}
	return s.explain(ctx, "arrivals", err)
}

func (s *Store) take(ctx context.Context, tx *sql.Tx, sourceID string, all []webhook.Taken) error {
	if len(all) == 0 {
		return nil
	}
	byName := make(map[string]webhook.Taken, len(all))
	for _, t := range all {
		byName[t.Name] = t
	}
	names := slices.Sorted(maps.Keys(byName))
	first, end := make([]int64, len(names)), make([]int64, len(names))
	for i, name := range names {
		t := byName[name]
		first[i], end[i] = t.First.UnixMicro(), arrivalEnd(t.First, t.For)
	}
	d := s.dialect
	_, err := tx.ExecContext(ctx, s.statements.takeArrivals, sourceID, d.List(names), d.List(first), d.List(end))
	return err
}

// PruneArrivals forgets all items of a source but the latest, as many as keep says.
func (s *Store) PruneArrivals(ctx context.Context, sourceID string, keep int) error {
	_, err := s.writer.ExecContext(ctx, pruneArrivals, sourceID, keep)
	return s.explain(ctx, "arrivals", err)
}

// SourceActivities tells what became of what sources sent, by their ids; of one that sent nothing
// nothing is told.
func (s *Store) SourceActivities(ctx context.Context, ids []string) (map[string]webhook.SourceActivity, error) {
	rows, err := s.readers.QueryContext(ctx, s.statements.activityOf, s.dialect.List(ids))
	all := make(map[string]webhook.SourceActivity, len(ids))
	_, err = list(rows, err, func(r row) (a webhook.SourceActivity, err error) {
		var id string
		err = r.Scan(&id, &a.Accepted, &a.Repeats, &a.Refused, microsOrZero{&a.LastAcceptedAt}, microsOrZero{&a.LastRefusedAt}, &a.LastRefusal)
		all[id] = a
		return a, err
	})
	return all, s.explain(ctx, "arrivals", err)
}
