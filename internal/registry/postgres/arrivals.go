package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectArrivals = `SELECT name, first_at, taken FROM arrivals WHERE source_id = $1 AND name = ANY ($2)`
	// openArrivals begins anew with an item that first came before $5.
	openArrivals = `INSERT INTO arrivals AS was (source_id, name, first_at, taken, expires_at)
		SELECT $1, name, $3, false, $4 FROM unnest($2::text[]) AS name
		ON CONFLICT (source_id, name) DO UPDATE SET
		taken = was.taken AND was.first_at > $5,
		expires_at = CASE WHEN was.first_at <= $5 THEN excluded.expires_at ELSE was.expires_at END,
		first_at = CASE WHEN was.first_at <= $5 THEN excluded.first_at ELSE was.first_at END
		RETURNING name, first_at, taken`
	// takeArrivals leaves alone an item that has begun anew meanwhile.
	takeArrivals = `INSERT INTO arrivals AS was (source_id, name, first_at, taken, expires_at)
		SELECT $1, name, first_at, true, expires_at FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS t (name, first_at, expires_at)
		ON CONFLICT (source_id, name) DO UPDATE SET taken = true WHERE was.first_at = excluded.first_at`
	sweepArrivals = `DELETE FROM arrivals WHERE ctid = ANY (ARRAY (SELECT ctid FROM arrivals
		WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`
	pruneArrivals = `DELETE FROM arrivals WHERE source_id = $1 AND first_at <=
		(SELECT first_at FROM arrivals WHERE source_id = $1 ORDER BY first_at DESC LIMIT 1 OFFSET $2)`

	addActivity = `INSERT INTO source_activity AS was (source_id, accepted, repeats, refused, last_accepted_at, last_refused_at, last_refusal)
		SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT FROM sources WHERE id = $1)
		ON CONFLICT (source_id) DO UPDATE SET accepted = was.accepted + excluded.accepted, repeats = was.repeats + excluded.repeats,
		refused = was.refused + excluded.refused, last_accepted_at = greatest(was.last_accepted_at, excluded.last_accepted_at),
		last_refusal = CASE WHEN excluded.last_refused_at > was.last_refused_at THEN excluded.last_refusal ELSE was.last_refusal END,
		last_refused_at = greatest(was.last_refused_at, excluded.last_refused_at)`
	selectActivity = `SELECT accepted, repeats, refused, last_accepted_at, last_refused_at, last_refusal FROM source_activity WHERE source_id = $1`
	deleteActivity = `DELETE FROM source_activity WHERE source_id = $1`
)

// Arrivals says which of these items of a source came before. With sameFor, items are the same for so long
// after the first: that one is noted, now, if it has not been. Without it they are the same for ever, and
// those that are new are missing in the answer.
func (r *Registry) Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error) {
	query, args := selectArrivals, []any{sourceID, registry.SortedNames(names)}
	if sameFor != 0 {
		query = openArrivals
		args = append(args, now.UnixMicro(), registry.ArrivalEnd(now, sameFor).UnixMicro(), now.Add(-sameFor).UnixMicro())
	}
	found, err := r.readArrivals(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("arrivals: %w", explain(err))
	}
	return found, nil
}

func (r *Registry) readArrivals(ctx context.Context, query string, args ...any) (map[string]webhook.Arrival, error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[string]webhook.Arrival{}
	for rows.Next() {
		var name string
		var first int64
		var a webhook.Arrival
		if err := rows.Scan(&name, &first, &a.Taken); err != nil {
			return nil, err
		}
		a.First = registry.Time(first)
		found[name] = a
	}
	return found, rows.Err()
}

// TakeArrivals notes that items of a source have become events, and adds what became of its requests. It
// forgets some of what is too old, more than it adds.
func (r *Registry) TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error {
	if _, err := r.db.ExecContext(ctx, sweepArrivals, now.UnixMicro(), 2*len(all)+100); err != nil {
		return fmt.Errorf("arrivals: %w", explain(err))
	}
	err := r.write(ctx, func(tx *sql.Tx) error {
		sorted := registry.SortedTaken(all)
		names, first, end := make([]string, len(sorted)), make([]int64, len(sorted)), make([]int64, len(sorted))
		for i, t := range sorted {
			names[i], first[i], end[i] = t.Name, t.First.UnixMicro(), registry.ArrivalEnd(t.First, t.For).UnixMicro()
		}
		if _, err := tx.ExecContext(ctx, takeArrivals, sourceID, names, first, end); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, addActivity, sourceID, a.Accepted, a.Repeats, a.Refused,
			registry.Micros(a.LastAcceptedAt), registry.Micros(a.LastRefusedAt), a.LastRefusal)
		return err
	})
	if err != nil {
		return fmt.Errorf("arrivals: %w", explain(err))
	}
	return nil
}

// PruneArrivals forgets all but the latest items of a source, as many as it is told to keep.
func (r *Registry) PruneArrivals(ctx context.Context, sourceID string, keep int) error {
	if _, err := r.db.ExecContext(ctx, pruneArrivals, sourceID, keep); err != nil {
		return fmt.Errorf("arrivals: %w", explain(err))
	}
	return nil
}

// SourceActivity tells what became of what a source sent.
func (r *Registry) SourceActivity(ctx context.Context, sourceID string) (a webhook.SourceActivity, err error) {
	var accepted, refused int64
	err = r.db.QueryRowContext(ctx, selectActivity, sourceID).
		Scan(&a.Accepted, &a.Repeats, &a.Refused, &accepted, &refused, &a.LastRefusal)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	a.LastAcceptedAt, a.LastRefusedAt = registry.Time(accepted), registry.Time(refused)
	return a, aboutSource(sourceID, err)
}
