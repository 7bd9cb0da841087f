package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// listeners are endpoints that name what is announced.
type listeners struct {
	away  error
	asked string
	none  bool // names it
}

func (l *listeners) MatchNamed(_ context.Context, tenant, eventType string) ([]string, error) {
	l.asked = tenant + " " + eventType
	if l.none {
		return []string{"ep_2"}, nil
	}
	return []string{"ep_1", "ep_2", "ep_3"}, l.away
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	a := activities.Announcement{
		EndpointRef: activities.EndpointRef{Tenant: "acme", EndpointID: "ep_2"}, Type: "endpoint.held", Key: "run-1 endpoint.held 1", At: at, Data: []byte(`{}`),
	}
	l, c := &listeners{}, orchestratortest.New()
	announcer := through(t, c).Announcer(orchestrator.AnnouncerConfig{Endpoints: l})
	for range 2 { // an earlier try may have accepted it
		require.NoError(t, announcer.Announce(t.Context(), a))
	}
	require.Equal(t, 1, c.Starts())
	id := orchestrator.IDForKey("acme", "run-1 endpoint.held 1")
	var in workflows.EventInput
	require.NoError(t, c.Run("event/acme/"+id).Read(&in, &converter.RawValue{}))
	require.Equal(t, workflows.EventInput{
		Event:       webhook.Event{Tenant: "acme", ID: id, Type: "endpoint.held", Timestamp: at, Operational: true},
		EndpointIDs: []string{"ep_1", "ep_3"}, // the one it is about could not hear it
	}, in)
	require.Equal(t, "acme endpoint.held", l.asked)

	c.Down = errors.ErrUnsupported
	require.ErrorIs(t, announcer.Announce(t.Context(), a), c.Down)
	c.Down, l.away, a.Key = nil, errors.New("no registry"), "run-2 endpoint.held 1"
	require.ErrorIs(t, announcer.Announce(t.Context(), a), l.away)
	require.Equal(t, 1, c.Starts())
}

// TestWhatThereIsVeryMuchOfIsToldAtAPace, each tenant's at its own, and all of it is accepted at
// once.
func TestWhatThereIsVeryMuchOfIsToldAtAPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := orchestratortest.New()
		n := through(t, c).Announcer(orchestrator.AnnouncerConfig{Endpoints: &listeners{}})
		tell := func(tenant string, i int) client.StartWorkflowOptions {
			require.NoError(t, n.Announce(t.Context(), activities.Announcement{
				EndpointRef: activities.EndpointRef{Tenant: tenant, EndpointID: "ep_2"}, Type: "delivery.exhausted", Many: true,
				Key: fmt.Sprintf("run-%d delivery.exhausted", i), Data: []byte(`{}`),
			}))
			return c.Started[len(c.Started)-1]
		}
		for i := range 1050 {
			o := tell("acme", i)
			require.Equal(t, max(0, time.Duration(i-49)*100*time.Millisecond), o.StartDelay.Round(time.Millisecond))
			require.Equal(t, o.StartDelay == 0, o.EnableEagerStart)
		}
		require.Zero(t, tell("other", 0).StartDelay)
		time.Sleep(110 * time.Second)
		require.Zero(t, tell("acme", 2000).StartDelay)
	})
}

// TestWhatNoEndpointNamesIsNoEvent where there is very much of it.
func TestWhatNoEndpointNamesIsNoEvent(t *testing.T) {
	t.Parallel()
	c := orchestratortest.New()
	n := through(t, c).Announcer(orchestrator.AnnouncerConfig{Endpoints: &listeners{none: true}})
	a := activities.Announcement{EndpointRef: activities.EndpointRef{Tenant: "acme", EndpointID: "ep_2"}, Type: "delivery.exhausted", Data: []byte(`{}`)}
	for _, many := range []bool{true, false} {
		a.Many = many
		require.NoError(t, n.Announce(t.Context(), a))
		require.Equal(t, many, c.Starts() == 0)
	}
}

// pages are the console's.
type pages struct{}

func (pages) Endpoint(tenant, id string) string { return "https://h/" + tenant + "/" + id }
func (pages) Event(tenant, id string) string    { return "https://h/" + tenant + "/event/" + id }

// TestWhatIsToldNamesThePage where people see more of it, and changes nothing else.
func TestWhatIsToldNamesThePage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ said, told string }{
		webhook.EventEndpointReminder: {
			`{"endpoint_id":"ep_9","state":"held","reason":"it fails","waiting":0,"last_answers":[{"at":"2026-02-03T12:00:00Z","status_code":503}],"workflow_id":"w"}`,
			`{"endpoint_id":"ep_9","state":"held","reason":"it fails","waiting":0,"last_answers":[{"at":"2026-02-03T12:00:00Z","status_code":503}],"workflow_id":"w",
				"console_url":"https://h/acme/ep_9"}`,
		},
		webhook.EventDeliveryExhausted: {
			`{"event_id":"evt_1","event_type":"a.b","endpoint_id":"ep_9","attempts":3,"workflow_id":"w"}`,
			`{"event_id":"evt_1","event_type":"a.b","endpoint_id":"ep_9","attempts":3,"workflow_id":"w","console_url":"https://h/acme/event/evt_1"}`,
		},
	} {
		c2 := orchestratortest.New()
		n := through(t, c2).Announcer(orchestrator.AnnouncerConfig{Endpoints: &listeners{}, Pages: pages{}})
		require.NoError(t, n.Announce(t.Context(), activities.Announcement{
			EndpointRef: activities.EndpointRef{Tenant: "acme", EndpointID: "ep_9"}, Type: name, Key: "run-1 x", Data: []byte(c.said),
		}))
		var in workflows.EventInput
		var data converter.RawValue
		require.NoError(t, c2.Runs()[0].Read(&in, &data))
		require.JSONEq(t, c.told, string(data.Payload().GetData()), name)
	}
}
