package webhook

import (
	"errors"
	"strings"
	"time"
)

// MomentForms are what ParseMoment reads, for a person.
const MomentForms = `must be a time like "2026-01-31T12:00:00Z", a day like "2026-01-31" (from midnight, UTC), or how long ago, like "24h"`

var errMoment = errors.New(MomentForms)

// ParseMoment reads a point in time as people write it in a question: an RFC 3339 time, a day, or a
// duration before now. It answers in UTC, between the years 1 and 9999.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	t, err := moment(text, now)
	if t = t.UTC(); err != nil || t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errMoment
	}
	return t, nil
}

func moment(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		if ago < 0 {
			return now, errMoment
		}
		return now.Add(-ago), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	// a plus sign is a blank in a query
	return time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1))
}

// TimeOrNone gives a time where JSON has none for the zero time.
func TimeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
