package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// lanes are the two ways to take a turn.
func lanes(t *testing.T, d *activities.Delivery, in activities.Turn) map[string]func() (activities.TurnResult, error) {
	t.Helper()
	return map[string]func() (activities.TurnResult, error){
		"fast":    func() (activities.TurnResult, error) { return d.FastAttempt(t.Context(), in, raw(`{"a":1.10}`)) },
		"durable": func() (activities.TurnResult, error) { return executeTurn(t, d, in) },
	}
}

// sentBy keeps what a sender is given.
func sentBy(f fakes) (fakes, *[]webhook.Delivery) {
	var sent []webhook.Delivery
	answer := f.send
	f.send = func(d webhook.Delivery, n int) (webhook.Attempt, error) {
		sent = append(sent, d)
		return answer(d, n)
	}
	f.data = func() ([]byte, error) { return []byte(`{"a":1.10}`), nil }
	return f, &sent
}

// TestBothLanesSendTheEventAsItIs to the endpoint as it is now, and say when they read it.
func TestBothLanesSendTheEventAsItIs(t *testing.T) {
	t.Parallel()
	f, sent := sentBy(answering(200))
	in := turn
	in.Context, in.Probe = json.RawMessage(`{"object":"page"}`), true
	before := time.Now()
	for lane, take := range lanes(t, f.lane(), in) {
		*sent = nil
		_, err := take()
		require.NoError(t, err)
		require.Len(t, *sent, 1, lane)
		d := (*sent)[0]
		require.Equal(t, in.Event, d.Event)
		require.Equal(t, "ep_1", d.Endpoint.ID)
		require.JSONEq(t, `{"a":1.10}`, string(d.Content.Data))
		require.False(t, d.ReadAt.Before(before) || d.ReadAt.After(time.Now()), "when the endpoint was read")
		require.Equal(t, lane == "fast", d.First, lane)
		require.Equal(t, lane == "durable", d.Probe, "a probe is the durable lane's: %s", lane)
		require.Equal(t, lane == "fast", string(d.Content.Context) == `{"object":"page"}`, "the durable lane reads it with the data")
	}
	in.Number = 2
	*sent = nil
	_, err := f.lane().FastAttempt(t.Context(), in, raw(`1`))
	require.NoError(t, err)
	require.False(t, (*sent)[0].First, "an early retry")
}

// TestNothingGoesToAnEndpointThatTakesNothing, except a probe that a person asked for.
func TestNothingGoesToAnEndpointThatTakesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		endpoint webhook.Endpoint
		in       activities.Turn
		want     webhook.DeferReason // empty: it is sent
		why      string
	}{
		"active":                      {webhook.Endpoint{}, activities.Turn{Number: 1}, "", ""},
		"held":                        {webhook.Endpoint{State: webhook.EndpointHeld}, activities.Turn{Number: 1}, webhook.DeferState, "the endpoint is held"},
		"disabled":                    {webhook.Endpoint{State: webhook.EndpointDisabled}, activities.Turn{Number: 1}, webhook.DeferDisabled, "the endpoint is disabled"},
		"held, and it is a probe":     {webhook.Endpoint{State: webhook.EndpointHeld}, activities.Turn{Number: 2, Probe: true}, "", ""},
		"a release is under way":      {webhook.Endpoint{State: webhook.EndpointActive, Releasing: time.Now().Add(time.Hour)}, activities.Turn{Number: 2, Held: true}, webhook.DeferState, "its place in the release has not come"},
		"a release, and it is new":    {webhook.Endpoint{State: webhook.EndpointActive, Releasing: time.Now().Add(time.Hour)}, activities.Turn{Number: 1}, "", ""},
		"a person must let it go":     {webhook.Endpoint{State: webhook.EndpointActive}, activities.Turn{Number: 1, Parked: "in circles"}, webhook.DeferState, "in circles"},
		"parked, and it is a probe":   {webhook.Endpoint{State: webhook.EndpointActive}, activities.Turn{Number: 1, Parked: "in circles", Probe: true}, webhook.DeferState, "in circles"},
		"paused, and it has to wait":  {webhook.Endpoint{State: webhook.EndpointPaused, Schedule: webhook.Schedule{time.Minute}}, activities.Turn{Number: 1}, webhook.DeferState, "the endpoint is paused"},
		"a second attempt of its own": {webhook.Endpoint{Schedule: webhook.Schedule{time.Minute, time.Minute}}, activities.Turn{Number: 2}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, sent := sentBy(answering(200))
			f.endpoint = func() (webhook.Endpoint, error) { return tc.endpoint, nil }
			in := tc.in
			in.Event, in.EndpointID = turn.Event, turn.EndpointID
			for lane, take := range lanes(t, f.lane(), in) {
				*sent = nil
				r, err := take()
				require.NoError(t, err)
				if tc.want == "" {
					require.Len(t, *sent, 1, lane)
					continue
				}
				require.Empty(t, *sent, lane)
				require.Equal(t, tc.want, r.Deferral.Reason, lane)
				require.Equal(t, tc.why, r.Deferral.Detail)
				require.Equal(t, tc.endpoint.ScheduleOrDefault(), r.Schedule, "the delivery goes by it")
			}
		})
	}
}

// TestTheScheduleOfAFirstWaitComesWithIt: nothing else has told the delivery.
func TestTheScheduleOfAFirstWaitComesWithIt(t *testing.T) {
	t.Parallel()
	f, sent := sentBy(answering(200))
	own := webhook.Schedule{time.Minute, time.Hour}
	f.endpoint = func() (webhook.Endpoint, error) { return webhook.Endpoint{Schedule: own}, nil }
	r, err := f.lane().FastAttempt(t.Context(), turn, raw(`1`))
	require.NoError(t, err)
	require.Equal(t, activities.TurnResult{Deferral: &webhook.Deferral{Reason: webhook.DeferSchedule}, Schedule: own}, r)
	require.Empty(t, *sent)
}

// TestAWideEventKeepsLittleOfEachAnswer: one result holds them all.
func TestAWideEventKeepsLittleOfEachAnswer(t *testing.T) {
	t.Parallel()
	f := answering(200)
	f.send = func(_ webhook.Delivery, n int) (webhook.Attempt, error) {
		return webhook.Attempt{Number: n, StatusCode: 200, ResponseBody: "thank you"}, nil
	}
	for keep, want := range map[int]string{0: "thank you", 1: "t", 5: "thank"} {
		in := turn
		in.KeepResponse = keep
		r, err := f.lane().FastAttempt(t.Context(), in, raw(`1`))
		require.NoError(t, err)
		require.Equal(t, want, r.Attempt.ResponseBody)
	}
}

// shelf is a body store, and the memory for what is read from it.
type shelf struct {
	data     string
	err      error // of reading
	full     error // why there is no room
	rooms    int   // taken now
	reserved []int64
}

func (s *shelf) Data(_ context.Context, _ webhook.Event, p *commonpb.Payload) ([]byte, error) {
	return []byte(s.data + string(p.GetData())), s.err
}

func (s *shelf) Room(_ context.Context, size int64) (func(), error) {
	if s.full != nil {
		return nil, s.full
	}
	s.rooms++
	s.reserved = append(s.reserved, size)
	return func() { s.rooms-- }, nil
}

// TestALargeEventIsReadFromTheBodyStore, once there is room for it in the memory, which is given
// back.
func TestALargeEventIsReadFromTheBodyStore(t *testing.T) {
	t.Parallel()
	f, sent := sentBy(answering(200))
	s := &shelf{data: "of "}
	d := f.lane()
	d.Bodies = s
	large := turn
	large.Event.Stored = 1
	for lane, take := range lanes(t, d, large) {
		*sent, s.reserved = nil, nil
		_, err := take()
		require.NoError(t, err)
		require.Equal(t, []int64{1}, s.reserved, lane)
		require.Zero(t, s.rooms, "it is given back")
		if lane == "fast" { // the durable lane's reader of events reads it
			require.Equal(t, `of {"a":1.10}`, string((*sent)[0].Content.Data))
		}
	}
	s.reserved = nil
	for _, take := range lanes(t, d, turn) {
		_, err := take()
		require.NoError(t, err)
	}
	require.Empty(t, s.reserved, "a small one lies in its history")

	*sent = nil
	s.full = errAway
	for lane, take := range lanes(t, d, large) {
		_, err := take()
		require.ErrorContains(t, err, errAway.Error(), lane)
	}
	s.full, s.err = nil, errAway
	_, err := d.FastAttempt(t.Context(), large, raw(`1`))
	require.ErrorIs(t, err, errAway)
	require.Zero(t, s.rooms)
	require.Empty(t, *sent)
}

// TestADeliveryWhoseEventIsGoneEnds: no retry brings the data back, and it is no fault.
func TestADeliveryWhoseEventIsGoneEnds(t *testing.T) {
	t.Parallel()
	f := answering(200)
	f.data = func() ([]byte, error) { return nil, activities.EventGone(errAway) }
	_, err := execute(t, f.lane())
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok)
	require.True(t, app.NonRetryable())
	require.Equal(t, activities.TypeEventGone, app.Type())
	require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category())
}

// notes are what is noted of deliveries for echoes.
type notes struct {
	err      error
	noted    []string // event ids
	settled  []*webhook.Attempt
	sentThen *[]webhook.Delivery // had been sent when it was noted
}

func (n *notes) Remember(_ context.Context, d webhook.Delivery) (func(context.Context, *webhook.Attempt), error) {
	n.noted = append(n.noted, d.Event.ID)
	if len(*n.sentThen) > 0 {
		return nil, errors.New("it has left already")
	}
	return func(_ context.Context, a *webhook.Attempt) { n.settled = append(n.settled, a) }, n.err
}

// TestWhatLeavesIsNotedForItsEcho before it leaves, and what came of it after.
func TestWhatLeavesIsNotedForItsEcho(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		f    fakes
		want *webhook.Attempt
	}{
		"it was taken":       {answering(200), &webhook.Attempt{Number: 1, StatusCode: 200}},
		"it was refused":     {answering(400), &webhook.Attempt{Number: 1, StatusCode: 400}},
		"there was no place": {deferring(webhook.DeferState), nil},
	} {
		for _, lane := range []string{"fast", "durable"} {
			f, sent := sentBy(tc.f)
			n := &notes{sentThen: sent}
			d := f.lane()
			d.Echoes = n
			r, err := lanes(t, d, turn)[lane]()
			require.NoError(t, err, name)
			require.Equal(t, []string{"evt_1"}, n.noted)
			require.Equal(t, []*webhook.Attempt{tc.want}, n.settled, name)
			require.Equal(t, tc.want, r.Attempt)
		}
	}
	f, sent := sentBy(answering(200))
	d := f.lane()
	d.Echoes = &notes{sentThen: sent, err: errAway}
	for lane, take := range lanes(t, d, turn) {
		_, err := take()
		require.ErrorContains(t, err, errAway.Error(), lane)
	}
	require.Empty(t, *sent, "its echo would not be known")
}
