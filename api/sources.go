package api

import (
	"encoding/json"
	"time"
)

// Provider names a third party's protocol; docs/sources.md has the list.
type Provider string

// NewSource is a third party about to send to us.
type NewSource struct {
	Provider    Provider       `json:"provider" doc:"Whose protocol it speaks." example:"stripe"`
	Name        string         `json:"name,omitempty" maxLength:"1024" doc:"For people. Absent: the provider's." example:"payments"`
	Config      map[string]any `json:"config" doc:"What the provider needs, above all the third party's secrets; see docs/sources.md." example:"{\"secrets\":[\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]}"`
	TypePrefix  string         `json:"type_prefix,omitempty" maxLength:"64" pattern:"^([A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)?$" patternDescription:"words of letters, digits, - and _, separated by dots, like \"crm\", at most 64 characters" doc:"Begins the types of its events. Absent: the provider's name." example:"shop"`
	Application string         `json:"application,omitempty" doc:"The application it belongs to, written as tenants are, at most 64 characters. Its events are not delivered to endpoints of the same application." example:"crm"`
	Echo        EchoPaths      `json:"echo,omitzero" doc:"jq over an item: what is found here and was delivered to the application lately is an echo, and goes to no endpoint."`
}

// SourceChange is a change of a source (RFC 7396), but for the config, which is replaced as a
// whole.
type SourceChange struct {
	Name        Patch[string]         `json:"name,omitzero"`
	Config      Patch[map[string]any] `json:"config,omitzero"` // cannot be cleared
	TypePrefix  Patch[string]         `json:"type_prefix,omitzero"`
	Application Patch[string]         `json:"application,omitzero"`
	Echo        Patch[EchoPaths]      `json:"echo,omitzero"`
}

// Source is a source as it is kept.
type Source struct {
	ID          string          `json:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Provider    Provider        `json:"provider" example:"stripe"`
	Name        string          `json:"name" example:"payments"`
	Config      json.RawMessage `json:"config" doc:"Every secret is shown as ***." example:"{\"secrets\":[\"***\"]}"`
	TypePrefix  string          `json:"type_prefix" doc:"Begins the types of its events." example:"stripe"`
	Application string          `json:"application,omitempty" example:"crm"`
	Echo        EchoPaths       `json:"echo,omitzero"`
	IngestURL   string          `json:"ingest_url" doc:"What to tell the third party." example:"https://hooks.example.com/in/src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Version     int             `json:"version" doc:"Grows with each change." example:"1"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	Activity    *SourceActivity `json:"activity,omitempty" doc:"What became of what it sent; in a list as of a second ago. Not in answers to changes."`
}

// SourceActivity is what became of what a source sent. Other gateways tell of theirs within a
// second.
type SourceActivity struct {
	Accepted       int64      `json:"accepted" doc:"Events."`
	Repeats        int64      `json:"repeats" doc:"Items that had become events before."`
	Refused        int64      `json:"refused" doc:"Requests that were not let in, and single items of others."`
	LastAcceptedAt *time.Time `json:"last_accepted_at,omitempty"`
	LastRefusedAt  *time.Time `json:"last_refused_at,omitempty"`
	LastRefusal    string     `json:"last_refusal,omitempty" doc:"Why, for a person." example:"the signature does not match"`
}
