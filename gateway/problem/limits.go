package problem

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"hookloop/api"
	"hookloop/internal/admission"
	"hookloop/internal/quota"
)

// quotaUnits are what the quotas count, where it is not requests.
var quotaUnits = map[string]string{
	quota.Bytes: "content-bytes", quota.Reads: "concurrent-requests",
	quota.Endpoints: "endpoints", quota.Sources: "sources", quota.OpenDeliveries: "deliveries", quota.PortalLinks: "links",
}

// Exceeded is what a refused client reads. A read that is refused for others' sake is the machine's
// state and not the client's fault.
func Exceeded(r *quota.Refusal) *Problem {
	p := New(api.QuotaExceeded, "the tenant's quota of "+r.Quota+" is spent; try again later")
	switch {
	case r.Busy:
		p = New(api.Overloaded, "more is asked than can be read right now; try again")
	case r.Quota == quota.Endpoints, r.Quota == quota.Sources:
		p = New(api.QuotaExceeded, fmt.Sprintf("the tenant has as many %s as it may, %d; delete one, or have the quota raised", r.Quota, r.Limit))
	case r.Quota == quota.PortalLinks:
		p = New(api.QuotaExceeded, fmt.Sprintf("the tenant has as many live portal links as it may, %d; revoke some, wait until some have expired, or have the quota raised", r.Limit))
	case r.Quota == quota.PortalRequests:
		p = New(api.QuotaExceeded, "too much was asked with this link or token in a short time; try again in a moment")
	}
	p.more = spent{policy: r.Quota, unit: quotaUnits[r.Quota], quota: r.Limit, window: r.Window, retry: r.Retry}.header()
	return p
}

// Overloaded is what a refused client reads: when to come again, that the quota is of requests
// under way at once, of all clients together, and that none is left.
func Overloaded(r *admission.Refusal) *Problem {
	p := New(api.Overloaded, "more events come than can be accepted right now; try again")
	p.more = spent{policy: "acceptances", unit: "concurrent-requests", quota: int64(r.Limit), retry: r.Retry}.header()
	return p
}

// IsLimit says whether an answer was such a refusal: the log does not grow with a flood.
func IsLimit(h http.Header) bool { return h.Get("RateLimit") != "" }

// spent is a limit of which nothing is left, in the words of
// draft-ietf-httpapi-ratelimit-headers-11.
type spent struct {
	policy string // its name
	unit   string // of what; empty: of requests
	quota  int64
	window time.Duration // in which there are so many; zero: at any time
	retry  time.Duration // when there should be room
}

// header tells a client how many there may be, that none is left, and when to come again.
func (s spent) header() http.Header {
	seconds := strconv.FormatInt(max(int64(math.Ceil(s.retry.Seconds())), 1), 10)
	policy := fmt.Sprintf(`"%s";q=%d`, s.policy, s.quota)
	if s.unit != "" {
		policy += fmt.Sprintf(`;qu="%s"`, s.unit)
	}
	if s.window > 0 {
		policy += fmt.Sprintf(`;w=%d`, int64(s.window.Seconds()))
	}
	return http.Header{
		"Retry-After":      {seconds},
		"Ratelimit-Policy": {policy},
		"Ratelimit":        {fmt.Sprintf(`"%s";r=0;t=%s`, s.policy, seconds)},
	}
}
