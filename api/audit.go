package api

import "hookloop/internal/webhook"

// The lines of the audit, of which exports and archives consist, too.
type (
	// AuditLine is one thing that happened.
	AuditLine = webhook.AuditLine
	// AuditKind says what happened, in a word.
	AuditKind = webhook.AuditKind
	// AuditVia says by which way something came about.
	AuditVia = webhook.AuditVia
	// AuditChange is one field of a setting before and after.
	AuditChange = webhook.AuditChange
)

// AuditKinds lists every kind of line and says what it means.
func AuditKinds() []AuditMeaning {
	return []AuditMeaning{
		{webhook.AuditAccepted, "an event was accepted, for these endpoints"},
		{webhook.AuditEcho, "the event repeats what a delivery wrote to the application: it goes to no endpoint"},
		{webhook.AuditWithheld, "these endpoints belong to the application that the event came from, and do not get it"},
		{webhook.AuditLeftOut, "these endpoints wanted the event and were disabled"},
		{webhook.AuditDeliveryStarted, "a delivery that was not made at once got a workflow of its own"},
		{webhook.AuditAttempt, "one HTTP request and what came back"},
		{webhook.AuditDeferred, "a turn, or several, passed without an attempt"},
		{webhook.AuditWait, "a wait began"},
		{webhook.AuditStatus, "how the event, the delivery or the episode stands has changed"},
		{webhook.AuditRedelivered, "a finished delivery was started again, or one to another endpoint"},
		{webhook.AuditDeliveryEnded, "a delivery ended; one that was made at once is its attempt"},
		{webhook.AuditEventEnded, "all deliveries of the event have ended"},

		{webhook.AuditFailing, "a worker reported that the endpoint fails"},
		{webhook.AuditRecovered, "a worker reported that the endpoint took something"},
		{webhook.AuditEpisodeStarted, "an endpoint began to fail, or is about to be resumed"},
		{webhook.AuditEndpointState, "the endpoint was held, paused, disabled or made active"},
		{webhook.AuditAnnounced, "an event of Hookloop's own went to the endpoints that want its type"},
		{webhook.AuditProbe, "one delivery was sent to see whether the endpoint takes it"},
		{webhook.AuditRelease, "held deliveries were let go"},
		{webhook.AuditEpisodeEnded, "the endpoint recovered, was released, rejected, paused or deleted"},

		{webhook.AuditApprove, "a person approved: try the endpoint again"},
		{webhook.AuditReject, "a person rejected: disable the endpoint"},
		{webhook.AuditResume, "a person let a paused, held or disabled endpoint go on"},
		{webhook.AuditPause, "a person paused the endpoint, which ends its episode"},
		{webhook.AuditDelete, "a person deleted the endpoint, which ends its episode"},
		{webhook.AuditRetryNow, "a person wants the next attempt now"},
		{webhook.AuditCancel, "a person ended the delivery"},
		{webhook.AuditRecheck, "an approval told the delivery to look at its endpoint"},
		{webhook.AuditRefused, "an update was refused, or a decision without a name changed nothing; its name is in name"},
		{webhook.AuditSignal, "a signal came that the workflow does not know; its name is in name"},
		{webhook.AuditUpdate, "an update came that the workflow does not know; its name is in name"},
		{webhook.AuditCancelRequested, "Temporal was asked to cancel the workflow"},

		{webhook.AuditRecoveryStarted, "a person wants what an endpoint missed redelivered"},
		{webhook.AuditRecoveryPage, "a page of it was redelivered"},
		{webhook.AuditRecoveryEnded, "all of it was redelivered"},
		{webhook.AuditStepFailed, "a step of Hookloop's own could not be done"},
		{webhook.AuditContinued, "the workflow went on as a new run"},
		{webhook.AuditWorkflowFailed, "the workflow failed"},
		{webhook.AuditWorkflowCancelled, "the workflow was cancelled"},
		{webhook.AuditWorkflowTimedOut, "the workflow timed out"},
		{webhook.AuditWorkflowTerminated, "the workflow was terminated"},

		{webhook.AuditEndpointCreated, "an endpoint was created"},
		{webhook.AuditEndpointChanged, "settings of an endpoint changed"},
		{webhook.AuditEndpointDeleted, "an endpoint was deleted"},
		{webhook.AuditSecretRotated, "an endpoint got a new secret"},
		{webhook.AuditSourceCreated, "a source was created"},
		{webhook.AuditSourceChanged, "settings of a source changed"},
		{webhook.AuditSourceDeleted, "a source was deleted"},
		{webhook.AuditQuotasChanged, "what tenants may ask for changed"},
		{webhook.AuditKeyChanged, "everything was sealed with another key"},
		{webhook.AuditSecretRead, "an endpoint's secret was shown"},
		{webhook.AuditPayloadRead, "an event's data was shown, or payloads of histories were decrypted for a person"},
		{webhook.AuditPortalLinkMade, "a link to the portal was made for the owner of endpoints"},
		{webhook.AuditPortalLinkRevoked, "a link to the portal was revoked"},
		{webhook.AuditPortalChanged, "how a tenant shows the portal changed"},

		{webhook.AuditErasureAsked, "a person wants an event's data erased"},
		{webhook.AuditPayloadErased, "an event's data is gone from Temporal and the registry"},
		{webhook.AuditLegalHold, "a person forbade to erase an event, or what concerns a subject"},
		{webhook.AuditLegalHoldLifted, "a person allowed it again"},
	}
}

// AuditMeaning says what a kind means.
type AuditMeaning struct {
	Kind    AuditKind
	Meaning string
}

// AuditPage is one page of what happened, the oldest line first.
type AuditPage struct {
	Page[AuditLine]

	Encrypted bool `json:"encrypted,omitempty" doc:"Some of it is encrypted with a key that this gateway does not have."`
}

// AuditQuery says which lines are wanted.
type AuditQuery struct {
	After      string    `query:"after" doc:"What happened at this time or later: RFC 3339, a day (from midnight, UTC), or how long ago." example:"24h"`
	Before     string    `query:"before" doc:"What happened before this time, likewise." example:"2026-01-31T12:00:00Z"`
	Kind       AuditKind `query:"kind" doc:"Of this kind." example:"endpoint-changed"`
	Actor      string    `query:"actor" maxLength:"255" doc:"By this actor, known or claimed." example:"jane"`
	EndpointID string    `query:"endpoint_id" maxLength:"64" doc:"About this endpoint." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	SourceID   string    `query:"source_id" maxLength:"64" doc:"About this source, or what came from it." example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Status     string    `query:"status" maxLength:"32" doc:"By which something came to this status." example:"held"`
	Limit      int       `query:"limit" minimum:"1" maximum:"100" default:"100" doc:"Of how many workflows a page has the lines at most; of the change log it has five times as many lines."`
	CursorQuery
}

// CursorQuery says where a list goes on whose pages have a size of their own.
type CursorQuery struct {
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before; the other parameters must be the same."`
}
