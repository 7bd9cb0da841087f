package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// started notes what the workflow was about, and who wanted it.
func (b *trailBuilder) started(e *historypb.HistoryEvent) {
	a := e.GetWorkflowExecutionStartedEventAttributes()
	in := a.GetInput()
	switch b.Type {
	case workflows.TypeEvent:
		b.accepted(e, in, a.GetIdentity())
	case workflows.TypeDelivery:
		d, _ := read[workflows.DeliveryInput](b, only(in))
		b.delivery(e, d, a.GetIdentity())
	case workflows.TypeApproval:
		s, _ := read[workflows.ApprovalInput](b, only(in))
		if s.Carried != nil {
			b.own(e, Line{Kind: webhook.AuditContinued}, "the episode of %s", s.EndpointID)
			return
		}
		b.own(e, Line{Kind: webhook.AuditEpisodeStarted}, "of endpoint %s", s.EndpointID)
	case workflows.TypeRecovery:
		r, _ := read[workflows.RecoveryInput](b, only(in))
		l := b.by(e, r.Instruction.By, a.GetIdentity())
		l.Kind, l.Reason, l.RatePerSecond = webhook.AuditRecoveryStarted, r.Instruction.Reason, r.RatePerSecond
		b.add(e, l, "of what %s missed from %s to %s, %g a second%s", r.Window.EndpointID,
			rfc3339(r.Window.Since), rfc3339(r.Window.Until), r.RatePerSecond, because(r.Instruction.Reason))
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// delivery notes why a delivery has a workflow of its own, and what its event's history has of it
// already.
func (b *trailBuilder) delivery(e *historypb.HistoryEvent, d workflows.DeliveryInput, identity string) {
	switch v := d.Redelivery; {
	case d.Carried != nil:
		b.own(e, Line{Kind: webhook.AuditContinued}, "the delivery to %s, %s so far", d.EndpointID, plural(len(d.Attempts), "attempt"))
		return
	case v != nil:
		l := b.by(e, v.By, identity)
		l.Kind, l.Reason = webhook.AuditRedelivered, v.Reason
		b.add(e, l, "to %s%s", d.EndpointID, because(v.Reason))
	default:
		b.own(e, Line{Kind: webhook.AuditDeliveryStarted, Reason: d.Parked}, "to %s%s", d.EndpointID, because(d.Parked))
	}
	if b.alone {
		for _, t := range d.Attempts {
			b.turn(e, t.Number, activities.TurnResult{Attempt: &t}, ", in the event's history")
		}
	}
	if d.Deferral != nil {
		b.turn(e, 1, activities.TurnResult{Deferral: d.Deferral}, "")
	}
}

// accepted notes where an event came from, and for whom it is. Its data is in no line.
func (b *trailBuilder) accepted(e *historypb.HistoryEvent, in *commonpb.Payloads, identity string) {
	facts, _ := read[workflows.EventInput](b, only(in))
	l := b.by(e, facts.By, identity)
	l.Kind, l.EventType, l.EndpointIDs = webhook.AuditAccepted, facts.Event.Type, facts.EndpointIDs
	l.DataBytes, l.DataSHA256 = b.data(in)
	from := ""
	if o := facts.Event.Origin; o != nil && o.Provider != "" {
		l.SourceID, l.Name, from = o.SourceID, o.Provider, " from "+o.Provider
		if l.Via == webhook.ViaHookloop || l.Via == webhook.ViaSource { // the gateway proved it by the source's scheme
			l.Actor, l.Via = o.SourceID, webhook.ViaSource
		} else if l.Actor == "" {
			l.ActorClaimed = cmp.Or(facts.By, o.SourceID)
		}
	}
	to := "no endpoint"
	if len(facts.EndpointIDs) > 0 {
		to = strings.Join(facts.EndpointIDs, ", ")
	}
	b.add(e, l, "%s%s, happened %s, %d bytes of data, for %s", facts.Event.Type, from, rfc3339(facts.Event.Timestamp), l.DataBytes, to)
	if facts.Event.Origin.IsEcho() {
		b.own(e, Line{Kind: webhook.AuditEcho, Name: facts.Event.Origin.EchoOf}, "of %s: it goes to no endpoint", facts.Event.Origin.EchoOf)
	}
	if len(facts.Disabled) > 0 {
		b.own(e, Line{Kind: webhook.AuditLeftOut, EndpointIDs: facts.Disabled, Status: string(webhook.Rejected)},
			"%s: disabled when it was accepted", strings.Join(facts.Disabled, ", "))
	}
	if len(facts.Withheld) > 0 {
		b.own(e, Line{Kind: webhook.AuditWithheld, EndpointIDs: facts.Withheld}, "from %s, of the application it came from", strings.Join(facts.Withheld, ", "))
	}
}

// stored is what a history holds in place of data that lies in the body store.
type stored struct {
	Stored struct {
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"stored"`
}

// data is size and SHA-256 of an event's data, wherever it lies; nothing, where it does not open.
func (b *trailBuilder) data(in *commonpb.Payloads) (size int64, fingerprint string) {
	all := in.GetPayloads()
	if len(all) < 2 {
		return 0, ""
	}
	p := all[1]
	if len(p.GetMetadata()[webhook.BodyReference]) > 0 {
		elsewhere, _ := read[stored](b, p)
		return elsewhere.Stored.Bytes, elsewhere.Stored.SHA256
	}
	if _, opens := read[any](b, p); !opens {
		return 0, ""
	}
	sum := sha256.Sum256(p.GetData())
	return int64(len(p.GetData())), hex.EncodeToString(sum[:])
}

// endpointIn is the endpoint that a workflow is about, by its id: a delivery's and an approval's
// end with it.
func endpointIn(workflowID string) string {
	last := workflowID[strings.LastIndexByte(workflowID, '/')+1:]
	if !strings.HasPrefix(last, webhook.EndpointPrefix) {
		return ""
	}
	return last
}

// eventIn is the event that a workflow is about, by its id: an event's own or a delivery's.
func eventIn(workflowID string) string {
	parts := strings.Split(workflowID, "/") // kind, tenant, …
	if len(parts) < 3 || !strings.HasPrefix(parts[2], webhook.EventPrefix) {
		return ""
	}
	return parts[2]
}
