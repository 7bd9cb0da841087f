package redelivery

import (
	"context"
	"slices"
	"strings"
	"time"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// kind is what a list has.
type kind int

const (
	deliveries kind = iota // that ended undelivered
	disabled               // events that were accepted while the endpoint was disabled
	unmatched              // events that no endpoint wanted
)

// list is a question to the visibility store.
type list struct {
	kind   kind
	query  string
	wants  webhook.Endpoint // of kind unmatched: what it wants now
	unread bool             // histories are not read to find out more
}

// lists are where a window is looked up, one after the other.
func (r *Redeliveries) lists(ctx context.Context, w webhook.Window) ([]list, error) {
	if err := webhook.CheckTenant(w.Tenant); err != nil {
		return nil, err
	}
	if w.EndpointID == "" || strings.ContainsAny(w.EndpointID, `'"\`) {
		return nil, webhook.Invalidf("endpoint_id", "is not an endpoint's")
	}
	if !w.Unmatched {
		return []list{{kind: deliveries, query: undeliveredTo(w)}, {kind: disabled, query: disabledFor(w)}}, nil
	}
	e, err := r.endpoint(ctx, w.Tenant, w.EndpointID)
	if err != nil {
		return nil, err
	}
	return []list{{kind: unmatched, query: unmatchedIn(w), wants: e}}, nil
}

// concerns says whether a list has f because of this endpoint.
func (r *Redeliveries) concerns(ctx context.Context, w webhook.Window, l list, f found) (bool, error) {
	switch l.kind {
	case unmatched: // what Hookloop tells about endpoints and deliveries is news, and old by now
		return f.endpoint != workflows.EndpointNews && l.wants.Wants(f.eventType), nil
	case disabled:
		if f.endpoint != workflows.EndpointDisabled+" "+workflows.EndpointsSeveral || l.unread {
			return true, nil
		}
		in, _, err := r.event(ctx, w.Tenant, f.eventID)
		if webhook.CodeOf(err) == webhook.Expired {
			return false, nil
		}
		return slices.Contains(in.Disabled, w.EndpointID), err
	case deliveries:
	}
	return true, nil
}

// undeliveredTo is a window in visibility's language. A run that was terminated kept the Outcome it
// had; one that continued as new stands for the run after it.
func undeliveredTo(w webhook.Window) string {
	return within(w, "Delivery",
		workflows.Endpoint.GetName()+" = "+quoted(w.EndpointID),
		"ExecutionStatus != 'Running'",
		workflows.Outcome.GetName()+" != "+quoted(string(webhook.Delivered)))
}

func disabledFor(w webhook.Window) string {
	one, several := workflows.EndpointDisabled+" "+w.EndpointID, workflows.EndpointDisabled+" "+workflows.EndpointsSeveral
	return within(w, "Event", workflows.Endpoint.GetName()+" IN ("+quoted(one)+", "+quoted(several)+")")
}

func unmatchedIn(w webhook.Window) string {
	return within(w, "Event", workflows.Outcome.GetName()+" = "+quoted(string(webhook.EventUnmatched)))
}

func within(w webhook.Window, workflowType string, conditions ...string) string {
	all := append([]string{"WorkflowType = " + quoted(workflowType), workflows.Tenant.GetName() + " = " + quoted(w.Tenant)}, conditions...)
	all = append(all,
		"StartTime >= "+quoted(w.Since.UTC().Format(time.RFC3339Nano)),
		"StartTime < "+quoted(w.Until.UTC().Format(time.RFC3339Nano)))
	return strings.Join(all, " AND ")
}

func quoted(s string) string { return "'" + s + "'" }

// A page is named by the list it is of, a digit, and by visibility's token behind that.

func openPage(page []byte, lists int) (n int, token []byte, err error) {
	if len(page) == 0 {
		return 0, nil, nil
	}
	if n = int(page[0] - '0'); n < 0 || n >= lists {
		return 0, nil, webhook.Invalidf("page", "is none of this window's")
	}
	return n, page[1:], nil
}

func nextPage(n int, token []byte, lists int) []byte {
	switch {
	case len(token) > 0:
		return append([]byte{byte('0' + n)}, token...)
	case n+1 < lists:
		return []byte{byte('0' + n + 1)}
	}
	return nil
}
