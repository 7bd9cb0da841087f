package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// shownBody bounds an answer's body in the picture, in characters: one line of a terminal. --json
// has all that was kept.
const shownBody = 100

func (g *gateway) showEvent(w io.Writer, e api.Event) error {
	now := time.Now()
	picture := eventPicture{e, func(t time.Time) string { return terminal.Stamp(w, t, now) }}
	_, err := io.WriteString(w, picture.text(now)+g.workflowLink(e.WorkflowID, e.RunID))
	return err
}

// eventPicture is an event for people.
type eventPicture struct {
	api.Event

	stamp func(time.Time) string
}

// text has a line for the event, each delivery and each attempt.
func (e eventPicture) text(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", terminal.OneLine(e.ID), terminal.OneLine(e.Type), because(string(e.Status), e.Reason))
	fmt.Fprintf(&b, "happened %s\n", e.stamp(e.Timestamp))
	e.provenance(&b)
	if len(e.Deliveries) == 0 {
		b.WriteString(e.whyNone())
	}
	for _, d := range e.Deliveries {
		fmt.Fprintf(&b, "\n%s  %s\n", named(d.EndpointID, d.Endpoint), because(string(d.Status), d.Reason))
		for _, a := range d.Attempts {
			fmt.Fprintf(&b, "  %2d  %s  %s\n", a.Number, e.stamp(a.At), outcome(a))
		}
		if at := d.NextAttemptAt; at != nil {
			fmt.Fprintf(&b, "  next attempt %s (%s)\n", terminal.UTC(*at), until(now, *at))
		}
	}
	return b.String()
}

// provenance tells where the event came from, and who did not get it for that.
func (e eventPicture) provenance(w io.Writer) {
	application := "its application"
	if o := e.Origin; o != nil {
		application = cmp.Or(terminal.OneLine(o.Application), application)
		if provider, id := terminal.OneLine(o.Provider), terminal.OneLine(o.SourceID); o.Repeats != "" {
			_, _ = fmt.Fprintf(w, "repeats %s: by what %s, source %s, sent, %s had lost that\n", terminal.OneLine(o.Repeats), provider, id, application)
		} else {
			_, _ = fmt.Fprintf(w, "came from %s, source %s, their key %s\n", provider, id, terminal.OneLine(o.Key))
		}
	}
	if e.Origin.IsEcho() {
		_, _ = fmt.Fprintf(w, "echo of %s, sent to %s with the same value: it is not delivered\n", terminal.OneLine(e.Origin.EchoOf), application)
	}
	if len(e.Withheld) > 0 {
		_, _ = fmt.Fprintf(w, "withheld from %s: what came from %s does not go back to it\n", terminal.OneLine(strings.Join(e.Withheld, ", ")), application)
	}
	if e.Hops > 0 {
		_, _ = fmt.Fprintf(w, "passed through Hookloop %s before\n", terminal.Count(e.Hops, "time"))
	}
}

// whyNone says why there are no deliveries; of an echo that is said already.
func (e eventPicture) whyNone() string {
	switch {
	case e.Origin.IsEcho():
		return ""
	case len(e.Withheld) > 0:
		return "\nno other endpoint took this type when it was accepted\n"
	}
	return "\nno endpoint took this type when it was accepted\n"
}

// because adds a reason to a status, unless it says both: "paused by alice".
func because(status, reason string) string {
	switch {
	case reason == "":
		return terminal.OneLine(status)
	case strings.HasPrefix(reason, status+" "):
		return terminal.OneLine(reason)
	}
	return terminal.OneLine(status + ": " + reason)
}

func outcome(a api.Attempt) string {
	line := fmt.Sprintf("%d after %d ms", a.StatusCode, a.DurationMS)
	if a.StatusCode == 0 {
		line = fmt.Sprintf("no answer after %d ms", a.DurationMS)
	}
	if a.Error != "" {
		line += ": " + a.Error
	}
	if body := strings.Join(strings.Fields(a.ResponseBody), " "); body != "" && !a.Succeeded() {
		if r := []rune(body); len(r) > shownBody {
			body = string(r[:shownBody]) + "…"
		}
		line += "  " + body
	}
	return terminal.OneLine(line)
}

func until(now, at time.Time) string {
	if left := at.Sub(now).Round(time.Second); left > 0 {
		return "in " + left.String()
	}
	return "due"
}

// workflowLink leads to the workflow in the Temporal UI of `hookloop dev`; empty when there is
// none.
func (g *gateway) workflowLink(workflowID, runID string) string {
	if g.ui == "" || workflowID == "" || runID == "" {
		return ""
	}
	return "\nTemporal UI  " + g.ui + url.PathEscape(workflowID) + "/" + url.PathEscape(runID) + "/history\n"
}
