package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// Unverified is the code of a request that does not prove whom it is from.
const Unverified webhook.Code = "unverified"

// refuse answers a request that is not, or not wholly, accepted. What comes again later gets 503, but
// a third party that would forget what we answered with an error finds its connection broken off.
func (in *ingestion) refuse(c *gin.Context, err error) {
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		in.log("refused", refusal.Reason)
		in.count("refused")
		refusalProblem(refusal).write(c)
		return
	}
	if bad, ok := errors.AsType[*badItems](err); ok {
		in.log("bad events", bad.Error())
		in.count("bad_events")
		bad.problem().write(c)
		return
	}
	if code := webhook.CodeOf(err); code != "" && code != Unavailable {
		in.log("refused", string(code))
		in.count("refused")
		in.gateway.problem(c.Request.Context(), err).write(c)
		return
	}
	if errors.Is(err, source.ErrUnavailable) {
		err = &unavailableError{what: "What this request is verified with", cause: err}
	}
	in.log("unavailable", err.Error())
	in.count("unavailable")
	p := in.gateway.problem(c.Request.Context(), err)
	if in.source.Provider == "" || source.LosesOnError(in.source.Provider) {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	p.write(c)
}

// refusalProblem tells a stranger the same whatever is wrong: what it was stands in the log.
func refusalProblem(r *source.Refusal) *Problem {
	p := &Problem{Type: "about:blank", Title: http.StatusText(r.Status), Status: r.Status, Code: Unverified, Detail: "the request could not be verified"}
	if r.Status == http.StatusBadRequest {
		p.Code, p.Detail = webhook.BadJSON, r.Reason
	}
	return p
}

// badItems is what of a request could not be accepted, and never can be. The others of it were.
type badItems struct {
	of  int
	bad map[int]error // by their place, from 0
}

// maxBadItems bounds how many are told of.
const maxBadItems = 10

func (b *badItems) problem() *Problem {
	p := newProblem(webhook.Invalid, fmt.Sprintf("%d of %d events cannot be accepted", len(b.bad), b.of))
	if len(b.bad) < b.of {
		p.Detail += "; the others were"
	}
	for _, i := range slices.Sorted(maps.Keys(b.bad)) {
		if len(p.Errors) == maxBadItems {
			break
		}
		message := b.bad[i].Error()
		if said, ok := errors.AsType[*webhook.Error](b.bad[i]); ok {
			message = said.Message
		}
		p.Errors = append(p.Errors, FieldError{Field: at("events", i), Message: message})
	}
	return p
}

func (b *badItems) Error() string { return b.problem().Detail }
