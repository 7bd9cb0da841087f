package terminal

import (
	"fmt"
	"io"
	"time"

	"github.com/mattn/go-isatty"
)

// IsTerminal says whether people read what is written to w, or type what is read from it. A stream
// may say so itself.
func IsTerminal(stream any) bool {
	switch s := stream.(type) {
	case interface{ IsTerminal() bool }:
		return s.IsTerminal()
	case interface{ Fd() uintptr }:
		return isatty.IsTerminal(s.Fd())
	}
	return false
}

// When writes a time: on a terminal how long ago or until, else as UTC.
func When(w io.Writer, t, now time.Time) string {
	if IsTerminal(w) {
		return Relative(t, now)
	}
	return UTC(t)
}

// Stamp writes a time as UTC, and on a terminal how far away it is.
func Stamp(w io.Writer, t, now time.Time) string {
	if IsTerminal(w) {
		return UTC(t) + " (" + Relative(t, now) + ")"
	}
	return UTC(t)
}

// Relative says how long ago something was, or when it will be. What is far away has its day.
func Relative(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0 && d > -far:
		return "in " + rough(-d)
	case d >= 0 && d < time.Second:
		return "just now"
	case d >= 0 && d < far:
		return rough(d) + " ago"
	}
	return t.UTC().Format(time.DateOnly)
}

const far = 14 * 24 * time.Hour

// rough writes a length of time in one unit.
func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
