package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

func (g *Gateway) stateRoutes(to huma.API) {
	const one = "/v1/tenants/{tenant}/endpoints/{id}"
	route(g, to, operation{
		id: "pause-endpoint", tag: tagEndpoints, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: one + "/pause", scope: api.EndpointsWrite, within: acceptTimeout, status: http.StatusAccepted,
		summary: "Pause an endpoint",
		text: "Its deliveries wait as `held` until it is resumed, new ones too; an attempt under way is not stopped. An approval of it ends as `cancelled`. " +
			"Pausing it again changes nothing. `conflict` if it is disabled.",
		example: instruction,
	}, g.pauseEndpoint)
	route(g, to, operation{
		id: "resume-endpoint", tag: tagEndpoints, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: one + "/resume", scope: api.EndpointsWrite, within: acceptTimeout, status: http.StatusAccepted,
		summary: "Let a paused, held or disabled endpoint's deliveries go",
		text: "One delivery is sent as the probe; if it succeeds, the endpoint is active and the others follow, the oldest first, at `rate_per_second`. " +
			"Answers how the endpoint stood when the order came. `conflict` if it is active.",
		example: releaseExample,
	}, g.resumeEndpoint)
}

// errPaused stops a change that has nothing to change.
var errPaused = errors.New("the endpoint is paused already")

// pauseEndpoint holds an endpoint by hand. If it fails between registry and workflow, a repeat does
// the rest: what is paused already stays as it is, and its episode is ended all the same.
func (g *Gateway) pauseEndpoint(ctx context.Context, in *inEndpoint[api.Instruction]) (*answerOf[api.Endpoint], error) {
	verb := webhook.Instruction{By: subject(ctx), Reason: in.value.Reason}
	e, err := g.change(ctx, in.Tenant, in.ID, func(e *webhook.Endpoint) error {
		if err := confined.MayPause(ctx, *e); err != nil {
			return err
		}
		return pause(e, verb)
	})
	if errors.Is(err, errPaused) {
		e, err = g.endpoint(ctx, in.Tenant, in.ID)
	}
	if err != nil {
		return nil, err
	}
	err = g.cfg.Approvals.End(ctx, in.Tenant, in.ID, webhook.End{Kind: webhook.EndPaused, Instruction: verb})
	return answered(show(ctx, e), approvalErr(in.ID, err))
}

func pause(e *webhook.Endpoint, v webhook.Instruction) error {
	switch e.State {
	case webhook.EndpointPaused:
		return errPaused
	case webhook.EndpointDisabled:
		return webhook.Errorf(webhook.Conflict, "the endpoint is disabled; resume it first")
	case webhook.EndpointActive, webhook.EndpointHeld:
	}
	e.State, e.StateReason = webhook.EndpointPaused, "paused by "+v.By
	if v.Reason != "" {
		e.StateReason += ": " + v.Reason
	}
	e.Releasing = time.Time{} // the release ends with the episode
	return nil
}

// resumeEndpoint lets a paused, held or disabled endpoint's deliveries go. A workflow does it: the
// oldest delivery goes first, and if the endpoint takes it the others follow. A paused or disabled
// endpoint is neither any more once this has answered.
func (g *Gateway) resumeEndpoint(ctx context.Context, in *inEndpoint[api.Release]) (*answerOf[api.Endpoint], error) {
	decision := release(ctx, in.value)
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	if e.State == webhook.EndpointActive {
		return nil, webhook.Errorf(webhook.Conflict, "the endpoint is active already")
	}
	if err := confined.MayResume(ctx, e); err != nil {
		return nil, err
	}
	if err := g.cfg.Approvals.Resume(ctx, in.Tenant, in.ID, decision); err != nil {
		return nil, approvalErr(in.ID, err)
	}
	e, err = g.resumed(ctx, e, decision)
	return answered(show(ctx, e), err)
}

// How long a resume waits for its workflow to have made the endpoint active, and how often it
// looks. Without a backlog that takes milliseconds; with one, as long as the endpoint takes to
// answer.
const (
	resumeWait = 3 * time.Second
	resumeLook = 50 * time.Millisecond
)

// resumed gives the endpoint once it is neither paused nor disabled any more. If its oldest
// delivery is still under way it is held until that is answered.
func (g *Gateway) resumed(ctx context.Context, was webhook.Endpoint, d webhook.Decision) (webhook.Endpoint, error) {
	if was.State == webhook.EndpointHeld {
		return was, nil
	}
	for end := time.Now().Add(g.cfg.ResumeWait); time.Now().Before(end); {
		e, err := g.endpoint(ctx, was.Tenant, was.ID)
		if err != nil || e.State != was.State {
			return e, err
		}
		select {
		case <-time.After(resumeLook):
		case <-ctx.Done():
			return e, problem.Registry(ctx.Err())
		}
	}
	return g.change(ctx, was.Tenant, was.ID, func(e *webhook.Endpoint) error {
		if e.State == was.State {
			e.State, e.StateReason = webhook.EndpointHeld, "resumed by "+d.By+"; its oldest delivery goes first"
		}
		return nil
	})
}

// deleteEndpoint is done once the registry has forgotten the endpoint: from then on nothing goes to
// it. Its deliveries are told right away that they have ended; if Temporal cannot be reached, they
// find out themselves at their next turn. That is no error for the app, whose repeat would only
// learn that the endpoint is gone.
func (g *Gateway) deleteEndpoint(ctx context.Context, in *EndpointPath) (*struct{}, error) {
	if err := g.cfg.Registry.DeleteEndpoint(ctx, in.Tenant, in.ID); err != nil {
		return nil, problem.Lookup("endpoint", in.ID, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptTimeout) // it is this request's to do
	defer cancel()
	end := webhook.End{Kind: webhook.EndDeleted, Instruction: webhook.Instruction{By: subject(ctx), Reason: "the endpoint was deleted"}}
	if err := g.cfg.Approvals.End(ctx, in.Tenant, in.ID, end); err != nil {
		g.cfg.Logger.WarnContext(ctx, "endpoint deleted, its deliveries not told",
			slog.String("tenant", in.Tenant), slog.String("endpoint", in.ID), slog.Any("error", err))
	}
	return nil, nil
}

// approvalErr gives an error of Approvals its meaning: with a code it is an answer, without one
// Temporal is out of reach.
func approvalErr(endpointID string, err error) error {
	if err == nil || webhook.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("approval of %s: %w", endpointID, problem.Away("Temporal", err))
}
