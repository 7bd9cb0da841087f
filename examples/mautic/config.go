package main

import (
	"encoding/base64"
	"net/http"

	"hookloop/api"
)

// application is the name under which Hookloop knows that source and endpoint are the same Mautic.
const application = "mautic"

// What is sent to Mautic and what Mautic says of it afterwards must give the same key (which object
// it is about) and the same value, or the echo is not recognised.
//
// The trap: the two bodies write the same value differently. Our events have "score": 87.5, a
// number. Mautic's webhooks quote every field, "score": {"value": "87.5"}, and have null for a
// field that was never set. Compared as they stand, 87.5 is not "87.5", no echo is ever found, and
// the applications go on telling each other the news. So both sides make a number of it. Numbers
// may then be written as they like, 87.5 or 87.50; the order of the members does not matter either.
//
// "by" keeps people's edits apart from ours: Mautic says nothing of a write that changed nothing,
// so such a write stays expected, and the next edit of another field by a person would be taken for
// its echo: the score is the same, after all. For this, Hookloop has a user of its own in Mautic.
var (
	writtenToMautic = api.EchoPaths{ // over the envelope {type, timestamp, data}
		Key:   `.data.contact_id | tostring`,
		Value: `.data | {score: (.score | tonumber? // null), grade, by: "` + apiUser + `"}`,
	}
	saidByMautic = api.EchoPaths{ // over the item {contact, timestamp}
		Key:   `.contact.id | tostring`,
		Value: `.contact | {score: (.fields.core.score.value | tonumber? // null), grade: .fields.core.grade.value, by: .modifiedByUser}`,
	}
)

// mauticSource is Mautic as a third party that sends to us.
func mauticSource(secret string) api.NewSource {
	return api.NewSource{
		Provider: "mautic", Name: "example: Mautic", Application: application,
		Config: map[string]any{"secrets": []string{secret}}, Echo: saidByMautic,
	}
}

// mauticEndpoint is Mautic's API. PATCH changes the fields it names, PUT would clear the others.
// Writing absolute values, it may be repeated.
func mauticEndpoint(url, user, password string) api.NewEndpoint {
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return api.NewEndpoint{
		URL: url, Description: "example: Mautic's API", EventTypes: []string{scoreType}, Application: application,
		Headers: map[string]string{"Authorization": "Basic " + basic},
		Request: api.RequestShape{
			Method: http.MethodPatch,
			Path:   `["contacts", .data.contact_id, "edit"]`,
			Body:   `.data | {score, grade}`,
		},
		Echo: api.Echo{Paths: writtenToMautic},
	}
}

func scoringEndpoint(url string) api.NewEndpoint {
	return api.NewEndpoint{URL: url, Description: "example: scoring", EventTypes: []string{contactType}}
}
