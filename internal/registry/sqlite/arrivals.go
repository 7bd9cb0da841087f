package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

const (
	selectArrival = `SELECT first_at, taken FROM arrivals WHERE source_id = ? AND name = ?`
	// openArrival begins anew with an item that first came before ?5.
	openArrival = `INSERT INTO arrivals (source_id, name, first_at, taken, expires_at) VALUES (?1, ?2, ?3, 0, ?4)
		ON CONFLICT (source_id, name) DO UPDATE SET
		taken = CASE WHEN first_at <= ?5 THEN 0 ELSE taken END,
		expires_at = CASE WHEN first_at <= ?5 THEN excluded.expires_at ELSE expires_at END,
		first_at = CASE WHEN first_at <= ?5 THEN excluded.first_at ELSE first_at END
		RETURNING first_at, taken`
	// takeArrival leaves alone an item that has begun anew meanwhile.
	takeArrival = `INSERT INTO arrivals (source_id, name, first_at, taken, expires_at) VALUES (?, ?, ?, 1, ?)
		ON CONFLICT (source_id, name) DO UPDATE SET taken = 1 WHERE first_at = excluded.first_at`
	sweepArrivals = `DELETE FROM arrivals WHERE (source_id, name) IN (SELECT source_id, name FROM arrivals WHERE expires_at <= ? LIMIT ?)`
	pruneArrivals = `DELETE FROM arrivals WHERE source_id = ?1 AND first_at <=
		(SELECT first_at FROM arrivals WHERE source_id = ?1 ORDER BY first_at DESC LIMIT 1 OFFSET ?2)`

	addActivity = `INSERT INTO source_activity SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM sources WHERE id = ?1)
		ON CONFLICT (source_id) DO UPDATE SET accepted = accepted + excluded.accepted, repeats = repeats + excluded.repeats,
		refused = refused + excluded.refused, last_accepted_at = max(last_accepted_at, excluded.last_accepted_at),
		last_refusal = CASE WHEN excluded.last_refused_at > last_refused_at THEN excluded.last_refusal ELSE last_refusal END,
		last_refused_at = max(last_refused_at, excluded.last_refused_at)`
	selectActivity = `SELECT accepted, repeats, refused, last_accepted_at, last_refused_at, last_refusal FROM source_activity WHERE source_id = ?`
	deleteActivity = `DELETE FROM source_activity WHERE source_id = ?`
)

// Arrivals says which of these items of a source came before. With sameFor, items are the same for so long
// after the first: that one is noted, now, if it has not been. Without it they are the same for ever, and
// those that are new are missing in the answer.
func (r *Registry) Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error) {
	found := make(map[string]webhook.Arrival, len(names))
	var err error
	if sameFor == 0 {
		err = r.readArrivals(ctx, sourceID, names, found)
	} else {
		err = r.openArrivals(ctx, sourceID, names, sameFor, now, found)
	}
	if err != nil {
		return nil, fmt.Errorf("arrivals: %w", explain(cmp.Or(ctx.Err(), err)))
	}
	return found, nil
}

func (r *Registry) readArrivals(ctx context.Context, sourceID string, names []string, found map[string]webhook.Arrival) error {
	for _, name := range names {
		var first int64
		var a webhook.Arrival
		err := r.arrival.QueryRowContext(ctx, sourceID, name).Scan(&first, &a.Taken)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		a.First = registry.Time(first)
		found[name] = a
	}
	return nil
}

func (r *Registry) openArrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time, found map[string]webhook.Arrival) error {
	return r.write(ctx, func(tx *sql.Tx) error {
		open, err := tx.PrepareContext(ctx, openArrival)
		if err != nil {
			return err
		}
		defer func() { _ = open.Close() }()
		end, before := registry.ArrivalEnd(now, sameFor).UnixMicro(), now.Add(-sameFor).UnixMicro()
		for _, name := range names {
			var first int64
			var a webhook.Arrival
			if err := open.QueryRowContext(ctx, sourceID, name, now.UnixMicro(), end, before).Scan(&first, &a.Taken); err != nil {
				return err
			}
			a.First = registry.Time(first)
			found[name] = a
		}
		return nil
	})
}

// TakeArrivals notes that items of a source have become events, and adds what became of its requests. It
// forgets some of what is too old, more than it adds.
func (r *Registry) TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error {
	err := r.write(ctx, func(tx *sql.Tx) error {
		take, err := tx.PrepareContext(ctx, takeArrival)
		if err != nil {
			return err
		}
		defer func() { _ = take.Close() }()
		for _, t := range all {
			if _, err := take.ExecContext(ctx, sourceID, t.Name, t.First.UnixMicro(), registry.ArrivalEnd(t.First, t.For).UnixMicro()); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, sweepArrivals, now.UnixMicro(), 2*len(all)+100); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, addActivity, sourceID, a.Accepted, a.Repeats, a.Refused,
			registry.Micros(a.LastAcceptedAt), registry.Micros(a.LastRefusedAt), a.LastRefusal)
		return err
	})
	if err != nil {
		return fmt.Errorf("arrivals: %w", explain(cmp.Or(ctx.Err(), err)))
	}
	return nil
}

// PruneArrivals forgets all but the latest items of a source, as many as it is told to keep.
func (r *Registry) PruneArrivals(ctx context.Context, sourceID string, keep int) error {
	err := r.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, pruneArrivals, sourceID, keep)
		return err
	})
	if err != nil {
		return fmt.Errorf("arrivals: %w", explain(cmp.Or(ctx.Err(), err)))
	}
	return nil
}

// SourceActivity tells what became of what a source sent.
func (r *Registry) SourceActivity(ctx context.Context, sourceID string) (a webhook.SourceActivity, err error) {
	var accepted, refused int64
	err = r.readers.QueryRowContext(ctx, selectActivity, sourceID).
		Scan(&a.Accepted, &a.Repeats, &a.Refused, &accepted, &refused, &a.LastRefusal)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	a.LastAcceptedAt, a.LastRefusedAt = registry.Time(accepted), registry.Time(refused)
	return a, aboutSource(sourceID, err)
}
