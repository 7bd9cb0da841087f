package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/internal/admission"
	"hookloop/internal/webhook"
)

// Overloaded is the code of a request that would accept or redeliver an event while more of that is asked
// than the machine carries.
const Overloaded webhook.Code = "overloaded"

// newcomer stands for a tenant that has nothing under way, where it is not yet known whose a request is.
const newcomer = ""

// admits is the middleware of an operation that accepts or redelivers: what would be refused anyway is
// refused before its body is read.
func (g *Gateway) admits(c huma.Context, next func(huma.Context)) {
	if err := g.gate.Full(c.Param("tenant")); err != nil {
		g.fail(c, err)
		return
	}
	next(c)
}

// admit gives a place among the acceptances; leave gives it back, with what came of it. A patient one waits
// for as long as ctx does.
func (g *Gateway) admit(ctx context.Context, tenant string, patient bool) (leave func(error), err error) {
	place, err := g.gate.Enter(ctx, tenant, patient)
	if err != nil {
		return nil, err
	}
	return func(err error) {
		place.Leave(errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled))
	}, nil
}

// overloaded is what a refused client reads: when to come again, that the quota is of requests under way at
// once, of all clients together, and that none is left.
func overloaded(r *admission.Refusal) *Problem {
	p := newProblem(Overloaded, "more events come than can be accepted right now; try again")
	p.more = spent{policy: "acceptances", unit: "concurrent-requests", quota: int64(r.Limit), retry: r.Retry}.header()
	return p
}

// isOverload says whether an answer was such a refusal: the log does not grow with a flood.
func isOverload(h http.Header) bool { return h.Get("RateLimit") != "" }

// documentAdmission adds to an operation what admits and admit may answer.
func documentAdmission(op *huma.Operation) {
	if op.Metadata[admitted] == nil {
		return
	}
	r := op.Responses[strconv.Itoa(http.StatusServiceUnavailable)]
	r.Description += " `overloaded`: more events come than can be accepted; nothing was."
	r.Headers = limitHeaders(
		"With `overloaded`: how many events may be under way to acceptance at once, of all clients together, as things are.", `"acceptances";q=32;qu="concurrent-requests"`,
		"With `overloaded`: none is left, and when one should be.", `"acceptances";r=0;t=1`)
}

// limitHeaders documents those of spent.
func limitHeaders(policy, policyExample, left, leftExample string) map[string]*huma.Param {
	text := func(description, example string) *huma.Param {
		return &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
	}
	return map[string]*huma.Param{
		"Retry-After":      {Description: "Seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}, Example: 1},
		"RateLimit-Policy": text(policy, policyExample),
		"RateLimit":        text(left, leftExample),
	}
}

// admitted marks, in an operation's metadata, one that needs a place.
const admitted = "admitted"
