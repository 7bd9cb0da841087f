package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestNothingGoesToADisabledEndpoint, but the event knows that it would have.
func TestNothingGoesToADisabledEndpoint(t *testing.T) {
	t.Parallel()
	var m webhook.Match
	m.Add("ep_1", false)
	m.Add("ep_2", true)
	m.Add("ep_3", false)
	m.Add("ep_4", true)
	require.Equal(t, webhook.Match{IDs: []string{"ep_1", "ep_3"}, Disabled: []string{"ep_2", "ep_4"}}, m)
}

func TestAnEventIsWhatItsDeliveriesAre(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		want webhook.EventStatus
		some []webhook.DeliveryStatus
	}{
		{webhook.EventDelivered, []webhook.DeliveryStatus{webhook.Delivered}},
		{webhook.EventDelivered, []webhook.DeliveryStatus{webhook.Delivered, webhook.Delivered}},
		{webhook.EventFailed, []webhook.DeliveryStatus{webhook.Exhausted, webhook.Delivered}},
		{webhook.EventFailed, []webhook.DeliveryStatus{webhook.Delivered, webhook.Cancelled}},
		{webhook.EventDelivering, []webhook.DeliveryStatus{webhook.Delivered, webhook.Held}},
		{webhook.EventDelivering, []webhook.DeliveryStatus{webhook.Rejected, webhook.Retrying}},
		{webhook.EventDelivering, []webhook.DeliveryStatus{webhook.Pending, webhook.Delivered}},
	} {
		var some []webhook.DeliveryReport
		for _, s := range tc.some {
			some = append(some, webhook.DeliveryReport{Status: s})
		}
		require.Equal(t, tc.want, webhook.EventStatusOf(some), tc.some)
	}
}

// TestAnEndpointWantsNoMore by its status or by what it asks for, unless it took the event.
func TestAnEndpointWantsNoMore(t *testing.T) {
	t.Parallel()
	for _, a := range []webhook.Attempt{
		{StatusCode: 410}, {StatusCode: 500, Directive: webhook.DirectiveDisable}, {StatusCode: 410, Directive: webhook.DirectiveAbort},
	} {
		require.True(t, a.IsGone(), "%+v", a)
	}
	for _, a := range []webhook.Attempt{
		{StatusCode: 200}, {StatusCode: 404}, {StatusCode: 200, Directive: webhook.DirectiveDisable}, {StatusCode: 500, Directive: webhook.DirectiveAbort}, {},
	} {
		require.False(t, a.IsGone(), "%+v", a)
	}
}

func TestAnEchoIsOfAnEvent(t *testing.T) {
	t.Parallel()
	var posted *webhook.Origin
	require.False(t, posted.IsEcho(), "an app posted it")
	require.False(t, (&webhook.Origin{SourceID: "src_1"}).IsEcho())
	require.True(t, (&webhook.Origin{EchoOf: "evt_1"}).IsEcho())
}
