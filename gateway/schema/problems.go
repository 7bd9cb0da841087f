package schema

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
)

// whenRefused says what each code means, for the OpenAPI document.
var whenRefused = map[api.Code]string{
	api.BadJSON:              "the body is not one JSON object.",
	api.Unauthenticated:      "no token, or one that proves nothing.",
	api.WrongTenant:          "the token does not speak for this tenant.",
	api.MissingScope:         "the token lacks the operation's scope.",
	api.OutOfReach:           "the token is confined to some endpoints, and this is not about them.",
	api.NotFound:             "there is no such thing, or it is another tenant's.",
	api.RequestTimeout:       "the body did not arrive in time.",
	api.Conflict:             "it is not possible as things stand; the detail says why.",
	api.EndpointIsDisabled:   "nothing goes to the endpoint until it is resumed.",
	api.IdempotencyConflict:  "the Idempotency-Key was used with another body, or what it made was deleted.",
	api.Erased:               "the event's data was erased, or is being erased; the detail says who asked for it.",
	api.OnLegalHold:          "a legal hold forbids to erase it.",
	api.HistoryExpired:       "the event's history is no longer kept, and its data with it.",
	api.PayloadTooLarge:      "the body is larger than 1048576 bytes.",
	api.UnsupportedMediaType: "the body must be sent as JSON, in UTF-8, uncompressed.",
	api.InvalidField:         "the errors name the fields, parameters or headers to blame.",
	api.QuotaExceeded:        "the tenant has had its share; nothing was done.",
	api.Internal:             "something went wrong on our side; it has been logged.",
	api.Unavailable:          "Temporal or the registry cannot be reached; try again after Retry-After.",
	api.Overloaded:           "more events come than can be accepted; nothing was.",
}

// Problems documents codes, by status, each with an example.
func Problems(r huma.Registry, codes []api.Code) map[string]*huma.Response {
	all := map[string]*huma.Response{}
	for _, code := range slices.Sorted(slices.Values(codes)) {
		p := problem.New(code, strings.TrimSuffix(whenRefused[code], "."))
		status := strconv.Itoa(p.Status)
		if all[status] == nil {
			all[status] = &huma.Response{Content: map[string]*huma.MediaType{
				api.ProblemType: {Schema: refTo[api.Problem](r), Examples: map[string]*huma.Example{}},
			}}
		}
		all[status].Content[api.ProblemType].Examples[string(code)] = &huma.Example{Value: p.Problem}
		all[status].Description = strings.TrimSpace(all[status].Description + " `" + string(code) + "`: " + whenRefused[code])
	}
	addLimitHeaders(all)
	return all
}

// addLimitHeaders documents what comes with the refusals that end by themselves.
func addLimitHeaders(all map[string]*huma.Response) {
	if r := all[strconv.Itoa(http.StatusTooManyRequests)]; r != nil {
		r.Headers = limitHeaders("How many there may be, and in how many seconds.", `"posts";q=1000;w=1`, "None is left, and when one should be.", `"posts";r=0;t=1`)
	}
	r := all[strconv.Itoa(http.StatusServiceUnavailable)]
	if r == nil {
		return
	}
	headers := limitHeaders(
		"With `overloaded`: how many events may be under way to acceptance at once, of all clients together, as things are.", `"acceptances";q=32;qu="concurrent-requests"`,
		"With `overloaded`: none is left, and when one should be.", `"acceptances";r=0;t=1`)
	if r.Content[api.ProblemType].Examples[string(api.Overloaded)] == nil {
		delete(headers, "RateLimit")
		delete(headers, "RateLimit-Policy")
	}
	r.Headers = headers
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
