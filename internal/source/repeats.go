package source

import (
	"strconv"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// repeats says when an item without an id is a repeat of one that came before. It is part of the
// config of every provider that may send such items, and plays no part for items with an id.
type repeats struct {
	Repeats string `json:"repeats,omitempty"` // empty: repeatsWindow
	Window  string `json:"repeats_window,omitempty"`
}

// The choices for items without an id.
const (
	repeatsWindow  = "window"  // the same content within a while is a repeat
	repeatsContent = "content" // the same content is a repeat for as long as it is remembered
	repeatsNone    = "none"    // nothing is a repeat
)

// How long the same content is a repeat, unless a source says otherwise: longer than the third
// party goes on sending what we did not take, where that is known.
const (
	usualWindow   = 10 * time.Minute
	shopifyWindow = 5 * time.Hour      // it repeats for four hours
	xWindow       = 24 * time.Hour     // it does not say; its elements hold times
	mauticWindow  = 7 * 24 * time.Hour // from 7 on it repeats after one hour, then two, then three
	metaWindow    = 8 * 24 * time.Hour // it repeats for seven days
)

// maxWindow bounds what a source may ask for.
const maxWindow = 90 * 24 * time.Hour

// Never is Item.SameFor of an item that is an event of its own whenever it comes.
const Never time.Duration = -1

func (r repeats) checkRepeats() error {
	switch r.Repeats {
	case "", repeatsWindow, repeatsContent, repeatsNone:
	default:
		return webhook.Invalidf("config.repeats", "must be window, content or none")
	}
	if r.Window == "" {
		return nil
	}
	if r.Repeats == repeatsContent || r.Repeats == repeatsNone {
		return webhook.Invalidf("config.repeats_window", "is for repeats window")
	}
	if d, err := time.ParseDuration(r.Window); err != nil || d < time.Second || d > maxWindow {
		return webhook.Invalidf("config.repeats_window", `must be a duration like "10m", between 1s and %dh`, int(maxWindow.Hours()))
	}
	return nil
}

// sameFor is how long the same content is the same event.
func (r repeats) sameFor(usual time.Duration) time.Duration {
	switch r.Repeats {
	case repeatsContent:
		return 0
	case repeatsNone:
		return Never
	}
	if d, err := time.ParseDuration(r.Window); err == nil {
		return d
	}
	return usual
}

// identity joins what tells an event apart, so that no two lists give the same text.
func identity(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = strconv.Quote(p)
	}
	return strings.Join(quoted, " ")
}
