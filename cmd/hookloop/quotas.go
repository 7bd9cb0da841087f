package main

import (
	"context"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/quota"
	"hookloop/workflows"
)

// newQuotas reads what tenants may ask for, and has their open deliveries counted in Temporal.
func newQuotas(cfg serviceConfig, metrics prometheus.Registerer) (*quota.Quotas, error) {
	var table quota.Table
	if cfg.QuotasFile != "" {
		raw, err := os.ReadFile(cfg.QuotasFile)
		if err != nil {
			return nil, fmt.Errorf("HOOKLOOP_QUOTAS_FILE: %w", err)
		}
		if table, err = quota.ReadTable(raw); err != nil {
			return nil, fmt.Errorf("HOOKLOOP_QUOTAS_FILE: %w", err)
		}
	}
	return quota.New(quota.Config{Table: table, Metrics: metrics, Open: func(ctx context.Context, tenant string) (int64, error) {
		found, err := cfg.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: cfg.Namespace,
			Query:     `WorkflowType = "Delivery" AND ` + workflows.Tenant.GetName() + ` = "` + tenant + `" AND ExecutionStatus = "Running"`,
		})
		return found.GetCount(), err
	}})
}
