package audit

import (
	"cmp"
	"net/url"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/webhook"
)

// workerOf is the principal of Hookloop's own steps: only its workers complete workflow tasks. Nil
// where the server stamps none.
func workerOf(events []*historypb.HistoryEvent) *commonpb.Principal {
	for _, e := range events {
		if e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return e.GetPrincipal()
		}
	}
	return nil
}

// by says who is behind an event that Hookloop's workflows did not make: what the server knows by
// its principal, and beside it what was claimed, in the input or else as the client's identity.
func (b *trailBuilder) by(e *historypb.HistoryEvent, claimed, identity string) (l Line) {
	identity = ownIdentity(identity)
	p := e.GetPrincipal()
	l.ActorClaimed = claimed
	switch via := webhook.AuditVia(p.GetType()); {
	case p == nil:
		l.ActorClaimed = cmp.Or(claimed, identity)
	case via == webhook.ViaAPI, via == webhook.ViaSource, via == webhook.ViaHookloop, via == webhook.ViaCommand:
		l.Actor, l.Via = actorOf(p), via
	case via == webhook.ViaTemporalUI, via == webhook.ViaTemporal:
		l.Via, l.ActorClaimed = via, cmp.Or(claimed, identity)
		if name := actorOf(p); name != webhook.Anonymous {
			l.Actor = name
		}
	case proto.Equal(p, b.ours): // the gateway's and the workers' account: what they say is so
		l.Actor, l.Via = webhook.ByHookloop, webhook.ViaHookloop
		if claimed != "" {
			l.Actor, l.Via = claimed, webhook.ViaAPI
		}
	default: // an account of the cluster's own
		l.Actor, l.Via = p.GetName(), webhook.ViaTemporal
	}
	if l.ActorClaimed == l.Actor {
		l.ActorClaimed = ""
	}
	return l
}

// sender says who is behind a signal or an update. Temporal writes an update when the workflow
// takes it, in the worker's name: only its id can prove who sent it.
func (b *trailBuilder) sender(e *historypb.HistoryEvent, m message, claimed string) Line {
	if m.updateID == "" {
		return b.by(e, claimed, m.identity)
	}
	by := cmp.Or(claimed, webhook.ByHookloop)
	switch {
	case b.proves == nil || !b.proves(m.updateID, b.WorkflowID, m.name, by, e.GetEventTime().AsTime()):
		return Line{ActorClaimed: cmp.Or(claimed, ownIdentity(m.identity))}
	case claimed == "":
		return Line{Actor: by, Via: webhook.ViaHookloop}
	}
	return Line{Actor: by, Via: webhook.ViaAPI}
}

// ownIdentity is what a client calls itself; one of ours adds process and host.
func ownIdentity(identity string) string {
	if strings.HasPrefix(identity, webhook.ByHookloop+":") {
		return webhook.ByHookloop
	}
	return identity
}

// actorOf is the name in a principal of the embedded engine, which escapes it: principals travel as
// headers.
func actorOf(p *commonpb.Principal) string {
	if name, err := url.PathUnescape(p.GetName()); err == nil {
		return name
	}
	return p.GetName()
}
