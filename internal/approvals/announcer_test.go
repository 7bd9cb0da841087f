package approvals_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"hookloop/activities"
	"hookloop/internal/accept"
	"hookloop/internal/approvals"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// listeners are endpoints that name what is announced, and the Temporal that carries it.
type listeners struct {
	err   error
	away  error
	asked string
	none  bool // names it
	id    string
	input workflows.EventInput
	begin []client.StartWorkflowOptions
}

func (l *listeners) MatchNamed(_ context.Context, tenant, eventType string) ([]string, error) {
	l.asked = tenant + " " + eventType
	if l.none {
		return []string{"ep_2"}, nil
	}
	return []string{"ep_1", "ep_2", "ep_3"}, l.away
}

func (l *listeners) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	l.id, l.input, l.begin = o.ID, args[0].(workflows.EventInput), append(l.begin, o)
	return nil, l.err
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	a := activities.Announcement{
		Subject: activities.Subject{Tenant: "acme", EndpointID: "ep_2"}, Type: "endpoint.held", Key: "run-1 endpoint.held 1", At: at, Data: []byte(`{}`),
	}
	for name, tc := range map[string]struct{ err, want error }{
		"accepted":                   {},
		"accepted by an earlier try": {err: serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run")},
		"out of reach":               {err: errors.ErrUnsupported, want: errors.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &listeners{err: tc.err}
			err := (&approvals.Announcer{Client: l, Endpoints: l}).Announce(t.Context(), a)
			require.ErrorIs(t, err, tc.want)
			id := accept.IDForKey("acme", "run-1 endpoint.held 1")
			require.Equal(t, "event/acme/"+id, l.id)
			require.Equal(t, workflows.EventInput{
				Event:       webhook.Event{Tenant: "acme", ID: id, Type: "endpoint.held", Timestamp: at, Operational: true},
				EndpointIDs: []string{"ep_1", "ep_3"}, // the one it is about could not hear it
			}, l.input)
			require.Equal(t, "acme endpoint.held", l.asked)
		})
	}
	l := &listeners{away: errors.ErrUnsupported}
	require.ErrorIs(t, (&approvals.Announcer{Client: l, Endpoints: l}).Announce(t.Context(), a), l.away)
	require.Empty(t, l.id)
}

// TestWhatThereIsVeryMuchOfIsToldAtAPace, each tenant's at its own, and all of it is accepted at once.
func TestWhatThereIsVeryMuchOfIsToldAtAPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &listeners{}
		n := &approvals.Announcer{Client: l, Endpoints: l}
		tell := func(tenant string, i int) client.StartWorkflowOptions {
			require.NoError(t, n.Announce(t.Context(), activities.Announcement{
				Subject: activities.Subject{Tenant: tenant, EndpointID: "ep_2"}, Type: "delivery.exhausted", Many: true,
				Key: fmt.Sprintf("run-%d delivery.exhausted", i), Data: []byte(`{}`),
			}))
			return l.begin[len(l.begin)-1]
		}
		for i := range 1050 {
			o := tell("acme", i)
			require.Equal(t, max(0, time.Duration(i-49)*100*time.Millisecond), o.StartDelay.Round(time.Millisecond))
			require.Equal(t, o.StartDelay == 0, o.EnableEagerStart)
		}
		require.Zero(t, tell("other", 0).StartDelay)
		<-time.After(110 * time.Second)
		require.Zero(t, tell("acme", 2000).StartDelay)
	})
}

// TestWhatNoEndpointNamesIsNoEvent where there is very much of it.
func TestWhatNoEndpointNamesIsNoEvent(t *testing.T) {
	t.Parallel()
	l := &listeners{none: true}
	a := activities.Announcement{Subject: activities.Subject{Tenant: "acme", EndpointID: "ep_2"}, Type: "delivery.exhausted", Data: []byte(`{}`)}
	for _, many := range []bool{true, false} {
		a.Many = many
		require.NoError(t, (&approvals.Announcer{Client: l, Endpoints: l}).Announce(t.Context(), a))
		require.Equal(t, many, l.id == "")
	}
}
