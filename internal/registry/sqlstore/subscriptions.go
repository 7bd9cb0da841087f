package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"hookloop/internal/webhook"
)

const deleteSubscriptions = `DELETE FROM subscriptions WHERE tenant = $1 AND endpoint_id = $2`

func insertSubscriptions(d Dialect) string {
	return `INSERT INTO subscriptions (tenant, endpoint_id, disabled, event_type)
		SELECT $1, $2, CAST($3 AS boolean), item.value FROM ` + d.Items("$4")
}

// Match gives the ids of the tenant's endpoints that take its own events of a type, in order. It
// sees every change that has returned.
func (s *Store) Match(ctx context.Context, tenant, eventType string) (webhook.Match, error) {
	return s.subscribed(ctx, tenant, webhook.TypePatterns(eventType))
}

// MatchNamed gives the ids of those that name the type and are not disabled: what Hookloop itself
// says goes to no others.
func (s *Store) MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error) {
	found, err := s.subscribed(ctx, tenant, webhook.NamedPatterns(eventType))
	return found.IDs, err
}

func (s *Store) subscribed(ctx context.Context, tenant string, patterns []string) (found webhook.Match, err error) {
	rows, err := s.match.rows(ctx, tenant, s.dialect.List(patterns))
	_, err = list(rows, err, func(r row) (id string, err error) {
		var disabled bool
		err = r.Scan(&id, &disabled)
		found.Add(id, disabled)
		return id, err
	})
	return found, s.endpoints.ofTenant(ctx, tenant, err)
}

func (s *Store) subscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	sub := subscriptionOf(e)
	_, err := tx.ExecContext(ctx, s.statements.insertSubscriptions, e.Tenant, e.ID, sub.disabled, s.dialect.List(sub.patterns))
	return err
}

func (s *Store) resubscribe(ctx context.Context, tx *sql.Tx, e webhook.Endpoint) error {
	if _, err := tx.ExecContext(ctx, deleteSubscriptions, e.Tenant, e.ID); err != nil {
		return err
	}
	return s.subscribe(ctx, tx, e)
}

// subscription is how an endpoint is found by the type of an event.
type subscription struct {
	patterns []string // of event types, in order
	disabled bool     // it is found, and nothing goes to it
}

func subscriptionOf(e webhook.Endpoint) subscription {
	s := subscription{patterns: []string{webhook.EveryType}, disabled: e.State == webhook.EndpointDisabled}
	if len(e.EventTypes) > 0 {
		s.patterns = slices.Compact(slices.Sorted(slices.Values(e.EventTypes)))
	}
	return s
}

// equal says whether both find the same.
func (s subscription) equal(other subscription) bool {
	return s.disabled == other.disabled && slices.Equal(s.patterns, other.patterns)
}
