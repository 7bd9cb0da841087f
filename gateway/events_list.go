package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"

	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/accept"
	"hookloop/internal/webhook"
	"hookloop/workflows"
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
	query, err := in.query(g.now())
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
	found, err := g.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(in.Limit), NextPageToken: token, Query: query,
	})
	if err != nil {
		return nil, fmt.Errorf("events: %w", temporalErr(err))
	}
	page := eventPage{Data: make([]eventItem, len(found.GetExecutions()))}
	for i, x := range found.GetExecutions() {
		page.Data[i] = g.item(in.Tenant, x)
	}
	page.NextCursor = g.newCursor(list, found.GetNextPageToken())
	return &answerOf[eventPage]{Body: page}, nil
}

// query is in visibility's language. Nothing a client wrote gets in unchecked: the tenant, the type
// and the status have grammars without quotes, times are written by us.
func (in *listEvents) query(now time.Time) (string, error) {
	parts := []string{
		"WorkflowType = '" + accept.EventWorkflow + "'",
		is(workflows.Tenant, in.Tenant),
	}
	if in.Type != "" {
		if err := webhook.CheckEventType(in.Type); err != nil {
			return "", err
		}
		parts = append(parts, is(workflows.EventType, in.Type))
	}
	if in.Status != "" {
		parts = append(parts, hasStatus(in.Status))
	}
	after, before, err := period(in.After, in.Before, now)
	if !after.IsZero() {
		parts = append(parts, "StartTime > '"+after.Format(time.RFC3339Nano)+"'")
	}
	if !before.IsZero() {
		parts = append(parts, "StartTime < '"+before.Format(time.RFC3339Nano)+"'")
	}
	return strings.Join(parts, " AND "), err
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

func is(k temporal.SearchAttributeKeyKeyword, value string) string {
	return k.GetName() + " = '" + value + "'"
}

// hasStatus counts an event whose workflow was ended from outside as failed, as its item does: the
// workflow had no chance to say so itself.
func hasStatus(s webhook.EventStatus) string {
	own := is(workflows.Outcome, string(s))
	switch s {
	case webhook.EventDelivering:
		return own + " AND ExecutionStatus = 'Running'"
	case webhook.EventFailed:
		return "(" + own + " OR " + is(workflows.Outcome, string(webhook.EventDelivering)) + " AND ExecutionStatus != 'Running')"
	case webhook.EventDelivered, webhook.EventUnmatched:
	}
	return own
}

func (g *Gateway) item(tenant string, info *workflowpb.WorkflowExecutionInfo) eventItem {
	workflowID := info.GetExecution().GetWorkflowId()
	item := eventItem{
		ID:         strings.TrimPrefix(workflowID, workflows.EventWorkflowID(tenant, "")),
		Type:       g.attribute(info, workflows.EventType),
		Status:     webhook.EventStatus(g.attribute(info, workflows.Outcome)),
		AcceptedAt: info.GetStartTime().AsTime(),
		WorkflowID: workflowID,
		RunID:      info.GetExecution().GetRunId(),
	}
	x := execution{status: info.GetStatus()}
	if item.Status == webhook.EventDelivering && x.closed() {
		item.Status = webhook.EventFailed
	}
	return item
}

func (g *Gateway) attribute(info *workflowpb.WorkflowExecutionInfo, k temporal.SearchAttributeKeyKeyword) string {
	var value string
	payload := info.GetSearchAttributes().GetIndexedFields()[k.GetName()]
	if payload != nil {
		_ = g.attributes.FromPayload(payload, &value) // an attribute of another type is not ours
	}
	return value
}
