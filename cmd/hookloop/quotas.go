package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// latestQuotas bounds how many changes of one tenant's quotas are looked at for the last one.
const latestQuotas = 10_000

// The fields that the change log has of quotas: those of a tenant, and, of every tenant, the
// default's and who is named in the file.
const (
	fieldQuotas = "quotas"
	fieldNamed  = "tenants"
)

// recordQuotas tells the change log who may ask for something else than when a gateway last said
// so: tenants that are named in HOOKLOOP_QUOTAS_FILE, those that are not any more, and all others.
func recordQuotas(ctx context.Context, log store, path string) error {
	table, err := readQuotas(path)
	if err != nil {
		return err
	}
	q := quotaLog{log, table}
	said, err := q.said(ctx, webhook.EveryTenant)
	if err != nil || path == "" && len(said) == 0 {
		return err
	}
	ctx = webhook.WithActor(ctx, webhook.Actor{Name: "HOOKLOOP_QUOTAS_FILE", Via: webhook.ViaCommand})
	tenants := slices.Collect(maps.Keys(table.Tenants))
	if named := said[fieldNamed]; named != "" {
		tenants = append(tenants, strings.Split(named, " ")...)
	}
	slices.Sort(tenants)
	for _, tenant := range slices.Compact(tenants) {
		if err := q.tenant(ctx, tenant); err != nil {
			return err
		}
	}
	usual, err := json.Marshal(table.Of(""))
	if err != nil {
		return fmt.Errorf("quotas: %w", err)
	}
	return q.record(ctx, webhook.EveryTenant, said, map[string]string{
		fieldQuotas: string(usual), fieldNamed: strings.Join(slices.Sorted(maps.Keys(table.Tenants)), " "),
	})
}

// quotaLog compares a table with what was said.
type quotaLog struct {
	log   store
	table quota.Table
}

// said is what each field was last said to be.
func (q quotaLog) said(ctx context.Context, tenant string) (map[string]string, error) {
	lines, err := q.log.Changes(ctx, tenant, webhook.AuditQuery{Kind: webhook.AuditQuotasChanged}, time.Time{}, latestQuotas)
	if err != nil {
		return nil, fmt.Errorf("quotas of %s: %w", tenant, err)
	}
	last := map[string]string{}
	for _, l := range lines {
		for _, c := range l.Changes {
			last[c.Field] = c.To
		}
	}
	return last, nil
}

// tenant notes what one may ask for; nothing of its own, if the file does not name it any more.
func (q quotaLog) tenant(ctx context.Context, tenant string) error {
	said, err := q.said(ctx, tenant)
	if err != nil {
		return err
	}
	now := map[string]string{fieldQuotas: ""}
	if _, named := q.table.Tenants[tenant]; named {
		text, err := json.Marshal(q.table.Of(tenant))
		if err != nil {
			return fmt.Errorf("quotas of %s: %w", tenant, err)
		}
		now[fieldQuotas] = string(text)
	}
	return q.record(ctx, tenant, said, now)
}

// record adds a line, if something differs.
func (q quotaLog) record(ctx context.Context, tenant string, was, now map[string]string) error {
	var changes []webhook.AuditChange
	for _, field := range slices.Sorted(maps.Keys(now)) {
		if was[field] != now[field] {
			changes = append(changes, webhook.AuditChange{Field: field, From: was[field], To: now[field]})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := q.log.Record(ctx, tenant, webhook.AuditLine{Kind: webhook.AuditQuotasChanged, Changes: changes}); err != nil {
		return fmt.Errorf("quotas of %s: %w", tenant, err)
	}
	return nil
}
