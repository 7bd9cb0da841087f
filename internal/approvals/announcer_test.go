package approvals_test

import (
	"context"
	"errors"
	"testing"
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
	id    string
	input workflows.EventInput
}

func (l *listeners) MatchNamed(_ context.Context, tenant, eventType string) ([]string, error) {
	l.asked = tenant + " " + eventType
	return []string{"ep_1", "ep_2", "ep_3"}, l.away
}

func (l *listeners) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	l.id, l.input = o.ID, args[0].(workflows.EventInput)
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
				Event:       webhook.Event{Tenant: "acme", ID: id, Type: "endpoint.held", Timestamp: at},
				EndpointIDs: []string{"ep_1", "ep_3"}, // the one it is about could not hear it
			}, l.input)
			require.Equal(t, "acme endpoint.held", l.asked)
		})
	}
	l := &listeners{away: errors.ErrUnsupported}
	require.ErrorIs(t, (&approvals.Announcer{Client: l, Endpoints: l}).Announce(t.Context(), a), l.away)
	require.Empty(t, l.id)
}
