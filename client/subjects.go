package client

import (
	"net/http"

	"hookloop/api"
)

// Subjects are whom events concern, in the words of the apps that posted them.
type Subjects struct{ scope }

// Erase erases some of a subject's events; Next of the answer, given as After, leads to the others.
func (s Subjects) Erase(e api.SubjectErasure) Call[api.SubjectErased] {
	return call[api.SubjectErased](s.scope, http.MethodPost, "subjects", "erase").with(e)
}

// Hold forbids to erase what concerns a subject.
func (s Subjects) Hold(o api.SubjectHoldOrder) Call[api.Hold] {
	return call[api.Hold](s.scope, http.MethodPost, "subjects", "hold").with(o)
}

// Unhold allows it again.
func (s Subjects) Unhold(o api.SubjectHoldOrder) Call[api.Hold] {
	return call[api.Hold](s.scope, http.MethodPost, "subjects", "unhold").with(o)
}
