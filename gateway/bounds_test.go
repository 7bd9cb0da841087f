package gateway_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
)

// TestAllFaultsOfABodyAreToldAtOnce, and each in a sentence that goes on where the field's name
// stops.
func TestAllFaultsOfABodyAreToldAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := refused(t, r.do("POST", "/endpoints", `{
		"colour":"red","description":7,"timeout":"1h","event_types":["a.b",5],"headers":{"a":1},"echo":"yes","schedule":[],
		"rate_limit":{"per_second":0,"burst":1.5,"per_hour":1},"approval":[],"request":{"method":"GET","body":""}}`), 422, api.InvalidField)
	require.Regexp(t, `^is not a field here \(application, approval, (\w+, )*timeout, url\)$`, p.Errors[0].Message)
	require.Equal(t, []api.FieldError{
		{Field: "colour", Message: p.Errors[0].Message},
		{Field: "url", Message: "is required"},
		{Field: "approval", Message: `must be an object like {"after":"1h","timeout":"168h"}`},
		{Field: "description", Message: "must be a string"},
		{Field: "echo", Message: `must be an object like {"key":".data.id","value":".data | {name, email}"}, true or false`},
		{Field: "event_types[1]", Message: "must be a string"},
		{Field: "headers", Message: "must be an object of strings"},
		{Field: "rate_limit.per_hour", Message: "is not a field here (burst, per_second)"},
		{Field: "rate_limit.burst", Message: "must be a whole number"},
		{Field: "rate_limit.per_second", Message: "must lie between 0.001 and 10000"},
		{Field: "request.body", Message: `must be a jq expression like ".data.id"`},
		{Field: "request.method", Message: "must be one of POST, PUT, PATCH, DELETE"},
		{Field: "schedule", Message: "has 0 entries, at least 1 must be there"},
		{Field: "timeout", Message: `must lie between "1s" and "30s"`},
	}, p.Errors)
	require.Equal(t, "colour "+p.Errors[0].Message, p.Detail)
}

// TestRefusalsQuoteNothing: a value in the wrong place may be a secret.
func TestRefusalsQuoteNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com"}`)
	for _, value := range []string{`"s3cr3t !"`, `["s3cr3t !"]`, `{"key":["s3cr3t"]}`, `{"per_second":"s3cr3t","after":"s3cr3t","method":"s3cr3t"}`} {
		for _, field := range []string{"url", "event_types", "schedule", "timeout", "rate_limit", "approval", "echo", "request", "secret"} {
			body := `{"` + field + `":` + value + `}`
			for _, w := range []string{
				r.do("POST", "/endpoints", body).Body.String(), r.do("PATCH", "/endpoints/"+id, body).Body.String(),
				r.do("POST", "/endpoints/"+id+"/secret/rotate", `{"overlap":`+value+`}`).Body.String(),
				r.do("POST", "/endpoints/"+id+"/recover", `{"since":`+value+`}`).Body.String(),
			} {
				require.NotContains(t, w, "s3cr3t", body)
			}
		}
	}
}

func TestBodiesNestAndRepeatNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for body, field := range map[string]string{
		`{"url":"https://a.example","metadata":{"a":"1","a":"2"}}`:                                                     "metadata",
		`{"url":"https://a.example","url":"https://b.example"}`:                                                        "url",
		`{"url":"https://a.example","echo":` + strings.Repeat(`{"key":`, 60) + "1" + strings.Repeat("}", 60) + `}`:     "",
		`{"url":"https://a.example","request":{"path":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}`: "",
	} {
		p := refused(t, r.do("POST", "/endpoints", body), 422, api.InvalidField)
		if field != "" {
			require.Equal(t, field, p.Errors[0].Field)
		}
		require.LessOrEqual(t, len(p.Errors[0].Field), 110)
	}
}

// TestChangesMerge is RFC 7396, in the whole and in parts.
func TestChangesMerge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com","application":"crm","echo":{"key":".data.id","value":".data"},"rate_limit":{"per_second":3}}`)
	for _, c := range []struct{ change, echo, limit string }{
		{`{"echo":{"value":".data.name"}}`, `{"key":".data.id","value":".data.name"}`, `{"per_second":3,"burst":3}`},
		{`{"echo":true,"rate_limit":{"burst":9}}`, `true`, `{"per_second":3,"burst":9}`},
		{`{"echo":null,"rate_limit":{"per_second":5,"burst":null}}`, ``, `{"per_second":5,"burst":5}`},
	} {
		w := r.do("PATCH", "/endpoints/"+id, c.change)
		require.Equal(t, 200, w.Code, w.Body)
		require.Equal(t, c.echo != "", strings.Contains(w.Body.String(), `"echo":`+c.echo), w.Body)
		require.Contains(t, w.Body.String(), `"rate_limit":`+c.limit)
	}
	refused(t, r.do("PATCH", "/endpoints/"+id, `{"rate_limit":{"per_second":null}}`), 422, api.InvalidField)
	refused(t, r.do("PATCH", "/endpoints/"+id, `{"url":null}`), 422, api.InvalidField)
}
