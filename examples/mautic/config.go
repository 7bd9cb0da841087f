package main

import (
	"encoding/base64"
	"net/http"
)

// application is the name under which Hookloop knows that source and endpoint are the same Mautic.
const application = "mautic"

// echo says, as jq, which object a body is about and which value it has. What is sent to Mautic and
// what Mautic says of it afterwards must give the same two, or the echo is not recognised.
type echo struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// The trap: the two bodies write the same value differently. Our events have "score": 87.5, a number.
// Mautic's webhooks quote every field, "score": {"value": "87.5"}, and have null for a field that was
// never set. Compared as they stand, 87.5 is not "87.5", no echo is ever found, and the applications
// go on telling each other the news. So both sides make a number of it. Numbers may then be written as
// they like, 87.5 or 87.50; the order of the members does not matter either.
//
// "by" keeps people's edits apart from ours: Mautic says nothing of a write that changed nothing, so
// such a write stays expected, and the next edit of another field by a person would be taken for its
// echo: the score is the same, after all. For this, Hookloop has a user of its own in Mautic.
var (
	writtenToMautic = echo{ // over the envelope {type, timestamp, data}
		Key:   `.data.contact_id | tostring`,
		Value: `.data | {score: (.score | tonumber? // null), grade, by: "` + apiUser + `"}`,
	}
	saidByMautic = echo{ // over the item {contact, timestamp}
		Key:   `.contact.id | tostring`,
		Value: `.contact | {score: (.fields.core.score.value | tonumber? // null), grade: .fields.core.grade.value, by: .modifiedByUser}`,
	}
)

// sourceConfig is Mautic as somebody who sends to us.
type sourceConfig struct {
	Provider    string       `json:"provider"`
	Name        string       `json:"name"`
	Application string       `json:"application"`
	Config      mauticConfig `json:"config"`
	Echo        echo         `json:"echo"`
}

type mauticConfig struct {
	Secrets []string `json:"secrets"`
}

func mauticSource(secret string) sourceConfig {
	return sourceConfig{
		Provider: "mautic", Name: "example: Mautic", Application: application,
		Config: mauticConfig{Secrets: []string{secret}}, Echo: saidByMautic,
	}
}

// endpointConfig is somebody we send to.
type endpointConfig struct {
	URL         string            `json:"url"`
	Description string            `json:"description"`
	EventTypes  []string          `json:"event_types"`
	Application string            `json:"application,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Request     *request          `json:"request,omitempty"`
	Echo        *echo             `json:"echo,omitempty"`
}

// request is what Mautic's API wants to read in place of our envelope.
type request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
}

// mauticEndpoint is Mautic's API. PATCH changes the fields it names, PUT would clear the others. Writing
// absolute values, it may be repeated.
func mauticEndpoint(api, user, password string) endpointConfig {
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return endpointConfig{
		URL: api, Description: "example: Mautic's API", EventTypes: []string{scoreType}, Application: application,
		Headers: map[string]string{"Authorization": "Basic " + basic},
		Request: &request{
			Method: http.MethodPatch,
			Path:   `["contacts", .data.contact_id, "edit"]`,
			Body:   `.data | {score, grade}`,
		},
		Echo: &writtenToMautic,
	}
}

func scoringEndpoint(url string) endpointConfig {
	return endpointConfig{URL: url, Description: "example: scoring", EventTypes: []string{contactType}}
}
