package wellformed

import (
	"time"

	"hookloop/internal/webhook"
)

// Period reads both ends of one, in UTC; an end that is not given is the zero time.
func Period(after, before string, now time.Time) (from, to time.Time, err error) {
	if from, err = Moment("after", after, now); err != nil {
		return from, to, err
	}
	to, err = Moment("before", before, now)
	return from, to, err
}

// Moment reads a time of a question; nothing is no time.
func Moment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := webhook.ParseMoment(text, now)
	if err != nil {
		return t, webhook.Invalidf(field, "%s", webhook.MomentForms)
	}
	return t, nil
}

// UTC refuses the hours at either end of time that have no year of four digits in UTC.
func UTC(field string, t time.Time) (time.Time, error) {
	if u := t.UTC(); u.Year() >= 1 && u.Year() <= 9999 {
		return u, nil
	}
	return time.Time{}, webhook.Invalidf(field, "must lie between the years 1 and 9999 in UTC")
}
