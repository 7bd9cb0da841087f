package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/erasure"
	"hookloop/internal/webhook"
)

// Erasures takes the data of events away; erasure.Eraser does. Its errors carry webhook.NotFound,
// webhook.Conflict or webhook.OnLegalHold; one without a code is an awayError, or the registry is
// out of reach.
type Erasures interface {
	Erase(ctx context.Context, tenant, id string, o erasure.Order) (webhook.Erasure, error)
	EraseSubject(ctx context.Context, tenant, subject, after string, o erasure.Order) (erasure.Subject, error)
	// Find tells of an event that was erased; webhook.NotFound: it was not.
	Find(ctx context.Context, tenant, id string) (webhook.Erasure, error)
	// Hold and Unhold forbid and allow erasures.
	Hold(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error)
	Unhold(ctx context.Context, tenant string, h webhook.Hold) error
	// NoteSubject notes whom an event concerns that is about to be accepted.
	NoteSubject(ctx context.Context, tenant, eventID, subject string) error
}

// eraseTimeout bounds a call that erases: what it could not end goes on without it.
const eraseTimeout = 25 * time.Second

func (g *Gateway) erasureRoutes(to huma.API) {
	const (
		event    = "/v1/tenants/{tenant}/events/{id}"
		subjects = "/v1/tenants/{tenant}/subjects"
	)
	route(g, to, operation{
		id: "erase-event-data", tag: tagAudit, cost: costly, refuses: []api.Code{api.Conflict, api.OnLegalHold}, method: http.MethodDelete, path: event + "/data", scope: api.AuditErase, within: eraseTimeout,
		summary: "Erase what an event says",
		text: "Its data and the answers of endpoints go from Temporal and the registry; archives follow. What stays is who wanted it, when, why, and the fingerprint of the data. " +
			"Once answered it happens, whatever dies meanwhile; a repeat tells how far it is. `conflict` while deliveries are under way, unless `cancel` is given; `legal_hold` if a person forbade it.",
	}, g.eraseEvent)
	route(g, to, operation{
		id: "erase-subject", tag: tagAudit, cost: costly, refuses: []api.Code{api.OnLegalHold}, method: http.MethodPost, path: subjects + "/erase", scope: api.AuditErase, within: eraseTimeout,
		summary: "Erase what concerns a subject",
		text:    "A call erases twenty of the events that were posted with this `subject`; `next` leads to the others. A repeat goes on: what was erased is not found any more.",
		example: map[string]any{"subject": "customer-4711", "reason": "request 17 of the data subject"},
	}, g.eraseSubject)
	for _, h := range []struct{ verb, summary string }{{"hold", "Forbid to erase"}, {"unhold", "Allow to erase"}} {
		lift := h.verb == "unhold"
		route(g, to, operation{
			id: h.verb + "-event", tag: tagAudit, method: http.MethodPost, path: event + "/" + h.verb, scope: api.AuditHold,
			summary: h.summary + " an event", text: "A legal hold: `erase-event-data` then answers `legal_hold`, with who and why. Both stand in the audit.",
			example: map[string]any{"reason": "case 12"},
		}, func(ctx context.Context, in *inEvent[api.HoldOrder]) (*answerOf[api.Hold], error) {
			return g.holdEvent(ctx, in, lift)
		})
		route(g, to, operation{
			id: h.verb + "-subject", tag: tagAudit, refuses: []api.Code{api.NotFound}, method: http.MethodPost, path: subjects + "/" + h.verb, scope: api.AuditHold,
			summary: h.summary + " what concerns a subject", text: "A legal hold on every event that was or will be posted with this `subject`.",
			example: map[string]any{"subject": "customer-4711", "reason": "case 12"},
		}, func(ctx context.Context, in *inTenant[api.SubjectHoldOrder]) (*answerOf[api.Hold], error) {
			return g.hold(ctx, in.Tenant, webhook.Hold{Subject: in.value.Subject, Reason: in.value.Reason}, lift)
		})
	}
}

type eraseEvent struct {
	EventPath
	api.ErasureQuery
}

func erased(e webhook.Erasure) api.Erasure {
	a := api.Erasure{
		EventID: e.EventID, Status: api.Erasing, AskedAt: e.AskedAt, ErasedAt: webhook.TimeOrNone(e.ErasedAt),
		By: e.By, Reason: e.Reason, DataSHA256: e.Data, DataBytes: e.DataBytes,
	}
	if a.ErasedAt != nil {
		a.Status = api.IsGone
	}
	return a
}

func (g *Gateway) eraseEvent(ctx context.Context, in *eraseEvent) (*answerOf[api.Erasure], error) {
	e, err := g.cfg.Erasures.Erase(ctx, in.Tenant, in.ID, erasure.Order{Reason: in.Reason, Cancel: in.Cancel})
	if err != nil {
		return nil, fmt.Errorf("erasure of event %s: %w", in.ID, awayErr(err))
	}
	return answered(erased(e), nil)
}

func (g *Gateway) eraseSubject(ctx context.Context, in *inTenant[api.SubjectErasure]) (*answerOf[api.SubjectErased], error) {
	s, err := g.cfg.Erasures.EraseSubject(ctx, in.Tenant, in.value.Subject, in.value.After, erasure.Order{Reason: in.value.Reason, Cancel: in.value.Cancel})
	if err != nil {
		return nil, fmt.Errorf("erasure of a subject: %w", awayErr(err))
	}
	out := &answerOf[api.SubjectErased]{Body: api.SubjectErased{Erased: []api.Erasure{}, Refused: []api.ErasureRefused{}, Next: s.Next}}
	for _, e := range s.Erased {
		out.Body.Erased = append(out.Body.Erased, erased(e))
	}
	for _, r := range s.Refused {
		out.Body.Refused = append(out.Body.Refused, api.ErasureRefused{EventID: r.EventID, Why: r.Why})
	}
	return out, nil
}

// holdEvent takes no id that is no event's: a hold with a slip in it would protect nothing.
func (g *Gateway) holdEvent(ctx context.Context, in *inEvent[api.HoldOrder], lift bool) (*answerOf[api.Hold], error) {
	if !lift {
		if _, err := g.event(ctx, in.Tenant, in.ID); err != nil {
			return nil, g.unlessErased(ctx, in.Tenant, in.ID, err)
		}
	}
	return g.hold(ctx, in.Tenant, webhook.Hold{EventID: in.ID, Reason: in.value.Reason}, lift)
}

func (g *Gateway) hold(ctx context.Context, tenant string, h webhook.Hold, lift bool) (*answerOf[api.Hold], error) {
	var err error
	if lift {
		h.By, h.At = subject(ctx), g.cfg.Now().UTC()
		err = g.cfg.Erasures.Unhold(ctx, tenant, h)
	} else {
		h, err = g.cfg.Erasures.Hold(ctx, tenant, h)
	}
	if err != nil {
		return nil, fmt.Errorf("legal hold: %w", problem.Registry(err))
	}
	return answered(api.Hold{EventID: h.EventID, At: h.At, By: h.By, Reason: h.Reason}, nil)
}

// awayErr names the registry as what is out of reach, unless the error names something itself.
func awayErr(err error) error {
	if _, named := errors.AsType[problem.AwayError](err); named {
		return err
	}
	return problem.Registry(err)
}

// unlessErased tells of an erasure where an event is not there because of it.
func (g *Gateway) unlessErased(ctx context.Context, tenant, id string, err error) error {
	if code := webhook.CodeOf(err); code != webhook.NotFound && code != webhook.Expired {
		return err
	}
	return cmp.Or(g.refuseErased(ctx, tenant, id), err)
}

// refuseErased refuses what would bring an erased event back.
func (g *Gateway) refuseErased(ctx context.Context, tenant, id string) error {
	e, err := g.cfg.Erasures.Find(ctx, tenant, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		return nil
	case err != nil:
		return problem.Registry(err)
	}
	return e.Gone()
}
