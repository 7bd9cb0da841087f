package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// approvalState is an approval as the gateway tells of it: its JSON, and what we know of that.
type approvalState struct {
	webhook.ApprovalReport

	raw json.RawMessage
}

func (s *approvalState) UnmarshalJSON(b []byte) error {
	s.raw = bytes.Clone(b)
	return json.Unmarshal(b, &s.ApprovalReport)
}

// show writes a line, if there is news. A run that has ended makes none, whatever the list says of it.
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
	_, err := fmt.Fprintf(w.out, "%s  %s\n", terminal.UTC(time.Now()), s.line())
	return err
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
	if s.DecideBy != nil && s.Status == webhook.ApprovalAwaiting {
		facts = append(facts, "decide by "+terminal.UTC(*s.DecideBy))
	}
	line := terminal.OneLine(s.EndpointID) + "  " + because(string(s.Status), s.Reason)
	if len(facts) == 0 {
		return line
	}
	return line + "  (" + strings.Join(facts, ", ") + ")"
}
