package api

import "hookloop/internal/webhook"

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// Problem is the body of every error answer (RFC 9457). Programs look at Code, people at Detail.
type Problem struct {
	Type   string       `json:"type" doc:"Always about:blank: the code says more than a type could." example:"about:blank"`
	Title  string       `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status int          `json:"status" doc:"The status of the answer." example:"422"`
	Detail string       `json:"detail" doc:"What is wrong, for a person." example:"url must begin with http:// or https://"`
	Code   Code         `json:"code" doc:"What is wrong, for a program; a code never changes its meaning." example:"invalid_field"`
	Errors []FieldError `json:"errors,omitempty" doc:"The fields to blame."`
}

func (p *Problem) Error() string { return p.Detail }

// FieldError blames one field, parameter or header of the request.
type FieldError struct {
	Field   string `json:"field" example:"url"`
	Message string `json:"message" doc:"Goes on where the field's name stopped." example:"must begin with http:// or https://"`
}

// Code names a kind of problem for programs.
type Code = webhook.Code

// The codes, by the status they come with.
const (
	BadJSON                   = webhook.BadJSON          // 400
	Unauthenticated      Code = "unauthenticated"        // 401: no token, or one that proves nothing
	Unverified           Code = "unverified"             // 401, or as its provider wants it: a third party did not prove who they are
	WrongTenant          Code = "wrong_tenant"           // 403: the token does not speak for the tenant
	MissingScope         Code = "missing_scope"          // 403
	OutOfReach           Code = "out_of_reach"           // 403: the token is confined to endpoints, and this is not about them
	NotFound                  = webhook.NotFound         // 404
	MethodNotAllowed     Code = "method_not_allowed"     // 405
	RequestTimeout       Code = "request_timeout"        // 408: the body did not arrive in time
	Conflict                  = webhook.Conflict         // 409: not possible as things stand
	EndpointIsDisabled        = webhook.Disabled         // 409: nothing goes to the endpoint
	OnLegalHold               = webhook.OnLegalHold      // 409: it must not be erased
	IdempotencyConflict  Code = "idempotency_conflict"   // 409: the Idempotency-Key was used for something else
	HistoryExpired            = webhook.Expired          // 410
	Erased                    = webhook.Erased           // 410: a person had it erased
	PayloadTooLarge      Code = "payload_too_large"      // 413
	UnsupportedMediaType Code = "unsupported_media_type" // 415
	InvalidField              = webhook.Invalid          // 422
	QuotaExceeded        Code = "quota_exceeded"         // 429: the tenant has had its share
	Internal             Code = "internal"               // 500
	Unavailable          Code = "unavailable"            // 503: Temporal or the registry cannot be reached
	Overloaded           Code = "overloaded"             // 503: more comes than can be accepted now
)
