package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

// approvalState is an approval as the gateway describes it: its JSON, and what we know of that.
type approvalState struct {
	api.Approval

	raw json.RawMessage
}

func newApprovalState(answer json.RawMessage) (approvalState, error) {
	s := approvalState{raw: answer}
	return s, client.Decode(answer, &s.Approval)
}

// show writes a line, if there is news. A run that has ended makes none, even while the list still
// has it.
func (w *approvalWatch) show(s approvalState) error {
	before, known := w.shown[s.EndpointID]
	if known && (before.line() == s.line() || before.Status.Ended() && before.RunID == s.RunID) {
		return nil
	}
	w.shown[s.EndpointID] = s
	if w.asJSON {
		var b bytes.Buffer
		if err := json.Compact(&b, s.raw); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w.out, b.String())
		return err
	}
	return terminal.Say(w.out, "%s  %s\n", terminal.UTC(time.Now()), s.line())
}

// line is what counts as news.
func (s approvalState) line() string {
	var facts []string
	if s.Waiting != nil {
		facts = append(facts, fmt.Sprintf("%d waiting", *s.Waiting))
	}
	if s.Released > 0 {
		facts = append(facts, fmt.Sprintf("%d released", s.Released))
	}
	if s.AskAt != nil {
		facts = append(facts, "people are asked at "+terminal.UTC(*s.AskAt))
	}
	if s.DecideBy != nil && s.Status == api.ApprovalAwaiting {
		facts = append(facts, "decide by "+terminal.UTC(*s.DecideBy))
	}
	line := named(s.EndpointID, s.Endpoint) + "  " + because(string(s.Status), s.Reason)
	if len(facts) == 0 {
		return line
	}
	return line + "  (" + strings.Join(facts, ", ") + ")"
}
