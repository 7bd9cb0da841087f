package webhook

import "net/http"

// Class is what an attempt says of its endpoint.
type Class string

// The classes. An endpoint that fails opens its breaker, begins an episode and fails a probe. Only
// one that took an event has recovered. One that refuses an event says nothing of itself: the event
// may be at fault.
const (
	Took    Class = "took"
	Fails   Class = "fails"
	Refuses Class = "refuses"
)

// Class judges the endpoint. What becomes of the delivery is Decide's to say.
func (a Attempt) Class() Class { return classOf(a.StatusCode, a.Failure, a.Directive) }

// Class is that of the attempt the answer is of.
func (a Answer) Class() Class { return classOf(a.StatusCode, a.Failure, a.Directive) }

// classOf has the one table of which answers count how; README shows it to people. A client error
// is about the event, unless it says that the address, the credentials or the moment are wrong.
func classOf(status int, f Failure, d Directive) Class {
	switch {
	case f == FailureRequest:
		return Refuses
	case f != "":
		return Fails
	case status/100 == 2:
		return Took
	case d == DirectiveDisable, status/100 != 4:
		return Fails
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusGone, http.StatusMisdirectedRequest,
		http.StatusUpgradeRequired, http.StatusTooManyRequests, http.StatusUnavailableForLegalReasons:
		return Fails
	}
	return Refuses
}
