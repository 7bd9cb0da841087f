package webhook

import (
	"errors"
	"fmt"
)

// Code names a kind of refusal for machines. It is wire format: the "code" of a problem+json.
type Code string

// The codes the language itself gives. gateway/errors.go maps each to a status.
const (
	BadJSON  Code = "invalid_json"
	Invalid  Code = "invalid_field"
	NotFound Code = "not_found"
	Conflict Code = "conflict"
	Disabled Code = "endpoint_disabled" // nothing is sent to it until a person resumes it
	Expired  Code = "history_expired"   // the history that held it was deleted after its retention
	Erased   Code = "erased"            // a person had it erased

	OnLegalHold Code = "legal_hold" // a person forbade to erase it
)

// Error is a refusal for the caller to read: a code for machines, a sentence for people and, where
// one field is to blame, its name. An error without a code is ours and stays in the log.
type Error struct {
	Code    Code
	Field   string
	Message string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + " " + e.Message
}

// Errorf makes an Error about the whole request.
func Errorf(c Code, format string, args ...any) error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// Invalidf makes an Error about one field; the message goes on where the field's name stopped.
func Invalidf(field, format string, args ...any) error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// CodeOf finds the code in a chain of errors; empty when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
