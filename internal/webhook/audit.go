package webhook

import (
	"slices"
	"time"
)

// AuditKind says what happened, in a word. The value is the API's: the list is closed, and what is
// in no history of ours, as a signal of another name, has a kind of its own that says so.
type AuditKind string

// What became of an event and its deliveries.
const (
	AuditAccepted        AuditKind = "accepted"
	AuditEcho            AuditKind = "echo"
	AuditWithheld        AuditKind = "withheld"
	AuditLeftOut         AuditKind = "left-out"
	AuditDeliveryStarted AuditKind = "delivery-started"
	AuditAttempt         AuditKind = "attempt"
	AuditDeferred        AuditKind = "deferred"
	AuditWait            AuditKind = "wait"
	AuditStatus          AuditKind = "status"
	AuditRedelivered     AuditKind = "redelivered"
	AuditDeliveryEnded   AuditKind = "delivery-ended"
	AuditEventEnded      AuditKind = "event-ended"
)

// What became of an endpoint that failed.
const (
	AuditFailing        AuditKind = "failing"
	AuditRecovered      AuditKind = "recovered"
	AuditEpisodeStarted AuditKind = "episode-started"
	AuditEndpointState  AuditKind = "endpoint-state"
	AuditAnnounced      AuditKind = "announced"
	AuditProbe          AuditKind = "probe"
	AuditRelease        AuditKind = "release"
	AuditEpisodeEnded   AuditKind = "episode-ended"
)

// What people asked for.
const (
	AuditApprove         AuditKind = "approve"
	AuditReject          AuditKind = "reject"
	AuditResume          AuditKind = "resume"
	AuditPause           AuditKind = "pause"
	AuditDelete          AuditKind = "delete"
	AuditRetryNow        AuditKind = "retry-now"
	AuditCancel          AuditKind = "cancel"
	AuditRecheck         AuditKind = "recheck"
	AuditRefused         AuditKind = "refused"
	AuditSignal          AuditKind = "signal"
	AuditUpdate          AuditKind = "update"
	AuditCancelRequested AuditKind = "cancel-requested"
)

// How workflows fared, and recoveries.
const (
	AuditRecoveryStarted    AuditKind = "recovery-started"
	AuditRecoveryPage       AuditKind = "recovery-page"
	AuditRecoveryEnded      AuditKind = "recovery-ended"
	AuditStepFailed         AuditKind = "step-failed"
	AuditContinued          AuditKind = "continued"
	AuditWorkflowFailed     AuditKind = "workflow-failed"
	AuditWorkflowCancelled  AuditKind = "workflow-cancelled"
	AuditWorkflowTimedOut   AuditKind = "workflow-timed-out"
	AuditWorkflowTerminated AuditKind = "workflow-terminated"
)

// What became of settings, and who looked. The registry's change log tells these.
const (
	AuditEndpointCreated AuditKind = "endpoint-created"
	AuditEndpointChanged AuditKind = "endpoint-changed"
	AuditEndpointDeleted AuditKind = "endpoint-deleted"
	AuditSecretRotated   AuditKind = "secret-rotated"
	AuditSourceCreated   AuditKind = "source-created"
	AuditSourceChanged   AuditKind = "source-changed"
	AuditSourceDeleted   AuditKind = "source-deleted"
	AuditQuotasChanged   AuditKind = "quotas-changed"
	AuditKeyChanged      AuditKind = "key-changed"
	AuditSecretRead      AuditKind = "secret-read"
	AuditPayloadRead     AuditKind = "payload-read"

	AuditPortalLinkMade    AuditKind = "portal-link-made"
	AuditPortalLinkRevoked AuditKind = "portal-link-revoked"
	AuditPortalChanged     AuditKind = "portal-changed"

	AuditErasureAsked    AuditKind = "erasure-asked"
	AuditPayloadErased   AuditKind = "payload-erased"
	AuditLegalHold       AuditKind = "legal-hold"
	AuditLegalHoldLifted AuditKind = "legal-hold-lifted"
)

// AuditVia says by which way something came about. The value is the API's.
type AuditVia string

// The ways.
const (
	ViaAPI        AuditVia = "api"         // the HTTP API; the gateway checked the token
	ViaSource     AuditVia = "source"      // a third party, by the scheme of its source
	ViaHookloop   AuditVia = "hookloop"    // Hookloop itself
	ViaCommand    AuditVia = "command"     // a command or a file of the people who run Hookloop
	ViaTemporalUI AuditVia = "temporal-ui" // the Temporal UI
	ViaTemporal   AuditVia = "temporal"    // another client of Temporal
)

// ByHookloop is the actor of what Hookloop does by itself. Anonymous is the name that the embedded
// Temporal gives to callers that prove nothing.
const (
	ByHookloop = "hookloop"
	Anonymous  = "anonymous"
)

// AuditLine is one thing that happened. It stands in the API, in exports and in archives: fields
// are added, never renamed.
type AuditLine struct {
	At   time.Time `json:"at"`
	Kind AuditKind `json:"kind" enum:"accepted,echo,withheld,left-out,delivery-started,attempt,deferred,wait,status,redelivered,delivery-ended,event-ended,failing,recovered,episode-started,endpoint-state,announced,probe,release,episode-ended,approve,reject,resume,pause,delete,retry-now,cancel,recheck,refused,signal,update,cancel-requested,recovery-started,recovery-page,recovery-ended,step-failed,continued,workflow-failed,workflow-cancelled,workflow-timed-out,workflow-terminated,endpoint-created,endpoint-changed,endpoint-deleted,secret-rotated,source-created,source-changed,source-deleted,quotas-changed,key-changed,secret-read,payload-read,portal-link-made,portal-link-revoked,portal-changed,erasure-asked,payload-erased,legal-hold,legal-hold-lifted" doc:"What happened, in a word; docs/audit.md says what each means." example:"attempt"`

	// Actor and Via are what Hookloop or Temporal knows by itself.
	Actor string   `json:"actor,omitempty" doc:"Who did it, as Hookloop or Temporal knows by itself: the subject of a token, a source, or hookloop. Absent: it is not known." example:"jane"`
	Via   AuditVia `json:"via,omitempty" enum:"api,source,hookloop,command,temporal-ui,temporal" doc:"By which way. Absent: it is not known."`
	// ActorClaimed is what came with a signal or an update.
	ActorClaimed string `json:"actor_claimed,omitempty" doc:"Who did it, as the sender says: proven by nothing." example:"jane"`

	EventID         string   `json:"event_id,omitempty" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	EventType       string   `json:"event_type,omitempty" example:"contact.updated"`
	EndpointID      string   `json:"endpoint_id,omitempty" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	EndpointIDs     []string `json:"endpoint_ids,omitempty" doc:"Where there are several: those an event was accepted for, is kept from, or could not go to."`
	EndpointURLHost string   `json:"endpoint_url_host,omitempty" doc:"Host and port of the endpoint's URL as they were then; the rest of a URL may be a secret." example:"example.com"`
	EndpointVersion int      `json:"endpoint_version,omitempty" doc:"Of the endpoint as it was then."`
	SourceID        string   `json:"source_id,omitempty" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`

	Attempt    int     `json:"attempt,omitempty" doc:"The number of the attempt, from 1."`
	StatusCode int     `json:"status_code,omitempty" doc:"Of the endpoint's answer." example:"503"`
	Failure    Failure `json:"failure,omitempty" doc:"Why there was no answer: refused, reset, dns, tls, timeout, address, request, other." example:"timeout"`
	DurationMS int64   `json:"duration_ms,omitempty" doc:"Of the attempt."`
	WaitMS     int64   `json:"wait_ms,omitempty" doc:"How long a wait was to be."`
	Status     string  `json:"status,omitempty" doc:"How the event, the delivery, the approval or the endpoint stands since." example:"held"`
	Reason     string  `json:"reason,omitempty" doc:"Why, in the words of those who did it." example:"the customer has mended their firewall"`
	Name       string  `json:"name,omitempty" doc:"Of a signal, an update, a step or an announced event that has one." example:"escalate"`

	RatePerSecond float64       `json:"rate_per_second,omitempty" doc:"Of a release or a recovery."`
	Count         int           `json:"count,omitempty" doc:"How many deliveries a release let go, or a recovery redelivered; how many turns were deferred."`
	DataBytes     int64         `json:"data_bytes,omitempty" doc:"Size of an event's data."`
	DataSHA256    string        `json:"data_sha256,omitempty" doc:"SHA-256 of an event's data, byte for byte as it came: what was kept elsewhere can be proven to be it." example:"a3b1f0…"`
	Changes       []AuditChange `json:"changes,omitempty" doc:"What changed in a setting."`

	Detail     string `json:"detail,omitempty" doc:"The same in a sentence." example:"attempt 2: HTTP 200 in 5 ms"`
	WorkflowID string `json:"workflow_id,omitempty" doc:"Find where it happened by it in the Temporal UI."`
	RunID      string `json:"run_id,omitempty"`
}

// AuditChange is one field of a setting before and after.
type AuditChange struct {
	Field string `json:"field" example:"timeout"`
	From  string `json:"from,omitempty" doc:"Absent: it was not set, or it is secret."`
	To    string `json:"to,omitempty" doc:"Absent: it is not set any more. Secrets, header values and what stands behind a URL's host are only said to have changed."`
}

// AuditQuery names lines. A zero field is no bound.
type AuditQuery struct {
	Runs          int       // of workflows that a part has at most; of the change log five times as many lines; 0: 100
	After, Before time.Time // [After, Before)
	EventID       string
	EndpointID    string
	SourceID      string
	Actor         string // known or claimed
	Status        string
	Kind          AuditKind
}

// Holds says whether a line is one of those.
func (q AuditQuery) Holds(l AuditLine) bool {
	for _, bound := range [][2]string{
		{q.EventID, l.EventID}, {q.SourceID, l.SourceID}, {q.Status, l.Status}, {string(q.Kind), string(l.Kind)},
	} {
		if bound[0] != "" && bound[0] != bound[1] {
			return false
		}
	}
	return !l.At.Before(q.After) && (q.Before.IsZero() || l.At.Before(q.Before)) &&
		(q.Actor == "" || q.Actor == l.Actor || q.Actor == l.ActorClaimed) &&
		(q.EndpointID == "" || q.EndpointID == l.EndpointID || slices.Contains(l.EndpointIDs, q.EndpointID))
}
