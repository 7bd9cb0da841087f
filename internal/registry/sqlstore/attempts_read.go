package sqlstore

import (
	"context"
	"math"
	"strings"
	"time"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// The lists are newest first, and go on behind a place. Its time stands twice: not every database
// finds it in the comparison of rows.
const (
	attemptColumns = `tenant, endpoint_id, event_id, run, number, event_type, at, duration_ms, outcome, status_code, failure, error`
	attemptsOf     = `SELECT ` + attemptColumns + ` FROM attempts
		WHERE tenant = $1 AND endpoint_id = $2 AND number > 0 AND at >= $3 AND at <= $4 AND (at, event_id, run, number) < ($4, $5, $6, $7)`
	newestFirst  = ` ORDER BY at DESC, event_id DESC, run DESC, number DESC LIMIT $8`
	listAttempts = attemptsOf + newestFirst
	listFailed   = attemptsOf + ` AND outcome <> 'took'` + newestFirst

	// listEventsAt has each event where it was first known at the endpoint.
	listEventsAt = `SELECT event_id, event_type, at FROM attempts AS one
		WHERE tenant = $1 AND endpoint_id = $2 AND at <= $3 AND (at, event_id) < ($3, $4) AND NOT EXISTS (SELECT 1 FROM attempts AS earlier
			WHERE earlier.tenant = one.tenant AND earlier.endpoint_id = one.endpoint_id AND earlier.event_id = one.event_id
			AND (earlier.at, earlier.run, earlier.number) < (one.at, one.run, one.number))
		ORDER BY at DESC, event_id DESC LIMIT $5`
)

// sums of the columns of a tally.
func sums() string {
	var all []string
	for _, name := range tallyColumns() {
		all = append(all, "CAST(sum("+name+") AS BIGINT)")
	}
	return strings.Join(all, ", ")
}

func tallyByEndpoint() string {
	return `SELECT endpoint_id, ` + sums() + ` FROM attempt_counts WHERE tenant = $1 AND span = $2 AND at >= $3 AND at < $4 GROUP BY endpoint_id`
}

func tallyOfEndpoints(d Dialect) string {
	return `SELECT endpoint_id, ` + sums() + ` FROM attempt_counts WHERE tenant = $1 AND span = $2 AND at >= $3 AND at < $4
		AND endpoint_id ` + d.Among("$5") + ` GROUP BY endpoint_id`
}

func countsByTime() string {
	return `SELECT at, ` + sums() + ` FROM attempt_counts WHERE tenant = $1 AND span = $2 AND at >= $3 AND at < $4 GROUP BY at ORDER BY at`
}

func countsOfEndpoint() string {
	return `SELECT at, ` + strings.Join(tallyColumns(), ", ") + ` FROM attempt_counts
		WHERE tenant = $1 AND span = $2 AND at >= $3 AND at < $4 AND endpoint_id = $5 ORDER BY at`
}

const (
	latestAll   = `SELECT endpoint_id, took_at, failed_at, status_code, failure, error FROM attempt_latest WHERE tenant = $1`
	endpointIDs = `SELECT id, url, description, state, state_reason, breaker_opened_at FROM endpoints WHERE tenant = $1`
)

func latestOf(d Dialect) string { return latestAll + ` AND endpoint_id ` + d.Among("$2") }
func namesAmong(d Dialect) string {
	return endpointIDs + ` AND id ` + d.Among("$2") + ` ORDER BY id`
}

// Attempts lists attempts at an endpoint, the newest first.
func (s *Store) Attempts(ctx context.Context, q attemptlog.Query) ([]attemptlog.Row, error) {
	text, from := listAttempts, q.From
	if q.Failed {
		text = listFailed
	}
	if from.At.IsZero() {
		from.At = q.Before
	}
	all, err := readAttempts(s.readers.QueryContext(ctx, text, q.Tenant, q.EndpointID, microsOf(q.After), newest(from.At),
		from.EventID, from.Run, from.Number, q.Limit))
	return all, s.aboutAttempts(ctx, err)
}

// newest is the time where a list begins.
func newest(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMicro()
}

// EventsAt lists the events that had a turn at an endpoint, the newest first.
func (s *Store) EventsAt(ctx context.Context, tenant, endpointID string, from attemptlog.Position, limit int) ([]attemptlog.Seen, error) {
	rows, err := s.readers.QueryContext(ctx, listEventsAt, tenant, endpointID, newest(from.At), from.EventID, limit)
	all, err := list(rows, err, func(r row) (e attemptlog.Seen, err error) {
		err = r.Scan(&e.EventID, &e.EventType, micros{&e.At})
		return e, err
	})
	return all, s.aboutAttempts(ctx, err)
}

// AttemptTallies gives what the attempts of a tenant came to in the spans that began in [since,
// until), by endpoint: of those named, or, nil, of all.
func (s *Store) AttemptTallies(ctx context.Context, tenant string, span time.Duration, since, until time.Time, ids []string) (map[string]attemptlog.Tally, error) {
	text, args := s.statements.tallyByEndpoint, []any{tenant, seconds(span), since.UnixMicro(), until.UnixMicro()}
	if ids != nil {
		text, args = s.statements.tallyOfEndpoints, append(args, s.dialect.List(ids))
	}
	all := map[string]attemptlog.Tally{}
	rows, err := s.readers.QueryContext(ctx, text, args...)
	_, err = list(rows, err, func(r row) (id string, err error) {
		var t attemptlog.Tally
		err = r.Scan(append([]any{&id}, tallyPointers(&t)...)...)
		all[id] = t
		return id, err
	})
	return all, s.aboutAttempts(ctx, err)
}

// AttemptCounts gives what attempts came to in each of the spans that began in [since, until), in
// their order: at one endpoint, or, empty, at all of the tenant's.
func (s *Store) AttemptCounts(ctx context.Context, tenant, endpointID string, span time.Duration, since, until time.Time) ([]attemptlog.Count, error) {
	text, args := s.statements.countsByTime, []any{tenant, seconds(span), since.UnixMicro(), until.UnixMicro()}
	if endpointID != "" {
		text, args = s.statements.countsOfEndpoint, append(args, endpointID)
	}
	rows, err := s.readers.QueryContext(ctx, text, args...)
	all, err := list(rows, err, func(r row) (c attemptlog.Count, err error) {
		c.Tenant, c.EndpointID, c.Span = tenant, endpointID, span
		err = r.Scan(append([]any{micros{&c.At}}, tallyPointers(&c.Tally)...)...)
		return c, err
	})
	return all, s.aboutAttempts(ctx, err)
}

// LatestAttempts gives the latest attempts at a tenant's endpoints: those named, or, nil, all.
func (s *Store) LatestAttempts(ctx context.Context, tenant string, ids []string) (map[string]attemptlog.Latest, error) {
	text, args := latestAll, []any{tenant}
	if ids != nil {
		text, args = s.statements.latestOf, append(args, s.dialect.List(ids))
	}
	all := map[string]attemptlog.Latest{}
	rows, err := s.readers.QueryContext(ctx, text, args...)
	_, err = list(rows, err, func(r row) (l attemptlog.Latest, err error) {
		l.Tenant = tenant
		err = r.Scan(&l.EndpointID, microsOrZero{&l.TookAt}, microsOrZero{&l.FailedAt}, &l.StatusCode, &l.Failure, &l.Error)
		all[l.EndpointID] = l
		return l, err
	})
	return all, s.aboutAttempts(ctx, err)
}

// EndpointNames gives what people know a tenant's endpoints by, in the order of their ids: those
// named, or, nil, all. It opens no secret.
func (s *Store) EndpointNames(ctx context.Context, tenant string, ids []string) ([]webhook.EndpointName, error) {
	text, args := endpointIDs+` ORDER BY id`, []any{tenant}
	if ids != nil {
		text, args = s.statements.namesAmong, append(args, s.dialect.List(ids))
	}
	rows, err := s.readers.QueryContext(ctx, text, args...)
	all, err := list(rows, err, func(r row) (n webhook.EndpointName, err error) {
		err = r.Scan(&n.ID, &n.URL, prose{&n.Description}, &n.State, prose{&n.StateReason}, microsOrZero{&n.BreakerOpenedAt})
		return n, err
	})
	return all, s.endpoints.ofTenant(ctx, tenant, err)
}
