package audit

import (
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// activity notes what an activity did.
func (b *trailBuilder) activity(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		b.scheduled[e.GetEventId()] = e
	case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		if a := e.GetActivityTaskStartedEventAttributes(); a.GetAttempt() > 1 {
			turns, last := int(a.GetAttempt())-1, a.GetLastFailure().GetMessage()
			b.own(e, Line{Kind: webhook.AuditDeferred, Count: turns, Reason: last}, "%s; the last: %s", plural(turns, "turn"), last)
		}
	case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		a := e.GetActivityTaskCompletedEventAttributes()
		b.done(e, b.scheduled[a.GetScheduledEventId()].GetActivityTaskScheduledEventAttributes(), a.GetResult())
	case enums.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		b.undone(e, a.GetScheduledEventId(), a.GetFailure().GetMessage())
	case enums.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		b.undone(e, a.GetScheduledEventId(), a.GetFailure().GetMessage())
	case enums.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		b.undone(e, e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), "ended by an instruction")
	default:
		return false
	}
	return true
}

// marked notes a first attempt, or what was announced. Its endpoint stands in its summary alone:
// arguments are not recorded.
func (b *trailBuilder) marked(e *historypb.HistoryEvent) {
	m := e.GetMarkerRecordedEventAttributes()
	if m.GetMarkerName() != "LocalActivity" {
		return
	}
	summary := b.summary(e)
	if what, ok := strings.CutPrefix(summary, workflows.SummaryAnnounce); ok {
		if m.GetFailure() == nil {
			b.announced(e, what)
		}
		return
	}
	number := 0
	_, _ = fmt.Sscanf(summary, "attempt %d", &number) // of another summary, it is not known
	_, b.about, _ = strings.Cut(summary, " → ")
	if f := m.GetFailure(); f != nil {
		b.own(e, Line{Kind: webhook.AuditStepFailed, Name: "Attempt", Attempt: number, Reason: f.GetMessage()}, "attempt %d: %s", number, f.GetMessage())
		return
	}
	r, _ := read[activities.TurnResult](b, only(m.GetDetails()["result"]))
	b.turn(e, number, r, "")
}

func (b *trailBuilder) announced(e *historypb.HistoryEvent, eventType string) {
	b.own(e, Line{Kind: webhook.AuditAnnounced, Name: eventType}, "to endpoints that want %s", eventType)
}

func (b *trailBuilder) turn(e *historypb.HistoryEvent, number int, r activities.TurnResult, remark string) {
	switch {
	case r.Attempt != nil:
		a := *r.Attempt
		b.own(e, Line{
			Kind: webhook.AuditAttempt, At: a.At.UTC(), Attempt: a.Number, StatusCode: a.StatusCode, Failure: a.Failure, DurationMS: a.DurationMS,
			EndpointVersion: a.EndpointVersion, Reason: a.Error,
		}, "attempt %d%s: %s", a.Number, remark, said(a))
	case r.Deferral != nil:
		d := r.Deferral
		b.own(e, Line{Kind: webhook.AuditDeferred, Attempt: number, WaitMS: d.WaitMS, Name: string(d.Reason), Reason: d.Detail}, "attempt %d%s: %s", number, remark, d.Error())
	default: // what came of it did not open
		b.own(e, Line{Kind: webhook.AuditAttempt, Attempt: number}, "attempt %d%s", number, remark)
	}
}

// said is what came back: what was answered, how long it took, what else there was to it.
func said(a webhook.Attempt) string {
	return fmt.Sprintf("%s in %d ms%s%s", webhook.AnswerOf(a, ""), a.DurationMS, because(a.Error), because(a.ResponseBody))
}

// done notes what an activity did that changed something.
func (b *trailBuilder) done(e *historypb.HistoryEvent, asked *historypb.ActivityTaskScheduledEventAttributes, result *commonpb.Payloads) {
	in, out := only(asked.GetInput()), only(result)
	switch asked.GetActivityType().GetName() {
	case workflows.AttemptActivity:
		t, _ := read[activities.Turn](b, in)
		r, _ := read[activities.TurnResult](b, out)
		b.turn(e, t.Number, r, "")
	case "ChangeState":
		b.stateChanged(e, in, out)
	case "ReadEndpoint":
		f, _ := read[activities.EndpointFacts](b, out)
		b.named = f.Named
	case "Announce":
		a, _ := read[activities.Announcement](b, in)
		b.announced(e, a.Type)
	case "ProbeOldest":
		if p, _ := read[webhook.Probe](b, out); p.Made {
			b.own(e, Line{
				Kind: webhook.AuditProbe, EventID: p.Answer.EventID, StatusCode: p.Answer.StatusCode, Failure: p.Answer.Failure,
			}, "event %s: %s", p.Answer.EventID, p.Answer)
		}
	case "ReleaseHeld":
		r, _ := read[activities.ReleaseResult](b, out)
		l := Line{Kind: webhook.AuditRelease, Count: r.Released, Status: string(r.Stopped)}
		if r.Stopped != "" {
			b.own(e, l, "stopped: the endpoint is %s", r.Stopped)
			return
		}
		b.own(e, l, "%d let go, %d wait", r.Released, r.Waiting)
	case "RecoverPage":
		r, _ := read[activities.RecoveryPageResult](b, out)
		b.own(e, Line{Kind: webhook.AuditRecoveryPage, Count: r.Redelivered}, "%d found, %d redelivered, %d left out", r.Found, r.Redelivered, r.Skipped)
	}
}

func (b *trailBuilder) stateChanged(e *historypb.HistoryEvent, in, out *commonpb.Payload) {
	c, _ := read[activities.StateChange](b, in)
	r, _ := read[activities.StateChanged](b, out)
	b.named = r.Named
	if r.Changed {
		l := Line{Kind: webhook.AuditEndpointState, Status: string(c.To), Reason: c.Reason, EndpointURLHost: r.Host}
		b.own(e, l, "%s%s", c.To, because(c.Reason))
		return
	}
	b.own(e, Line{Kind: webhook.AuditEndpointState, Status: string(r.State), EndpointURLHost: r.Host}, "stays %s: it was changed meanwhile", r.State)
}

func (b *trailBuilder) undone(e *historypb.HistoryEvent, scheduled int64, why string) {
	name := b.scheduled[scheduled].GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()
	b.own(e, Line{Kind: webhook.AuditStepFailed, Name: name, Reason: why}, "%s%s", name, because(why))
}
