package terminal

import (
	"time"

	"hookloop/internal/webhook"
)

// ParseTime reads the value of a flag: a time in RFC 3339, a day, or how long ago. No text is the
// zero time.
func ParseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := webhook.ParseMoment(text, now)
	if err != nil {
		return t, Usage("%s %s", flag, webhook.MomentForms)
	}
	return t, nil
}

// UTC writes a time as the API does, to the second.
func UTC(t time.Time) string { return t.UTC().Format(time.RFC3339) }
