package audit

import (
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// marked notes a first attempt, or what was told. Its endpoint stands in its summary alone:
// arguments are not recorded.
func (b *trailBuilder) marked(e *historypb.HistoryEvent) {
	m := e.GetMarkerRecordedEventAttributes()
	if m.GetMarkerName() != "LocalActivity" {
		return
	}
	if what, told := strings.CutPrefix(b.summary(e), workflows.SummaryAnnounce); told {
		if m.GetFailure() == nil {
			b.add(e, "told", "", "who subscribes to %s", what)
		}
		return
	}
	_, b.about, _ = strings.Cut(b.summary(e), " → ")
	if f := m.GetFailure(); f != nil {
		b.add(e, "no attempt", "", "%s: %s", b.summary(e), f.GetMessage())
		return
	}
	r, _ := read[activities.TurnResult](b, only(m.GetDetails()["result"]))
	b.turn(e, b.summary(e), r)
}

func (b *trailBuilder) turn(e *historypb.HistoryEvent, what string, r activities.TurnResult) {
	switch {
	case r.Attempt != nil:
		b.add(e, "attempt", "", "%s", said(what, *r.Attempt))
		b.Lines[len(b.Lines)-1].At = r.Attempt.At.UTC()
	case r.Deferral != nil:
		b.add(e, "deferred", "", "%s: %s", what, r.Deferral.Error())
	default:
		b.add(e, "attempt", "", "%s", what)
	}
}

// said is an attempt in a line: where, what was answered, how long it took, what else there was to
// it.
func said(what string, a webhook.Attempt) string {
	answer := webhook.AnswerOf(a, "").String()
	return fmt.Sprintf("%s: %s in %d ms%s%s", what, answer, a.DurationMS, because(a.Error), because(a.ResponseBody))
}

// done notes what an activity did that changed something.
func (b *trailBuilder) done(e *historypb.HistoryEvent, asked *historypb.ActivityTaskScheduledEventAttributes, result *commonpb.Payloads) {
	in, out := only(asked.GetInput()), only(result)
	switch name := asked.GetActivityType().GetName(); name {
	case "Attempt":
		t, _ := read[activities.Turn](b, in)
		r, _ := read[activities.TurnResult](b, out)
		b.turn(e, fmt.Sprintf("attempt %d → %s", t.Number, t.EndpointID), r)
	case "ChangeState":
		c, _ := read[activities.StateChange](b, in)
		if r, _ := read[activities.StateChanged](b, out); r.Changed {
			b.add(e, "endpoint", "", "%s%s", c.To, because(c.Reason))
		} else {
			b.add(e, "endpoint", "", "stays %s: somebody changed it meanwhile", r.State)
		}
	case "Announce":
		a, _ := read[activities.Announcement](b, in)
		b.add(e, "told", "", "who subscribes to %s", a.Type)
	case "ProbeOldest":
		if p, _ := read[webhook.Probe](b, out); p.Made {
			b.add(e, "probe", "", "event %s: %s", p.Answer.EventID, p.Answer)
		}
	case "ReleaseHeld":
		r, _ := read[activities.ReleaseResult](b, out)
		if r.Stopped != "" {
			b.add(e, "release", "", "stopped: the endpoint is %s", r.Stopped)
			return
		}
		b.add(e, "release", "", "%d let go, %d wait", r.Released, r.Waiting)
	case "RecoverPage":
		r, _ := read[activities.RecoveryPageResult](b, out)
		b.add(e, "redeliver", "", "%d found, %d redelivered, %d left out", r.Found, r.Redelivered, r.Skipped)
	}
}

func (b *trailBuilder) undone(e *historypb.HistoryEvent, scheduled int64, why string) {
	name := b.scheduled[scheduled].GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
	b.add(e, "not done", "", "%s%s", name, because(why))
}
