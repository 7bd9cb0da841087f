package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// latestQuotas bounds how many changes of one tenant's quotas are looked at for the last one.
const latestQuotas = 10_000

// recordQuotas tells the change log which tenants named in HOOKLOOP_QUOTAS_FILE may ask for
// something else than when a gateway last said so.
func recordQuotas(ctx context.Context, log store, path string) error {
	table, err := readQuotas(path)
	if err != nil {
		return err
	}
	ctx = webhook.WithActor(ctx, webhook.Actor{Name: "HOOKLOOP_QUOTAS_FILE", Via: webhook.ViaCommand})
	for _, tenant := range slices.Sorted(maps.Keys(table.Tenants)) {
		said, err := log.Changes(ctx, tenant, webhook.AuditQuery{Kind: webhook.AuditQuotasChanged}, time.Time{}, latestQuotas)
		if err != nil {
			return fmt.Errorf("quotas of %s: %w", tenant, err)
		}
		change := webhook.AuditChange{Field: "quotas"}
		if n := len(said); n > 0 && len(said[n-1].Changes) > 0 {
			change.From = said[n-1].Changes[0].To
		}
		now, err := json.Marshal(table.Of(tenant))
		if err != nil {
			return fmt.Errorf("quotas of %s: %w", tenant, err)
		}
		if change.To = string(now); change.To == change.From {
			continue
		}
		if err := log.Record(ctx, tenant, webhook.AuditLine{Kind: webhook.AuditQuotasChanged, Changes: []webhook.AuditChange{change}}); err != nil {
			return fmt.Errorf("quotas of %s: %w", tenant, err)
		}
	}
	return nil
}
