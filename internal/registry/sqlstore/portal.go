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

var portalLinkColumns = []column[webhook.PortalLink]{
	{"tenant", func(l *webhook.PortalLink) any { return &l.Tenant }},
	{"id", func(l *webhook.PortalLink) any { return &l.ID }},
	{"endpoint_id", func(l *webhook.PortalLink) any { return &l.EndpointID }},
	{"owner", func(l *webhook.PortalLink) any { return &l.Owner }},
	{"scopes", func(l *webhook.PortalLink) any { return jsonText{&l.Scopes} }},
	{"made_by", func(l *webhook.PortalLink) any { return prose{&l.By} }},
	{"created_at", func(l *webhook.PortalLink) any { return micros{&l.CreatedAt} }},
	{"expires_at", func(l *webhook.PortalLink) any { return micros{&l.ExpiresAt} }},
	{"revoked_at", func(l *webhook.PortalLink) any { return microsOrZero{&l.RevokedAt} }},
	{"revoked_by", func(l *webhook.PortalLink) any { return prose{&l.RevokedBy} }},
}

var portalLinkTable = tableOf("portal_links", portalLinkColumns)

// No tenant is needed to find a link: its id is no one else's.
var selectPortalLink = portalLinkTable.selects("id = $1")

const countLiveLinks = `SELECT count(*) FROM portal_links WHERE tenant = $1 AND expires_at > $2 AND revoked_at = 0`

var endedPortalLinks = Rows{Table: "portal_links", Key: "tenant, id", Where: "expires_at <= $1", Order: "expires_at", Limit: "10"}

func readPortalLink(r row) (l webhook.PortalLink, err error) {
	err = r.Scan(pointers(portalLinkColumns, &l)...)
	return l, err
}

// CreatePortalLink keeps a link, unless the tenant has most live ones already, and tells the change
// log. Links that ended long ago go. It answers a webhook.Conflict error when there are too many.
func (s *Store) CreatePortalLink(ctx context.Context, l webhook.PortalLink, most int) error {
	return s.about(ctx, "portal link", l.ID, s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, portalLinkTable.name, l.Tenant); err != nil {
			return err
		}
		var live int
		if err := tx.QueryRowContext(ctx, countLiveLinks, l.Tenant, l.CreatedAt.UnixMicro()).Scan(&live); err != nil {
			return err
		}
		if live >= most {
			return webhook.Errorf(webhook.Conflict, "the tenant has %d live portal links, no more are allowed", live)
		}
		if _, err := tx.ExecContext(ctx, s.statements.deletePortalLinks, l.CreatedAt.Add(-webhook.PortalLinkKept).UnixMicro()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, portalLinkTable.inserts(), pointers(portalLinkColumns, &l)...); err != nil {
			return err
		}
		return s.record(ctx, tx, l.Tenant, aboutLink(webhook.AuditPortalLinkMade, l, "good until "+l.ExpiresAt.UTC().Format(time.RFC3339)))
	}))
}

// aboutLink is a line of the change log.
func aboutLink(kind webhook.AuditKind, l webhook.PortalLink, more string) webhook.AuditLine {
	of := "endpoint " + l.EndpointID
	if l.Owner != "" {
		of = "all endpoints of " + l.Owner
	}
	return webhook.AuditLine{Kind: kind, EndpointID: l.EndpointID, Detail: l.ID + " for " + of + ", " + more}
}

// PortalLink finds a link by its id alone. It answers a webhook.NotFound error for one that is not
// there.
func (s *Store) PortalLink(ctx context.Context, id string) (webhook.PortalLink, error) {
	l, err := readPortalLink(s.readers.QueryRowContext(ctx, selectPortalLink, id))
	return l, s.about(ctx, "portal link", id, err)
}

// PortalLinks lists a tenant's links, the newest first.
func (s *Store) PortalLinks(ctx context.Context, tenant string, q webhook.PortalLinkQuery) ([]webhook.PortalLink, error) {
	where, args := []string{"tenant = $1"}, []any{tenant}
	bound := func(condition string, value any) {
		args = append(args, value)
		where = append(where, condition+" $"+strconv.Itoa(len(args)))
	}
	if q.EndpointID != "" {
		bound("endpoint_id =", q.EndpointID)
	}
	if q.Owner != "" {
		bound("owner =", q.Owner)
	}
	if q.Before != "" {
		bound("id <", q.Before)
	}
	if !q.Live.IsZero() {
		bound("revoked_at = 0 AND expires_at >", q.Live.UnixMicro())
	}
	args = append(args, q.Limit)
	statement := portalLinkTable.selects(strings.Join(where, " AND ") + " ORDER BY id DESC LIMIT $" + strconv.Itoa(len(args)))
	rows, err := s.readers.QueryContext(ctx, statement, args...)
	all, err := list(rows, err, readPortalLink)
	return all, s.explain(ctx, "portal links of "+tenant, err)
}

// RevokePortalLink ends a link, for good, and tells the change log. One that was revoked before
// stays as it is. It answers a webhook.NotFound error for one the tenant does not have.
func (s *Store) RevokePortalLink(ctx context.Context, tenant, id string, at time.Time) (l webhook.PortalLink, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		l, err = readPortalLink(tx.QueryRowContext(ctx, portalLinkTable.selects(byID)+s.dialect.ForUpdate(), tenant, id))
		if err != nil || !l.RevokedAt.IsZero() {
			return err
		}
		l.RevokedAt, l.RevokedBy = at, webhook.ActorOf(ctx).Name
		if _, err := tx.ExecContext(ctx, portalLinkTable.updates(), pointers(portalLinkColumns, &l)...); err != nil {
			return err
		}
		return s.record(ctx, tx, tenant, aboutLink(webhook.AuditPortalLinkRevoked, l, "made by "+l.By))
	})
	return l, s.about(ctx, "portal link", id, err)
}

const (
	selectPortal = `SELECT origins, theme, updated_at FROM portal_settings WHERE tenant = $1`
	upsertPortal = `INSERT INTO portal_settings (tenant, origins, theme, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant) DO UPDATE SET (origins, theme, updated_at) = (excluded.origins, excluded.theme, excluded.updated_at)`
)

// PortalSettings gives how a tenant shows the portal; a tenant that has set nothing has the zero
// settings.
func (s *Store) PortalSettings(ctx context.Context, tenant string) (webhook.PortalSettings, error) {
	p, err := readPortal(s.readers.QueryRowContext(ctx, selectPortal, tenant))
	return p, s.about(ctx, "portal of", tenant, err)
}

func readPortal(r row) (p webhook.PortalSettings, err error) {
	err = r.Scan(jsonText{&p.Origins}, jsonText{&p.Theme}, micros{&p.UpdatedAt})
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	return p, err
}

// ChangePortalSettings lets change work on them, writes what it leaves and gives that. When change
// answers an error nothing is written.
func (s *Store) ChangePortalSettings(ctx context.Context, tenant string, change func(*webhook.PortalSettings) error) (p webhook.PortalSettings, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := s.dialect.Lock(ctx, tx, "portal_settings", tenant); err != nil {
			return err
		}
		if p, err = readPortal(tx.QueryRowContext(ctx, selectPortal, tenant)); err != nil {
			return err
		}
		before := p.Clone()
		if err := change(&p); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, upsertPortal, tenant, jsonText{&p.Origins}, jsonText{&p.Theme}, p.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
		changes := before.Changes(p)
		if len(changes) == 0 {
			return nil
		}
		return s.record(ctx, tx, tenant, webhook.AuditLine{Kind: webhook.AuditPortalChanged, Changes: changes})
	})
	return p, s.about(ctx, "portal of", tenant, err)
}
