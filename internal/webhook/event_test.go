package webhook_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

var happened = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestBody(t *testing.T) {
	t.Parallel()
	e := webhook.Event{Tenant: "acme", ID: "evt_1", Type: "contact.updated", Timestamp: happened}
	in := time.FixedZone("", 2*60*60)
	for name, tc := range map[string]struct {
		at         time.Time
		data, want string
	}{
		"plain":       {happened, `{"b":1.10}`, `{"type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","data":{"b":1.10}}`},
		"fraction":    {happened.Add(1500 * time.Microsecond), `[]`, `{"type":"contact.updated","timestamp":"2026-01-31T12:00:00.0015Z","data":[]}`},
		"other zone":  {happened.In(in), `"\u00e9"`, `{"type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","data":"\u00e9"}`},
		"no rewrites": {happened, ` { "<" : 1E+2 } `, `{"type":"contact.updated","timestamp":"2026-01-31T12:00:00Z","data": { "<" : 1E+2 } }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := e
			e.Timestamp = tc.at
			require.Equal(t, tc.want, string(webhook.Body(e, webhook.Content{Data: []byte(tc.data)})))
		})
	}
}

func TestBodyWithContext(t *testing.T) {
	t.Parallel()
	e := webhook.Event{Type: "meta.page.feed", Timestamp: happened}
	require.Equal(t, `{"type":"meta.page.feed","timestamp":"2026-01-31T12:00:00Z","data":{"a": 1},"context":{"object":"page"}}`,
		string(webhook.Body(e, webhook.Content{Data: []byte(`{"a": 1}`), Context: []byte(`{"object":"page"}`)})))
}

func TestEventTypeOf(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"shopify", "orders/create", "shopify.orders.create"},
		{"paypal", "PAYMENT.CAPTURE.COMPLETED", "paypal.payment.capture.completed"},
		{"slack", "slash_command:/webhook-collect", "slack.slash_command.webhook_collect"},
		{"mautic", "mautic.lead_post_save_new", "mautic.lead_post_save_new"},
		{"crm", "mautic.lead_post_save_new", "crm.mautic.lead_post_save_new"},
		{"standard_webhooks", "", "standard_webhooks.event"},
		{"x", "...", "x.event"},
		{"x", "Ünï cödé", "x._n__c_d_"},
		{"", "google-pubsub", "google_pubsub"},
		{"x", "v0.9:list", "x.v0.9.list"},
		{"x", "azAZ09_", "x.azaz09_"},
		{"x", "`{@[/:-", "x.____._"},
		{"a", strings.Repeat("b.", 100), "a." + strings.Repeat("b.", 62) + "b"},
	} {
		got := webhook.EventTypeOf(c[0], c[1])
		require.Equal(t, c[2], got)
		require.NoError(t, webhook.CheckEventType(got))
	}
}

func TestCheckData(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`1`, `"é"`, `{"a":[1.10]}`, strings.Repeat("[", 500) + strings.Repeat("]", 500), `"` + strings.Repeat("a", webhook.MaxData-2) + `"`,
	} {
		require.NoError(t, webhook.CheckData([]byte(good)))
	}
	for _, bad := range []string{``, `{`, `1 2`, "\"\xff\"", strings.Repeat("[", 501) + strings.Repeat("]", 501), `"` + strings.Repeat("a", webhook.MaxData-1) + `"`} {
		require.Equal(t, webhook.Invalid, webhook.CodeOf(webhook.CheckData([]byte(bad))))
	}
}

func TestCheckTenant(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "acme", "Acme-1", "0_a", "acme.example", "shop-1.myshopify.com", "a.-._", strings.Repeat("a", 64)} {
		require.NoError(t, webhook.CheckTenant(good), good)
	}
	for _, bad := range []string{"", "-a", "_a", ".a", "a.", "a..b", "..", "a/b", "a b", "a\n", "é", "*", strings.Repeat("a", 65), "a." + strings.Repeat("a", 63)} {
		require.ErrorContains(t, webhook.CheckTenant(bad), "tenant must be 1 to 64", bad)
	}
}

func TestCheckApplication(t *testing.T) {
	t.Parallel()
	require.NoError(t, webhook.CheckApplication("mautic.eu-1"))
	require.ErrorContains(t, webhook.CheckApplication("-"), "application must be 1 to 64")
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	err := webhook.Errorf(webhook.NotFound, "no endpoint %s", "ep_1")
	require.EqualError(t, err, "no endpoint ep_1")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(fmt.Errorf("look up: %w", err)))
	require.Empty(t, webhook.CodeOf(errors.New("ours")))
	require.Empty(t, webhook.CodeOf(nil))
}

func TestEndedStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[webhook.DeliveryStatus]bool{
		webhook.Pending: false, webhook.Retrying: false, webhook.Held: false,
		webhook.Delivered: true, webhook.Exhausted: true, webhook.Rejected: true, webhook.Cancelled: true,
	} {
		require.Equal(t, want, status.Ended(), status)
	}
}

func TestDeferralSaysWhy(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &webhook.Deferral{Reason: webhook.DeferBreaker}, "deferred: breaker_open")
	require.EqualError(t, &webhook.Deferral{Reason: webhook.DeferState, Detail: "the endpoint is held"}, "deferred: endpoint_state: the endpoint is held")
}
