package orchestrator

import (
	"context"
	"slices"
	"strings"

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

// windowList is one list in which what a window asks for is looked up.
type windowList struct {
	kind   kind
	query  query
	wants  webhook.Endpoint // of kind unmatched: what it wants now
	unread bool             // histories are not read to find out more
}

// lists are where a window is looked up, one after the other.
func (r *Redeliveries) lists(ctx context.Context, w webhook.Window) ([]windowList, error) {
	if err := webhook.CheckTenant(w.Tenant); err != nil {
		return nil, err
	}
	if w.EndpointID == "" || strings.ContainsAny(w.EndpointID, `'"\`) {
		return nil, webhook.Invalidf("endpoint_id", "is not an endpoint's")
	}
	if !w.Unmatched {
		return []windowList{{kind: deliveries, query: undeliveredTo(w)}, {kind: disabled, query: disabledFor(w)}}, nil
	}
	e, err := r.endpoint(ctx, w.Tenant, w.EndpointID)
	if err != nil {
		return nil, err
	}
	return []windowList{{kind: unmatched, query: unmatchedIn(w), wants: e}}, nil
}

// concerns says whether a list has f because of this endpoint.
func (r *Redeliveries) concerns(ctx context.Context, w webhook.Window, l windowList, f Execution) (bool, error) {
	switch l.kind {
	case unmatched: // what Hookloop tells about endpoints and deliveries is news, and old by now
		return f.Endpoint != workflows.EndpointOperational && l.wants.Wants(f.EventType), nil
	case disabled:
		if f.Endpoint != workflows.EndpointDisabled+" "+workflows.EndpointsSeveral || l.unread {
			return true, nil
		}
		in, _, err := r.event(ctx, w.Tenant, f.eventID(w.Tenant, w.EndpointID))
		if webhook.CodeOf(err) == webhook.Expired {
			return false, nil
		}
		return slices.Contains(in.Disabled, w.EndpointID), err
	case deliveries:
	}
	return true, nil
}

// undeliveredTo is the deliveries of a window. A run that was terminated kept the Outcome it had;
// one that continued as new stands for the run after it.
func undeliveredTo(w webhook.Window) query {
	return within(w, workflows.TypeDelivery,
		is(workflows.Endpoint, w.EndpointID), ended, isNot(workflows.Outcome, string(webhook.Delivered)))
}

func disabledFor(w webhook.Window) query {
	one, several := workflows.EndpointDisabled+" "+w.EndpointID, workflows.EndpointDisabled+" "+workflows.EndpointsSeveral
	return within(w, workflows.TypeEvent, isIn(workflows.Endpoint, one, several))
}

func unmatchedIn(w webhook.Window) query {
	return within(w, workflows.TypeEvent, is(workflows.Outcome, string(webhook.EventUnmatched)))
}

func within(w webhook.Window, workflowType string, conditions ...query) query {
	all := append([]query{ofType(workflowType), is(workflows.Tenant, w.Tenant)}, conditions...)
	return where(append(all, started(">=", w.Since), started("<", w.Until))...)
}

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
