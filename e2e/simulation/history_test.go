package simulation_test

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// history is what Temporal has of a workflow: which events, and when by the world's clock. It comes
// with what is violated.
func (w *world) history(id string) (lines []string) {
	c, err := client.Dial(client.Options{
		HostPort: w.engine.HostPort(), Namespace: w.engine.Namespace(),
		ConnectionOptions: client.ConnectionOptions{DialOptions: w.engine.DialOptions()},
	})
	if err != nil {
		return []string{err.Error()}
	}
	defer c.Close()
	events := c.GetWorkflowHistory(w.t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return append(lines, err.Error())
		}
		line := fmt.Sprintf("    %s %d %s", e.GetEventTime().AsTime().Sub(w.begun).Round(time.Millisecond), e.GetEventId(), e.GetEventType())
		if f := e.GetWorkflowTaskFailedEventAttributes(); f != nil {
			line += fmt.Sprintf(" %s: %s", f.GetCause(), f.GetFailure().GetMessage())
		}
		lines = append(lines, line)
	}
	return lines
}
