package gateway_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
)

// BenchmarkAccept is one event of 512 bytes through everything but Temporal and the registry.
func BenchmarkAccept(b *testing.B) {
	r := newRigOver(b, func(to *behind) { to.temporal = nowhere{orchestratortest.New()} }, func(c *gateway.Config) { c.Logger = nil })
	body := `{"type":"contact.updated","data":{"id":4711,"note":"` + strings.Repeat("x", 440) + `"}}`
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequestWithContext(b.Context(), "POST", "/v1/tenants/acme/events", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if r.handler.ServeHTTP(w, req); w.Code != 202 {
			b.Fatal(w.Body.String())
		}
	}
}

// nowhere takes every workflow and keeps none.
type nowhere struct{ *orchestratortest.Temporal }

func (nowhere) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, nil
}
