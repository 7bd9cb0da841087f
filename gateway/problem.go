package gateway

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"hookloop/internal/webhook"
)

const problemType = "application/problem+json"

// Problem is the body of every error answer (RFC 9457). Programs look at Code, people at Detail.
type Problem struct {
	Type   string       `json:"type" doc:"Always about:blank: the code says more than a type could." example:"about:blank"`
	Title  string       `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status int          `json:"status" example:"422"`
	Detail string       `json:"detail" doc:"What is wrong, for a person." example:"url must begin with http:// or https://"`
	Code   webhook.Code `json:"code" doc:"What is wrong, for a program; it never changes." example:"invalid_field"`
	Errors []FieldError `json:"errors,omitempty" doc:"The fields to blame."`

	more http.Header // that goes with it
}

// FieldError blames one field, parameter or header of the request.
type FieldError struct {
	Field   string `json:"field" example:"url"`
	Message string `json:"message" doc:"Goes on where the field's name stopped." example:"must begin with http:// or https://"`
}

func newProblem(c webhook.Code, detail string) *Problem {
	status, known := statuses[c]
	if !known {
		c, status = Internal, http.StatusInternalServerError
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: c}
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells huma the headers.
func (p *Problem) GetHeaders() http.Header { return p.header() }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

// write answers with the problem outside huma: unknown routes, panics, middleware.
func (p *Problem) write(c *gin.Context) {
	maps.Copy(c.Writer.Header(), p.header())
	body, _ := json.Marshal(p) // strings and a number always marshal
	c.Data(p.Status, problemType, append(body, '\n'))
	c.Abort()
}

// ownProblems turns huma's errors, which have no code, into ours. Huma only ever finds fault with
// path, query and header parameters: bodies are read by our own parsers.
func ownProblems(_ huma.Context, _ string, body any) (any, error) {
	theirs, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	if theirs.Status != http.StatusUnprocessableEntity {
		return newProblem(Internal, "something went wrong on our side; it has been logged"), nil
	}
	p := newProblem(webhook.Invalid, theirs.Detail)
	for _, d := range theirs.Errors {
		_, field, _ := strings.Cut(d.Location, ".") // "query.limit"; the value is not echoed
		p.Errors = append(p.Errors, FieldError{Field: shortened(field), Message: d.Message})
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Field + ": " + p.Errors[0].Message
	}
	return p, nil
}

// noRoute and noMethod answer what no operation takes.
func noRoute(c *gin.Context) {
	newProblem(webhook.NotFound, "there is nothing at this path").write(c)
}

func noMethod(c *gin.Context) {
	newProblem(MethodNotAllowed, "this path does not take "+methodLabel(c.Request.Method)).write(c)
}

var errPanic = errors.New("panic")
