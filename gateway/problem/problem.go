// Package problem makes error answers: it decides which status and which words an error has for the
// client, and what of it only the log may say. The gateway and its parts call it.
package problem

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// Problem is an error answer on its way.
type Problem struct {
	api.Problem

	more http.Header // that goes with it
}

// New makes the problem of a code.
func New(c webhook.Code, detail string) *Problem {
	status, known := statuses[c]
	if !known {
		c, status = api.Internal, http.StatusInternalServerError
	}
	return &Problem{Problem: api.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: c}}
}

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells huma the headers.
func (p *Problem) GetHeaders() http.Header { return p.Header() }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return api.ProblemType }

// Write answers with the problem outside huma: unknown routes, panics, middleware.
func (p *Problem) Write(c *gin.Context) {
	maps.Copy(c.Writer.Header(), p.Header())
	body, _ := json.Marshal(p) // strings and a number always marshal
	c.Data(p.Status, api.ProblemType, append(body, '\n'))
	c.Abort()
}

// Refuse answers with the problem of err where there is no gin.
func Refuse(w http.ResponseWriter, _ *http.Request, err error) {
	p := New(api.Internal, "something went wrong on our side")
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		p = New(said.Code, said.Error())
	}
	maps.Copy(w.Header(), p.Header())
	w.Header().Set("Content-Type", api.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// Invalid blames fields.
func Invalid(faults []api.FieldError) *Problem {
	p := New(webhook.Invalid, "")
	p.Errors = faults
	if len(faults) > 0 {
		p.Detail = faults[0].Field + " " + faults[0].Message
	}
	return p
}

// Header is what goes with a problem besides its body.
func (p *Problem) Header() http.Header {
	h := http.Header{}
	maps.Copy(h, p.more)
	switch p.Code { //nolint:exhaustive // the other codes need no header
	case api.Unavailable:
		h.Set("Retry-After", "5")
	case api.Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="hookloop", error="invalid_token", error_description="`+quotable(p.Detail)+`"`)
	case api.MissingScope:
		h.Set("WWW-Authenticate", `Bearer realm="hookloop", error="insufficient_scope"`)
	default:
	}
	return h
}

// quotable leaves out what may not stand between the quotes of a header (RFC 6750).
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}
