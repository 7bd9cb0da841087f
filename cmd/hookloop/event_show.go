package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// eventView is what the gateway tells of an event.
type eventView struct {
	ID         string                   `json:"id"`
	Type       string                   `json:"type"`
	Timestamp  time.Time                `json:"timestamp"`
	Status     webhook.EventStatus      `json:"status"`
	Reason     string                   `json:"reason"`
	Deliveries []webhook.DeliveryReport `json:"deliveries"`
	WorkflowID string                   `json:"workflow_id"`
	RunID      string                   `json:"run_id"`
}

// shownBody bounds an answer's body in the picture, in characters: one line of a terminal. --json
// has all that was kept.
const shownBody = 100

func showEvent(w io.Writer, o *clientOptions, gateway *gatewayClient, answer []byte) error {
	if o.asJSON {
		return printAnswer(w, answer)
	}
	e, err := decode[eventView](answer)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, e.picture(time.Now())+gateway.workflowLink(e.WorkflowID, e.RunID))
	return err
}

// picture is the event for people: a line for it, each delivery and each attempt.
func (e eventView) picture(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", oneLine(e.ID), oneLine(e.Type), because(string(e.Status), e.Reason))
	fmt.Fprintf(&b, "happened %s\n", utc(e.Timestamp))
	if len(e.Deliveries) == 0 {
		b.WriteString("\nno endpoint took this type when it was accepted\n")
	}
	for _, d := range e.Deliveries {
		fmt.Fprintf(&b, "\n%s  %s\n", oneLine(d.EndpointID), because(string(d.Status), d.Reason))
		for _, a := range d.Attempts {
			fmt.Fprintf(&b, "  %2d  %s  %s\n", a.Number, utc(a.At), outcome(a))
		}
		if at := d.NextAttemptAt; at != nil {
			fmt.Fprintf(&b, "  next attempt %s (%s)\n", utc(*at), until(now, *at))
		}
	}
	return b.String()
}

// because adds a reason to a status, unless it says both: "paused by alice".
func because(status, reason string) string {
	switch {
	case reason == "":
		return oneLine(status)
	case strings.HasPrefix(reason, status+" "):
		return oneLine(reason)
	}
	return oneLine(status + ": " + reason)
}

func outcome(a webhook.Attempt) string {
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
	return oneLine(line)
}

func until(now, at time.Time) string {
	if left := at.Sub(now).Round(time.Second); left > 0 {
		return "in " + left.String()
	}
	return "due"
}

// workflowLink leads to the workflow in the Temporal UI of `hookloop dev`; empty when there is none.
func (c *gatewayClient) workflowLink(workflowID, runID string) string {
	if c.ui == "" || workflowID == "" || runID == "" {
		return ""
	}
	return "\nTemporal UI  " + c.ui + url.PathEscape(workflowID) + "/" + url.PathEscape(runID) + "/history\n"
}
