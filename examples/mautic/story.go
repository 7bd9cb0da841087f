package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"hookloop/api"
	"hookloop/client"
)

const (
	person  = "Jane Doe"
	company = "Müller & Söhne"
)

// story tells what happens, one line a step, and claims nothing it has not asked Hookloop about.
type story struct {
	*stage

	out   io.Writer
	begun time.Time
	steps int
}

func (s *story) say(format string, args ...any) {
	s.steps++
	fmt.Fprintf(s.out, "%d. "+format+"\n", append([]any{s.steps}, args...)...)
}

func (s *story) tell(ctx context.Context) error {
	s.begun = time.Now().Add(-time.Second) // the list of events is asked in whole seconds
	s.mautic.edit(s.contactID, person, map[string]string{"company": company})
	s.say("%s edits contact %d in Mautic: company = %q", person, s.contactID, company)

	scored, err := next(ctx, s.scoring.receipts, "Mautic's event at the scoring service")
	if err != nil {
		return err
	}
	if err := s.checkChange(ctx, scored); err != nil {
		return err
	}
	written, err := next(ctx, s.mautic.patches, "the write in Mautic")
	if err != nil {
		return err
	}
	if err := s.checkWrite(ctx, scored, written); err != nil {
		return err
	}
	if err := s.checkEcho(ctx, scored); err != nil {
		return err
	}
	if len(s.scoring.receipts)+len(s.mautic.patches) > 0 {
		return fmt.Errorf("the loop goes on: %d more deliveries to the scoring service, %d more writes in Mautic",
			len(s.scoring.receipts), len(s.mautic.patches))
	}
	_, err = fmt.Fprintln(s.out, "The loop is closed: 3 events, 2 deliveries, 1 echo that goes to no endpoint.")
	return err
}

// checkChange follows the person's edit to the scoring service.
func (s *story) checkChange(ctx context.Context, got receipt) error {
	if got.err != nil {
		return fmt.Errorf("the scoring service refuses a delivery: %w", got.err)
	}
	e, err := s.delivered(ctx, got.eventID, s.scoringEndpoint)
	if err != nil {
		return err
	}
	if e.Origin == nil || e.Origin.SourceID != s.source || e.Origin.EchoOf != "" {
		return fmt.Errorf("event %s is not a change that this Mautic tells of", e.ID)
	}
	s.say("Mautic's webhook comes in and is event %s (%s)", e.ID, e.Type)
	s.say("the scoring service receives it, verifies the signature and computes: score %g, grade %s", got.score.Score, got.score.Grade)
	return nil
}

// checkWrite follows the scoring service's answer to Mautic.
func (s *story) checkWrite(ctx context.Context, scored receipt, written patch) error {
	if fmt.Sprint(written) != fmt.Sprint(patch{
		contactID: fmt.Sprint(s.contactID), fields: map[string]any{"score": scored.score.Score, "grade": scored.score.Grade}, status: 200,
	}) {
		return fmt.Errorf("another write was asked of Mautic: %+v", written)
	}
	e, err := s.delivered(ctx, scored.answer, s.mauticEndpoint)
	if err != nil {
		return err
	}
	if e.Origin != nil || e.Hops != 1 {
		return fmt.Errorf("event %s should be an application's, after 1 hop, not %d", e.ID, e.Hops)
	}
	s.say("it answers with event %s (%s)", e.ID, e.Type)
	s.say("Hookloop writes that to Mautic: PATCH /api/contacts/%s/edit, answered %d", written.contactID, written.status)
	return nil
}

// checkEcho waits for Mautic's webhook of that write.
func (s *story) checkEcho(ctx context.Context, scored receipt) error {
	var echo api.Event
	err := poll(ctx, "the echo", func() (bool, error) {
		all, err := eventsOf(ctx, s.hookloop, s.source, contactType, s.begun)
		for _, e := range all {
			if e.ID != scored.eventID {
				echo = e
			}
		}
		return len(all) >= 2 && echo.Status == api.EventDelivered, err
	})
	if err != nil {
		return err
	}
	if echo.Origin.EchoOf != scored.answer || len(echo.Deliveries) > 0 {
		return fmt.Errorf("event %s is not the echo of %s, but of %q, with %d deliveries",
			echo.ID, scored.answer, echo.Origin.EchoOf, len(echo.Deliveries))
	}
	s.say("Mautic's webhook of this write comes in and is event %s (%s)", echo.ID, echo.Type)
	s.say("Hookloop knows it for the echo of %s and delivers it to no endpoint", echo.Origin.EchoOf)
	return nil
}

// delivered waits until an event has arrived at an endpoint. Others may want it as well; they are
// not waited for.
func (s *story) delivered(ctx context.Context, id, endpointID string) (api.Event, error) {
	a, err := s.hookloop.Events.Get(id).Until(ctx, func(e api.Event) bool { return deliveredTo(e, endpointID) })
	if err != nil {
		return a.Value, fmt.Errorf("the delivery of %s: %w", id, err)
	}
	return a.Value, nil
}

// poll asks again and again until something is so.
func poll(ctx context.Context, what string, so func() (bool, error)) error {
	for {
		done, err := so()
		if done || err != nil && !client.IsUnavailable(err) {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s does not come: %w", what, ctx.Err())
		}
	}
}

// next takes what comes next.
func next[T any](ctx context.Context, from <-chan T, what string) (v T, err error) {
	select {
	case v = <-from:
		return v, nil
	case <-ctx.Done():
		return v, fmt.Errorf("%s does not come: %w", what, ctx.Err())
	}
}
