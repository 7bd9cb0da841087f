package main

import "time"

// momentFlag reads a time, or how long ago; nothing is no time.
func momentFlag(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseMoment(text, now)
	if err != nil {
		return t, usage("%s takes a time like 2026-01-31T12:00:00Z, or how long ago: 24h", flag)
	}
	return t, nil
}

// parseMoment reads a time, or a duration that lies before now.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil {
		return now.Add(-ago).UTC(), nil
	}
	return time.Parse(time.RFC3339, s)
}
