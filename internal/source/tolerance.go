package source

import (
	"strconv"
	"time"

	"hookloop/internal/webhook"
)

// tolerance is how far a signed time may lie from ours, either way, as a Go duration. Empty:
// defaultTolerance.
type tolerance string

const (
	// defaultTolerance is what Stripe, Slack and Standard Webhooks name.
	defaultTolerance = 5 * time.Minute
	// maxTolerance bounds how long a caught request can be sent again.
	maxTolerance = 24 * time.Hour
)

func (t tolerance) check(field string) error {
	if d := t.duration(); d < time.Second || d > maxTolerance {
		return webhook.Invalidf(field, `must be a duration like "5m", between 1s and 24h`)
	}
	return nil
}

// duration is 0 where there is no duration to read.
func (t tolerance) duration() time.Duration {
	if t == "" {
		return defaultTolerance
	}
	d, _ := time.ParseDuration(string(t))
	return d
}

// fresh refuses a time in seconds since 1970 that is too far from now. One in the future is refused
// as well: a sender that can choose it could keep the request for later.
func (t tolerance) fresh(stamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return unverified("the time of the request is not a number of seconds")
	}
	switch at := time.Unix(seconds, 0); {
	case at.Before(now.Add(-t.duration())):
		return unverified("the time of the request is too far in the past")
	case at.After(now.Add(t.duration())):
		return unverified("the time of the request lies in the future")
	}
	return nil
}
