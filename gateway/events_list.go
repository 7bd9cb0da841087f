package gateway

import (
	"context"
	"strings"
	"time"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

type listEvents struct {
	Tenant string              `path:"tenant"`
	Type   string              `query:"type" example:"contact.updated"`
	Status webhook.EventStatus `query:"status" enum:"delivering,delivered,failed,unmatched"`
	After  string              `query:"after" doc:"Accepted after this time: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before string              `query:"before" doc:"Accepted before this time, likewise." example:"2026-01-31T12:00:00Z"`
	Limit  int                 `query:"limit" minimum:"1" maximum:"250" default:"50"`
	Cursor string              `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}

// eventPage is one page of events: those still being delivered first, then the latest to end.
type eventPage struct {
	Data       []eventItem `json:"data"`
	NextCursor *string     `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

// eventItem is a line of the list; the event itself tells more.
type eventItem struct {
	ID         string              `json:"id"`
	Type       string              `json:"type"`
	Status     webhook.EventStatus `json:"status" enum:"delivering,delivered,failed,unmatched"`
	AcceptedAt time.Time           `json:"accepted_at"`
	WorkflowID string              `json:"workflow_id"`
	RunID      string              `json:"run_id"`
}

// listEvents asks Temporal's visibility store, which is a moment behind.
func (g *Gateway) listEvents(ctx context.Context, in *listEvents) (*answerOf[eventPage], error) {
	filter, err := in.filter(g.now())
	if err != nil {
		return nil, err
	}
	list := strings.Join([]string{"events", in.Tenant, in.Type, string(in.Status), in.After, in.Before}, " ") // as it was asked: an hour ago is another time on each page
	token, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	found, next, err := g.events.List(ctx, filter, in.Limit, token)
	if err != nil {
		return nil, err
	}
	page := eventPage{Data: make([]eventItem, len(found)), NextCursor: g.newCursor(list, next)}
	for i, e := range found {
		page.Data[i] = eventItem(e)
	}
	return &answerOf[eventPage]{Body: page}, nil
}

// filter checks what was asked for.
func (in *listEvents) filter(now time.Time) (f orchestrator.EventFilter, err error) {
	f = orchestrator.EventFilter{Tenant: in.Tenant, Type: in.Type, Status: in.Status}
	if in.Type != "" {
		if err := webhook.CheckEventType(in.Type); err != nil {
			return f, err
		}
	}
	f.After, f.Before, err = period(in.After, in.Before, now)
	return f, err
}

// period reads both ends of one, in UTC; an end that is not given is the zero time.
func period(after, before string, now time.Time) (from, to time.Time, err error) {
	if from, err = moment("after", after, now); err != nil {
		return from, to, err
	}
	to, err = moment("before", before, now)
	return from, to, err
}

// moment reads a time of a question; nothing is no time.
func moment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := webhook.ParseMoment(text, now)
	if err != nil {
		return t, webhook.Invalidf(field, "%s", webhook.MomentForms)
	}
	return t, nil
}
