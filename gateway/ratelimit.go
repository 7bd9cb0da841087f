package gateway

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// spent is a limit of which nothing is left, in the words of draft-ietf-httpapi-ratelimit-headers-11.
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
