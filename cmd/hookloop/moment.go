package main

import (
	"time"

	"hookloop/internal/webhook"
)

// momentFlag reads a time, a day, or how long ago; nothing is no time.
func momentFlag(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := webhook.ParseMoment(text, now)
	if err != nil {
		return t, usage("%s %s", flag, webhook.MomentForms)
	}
	return t, nil
}
