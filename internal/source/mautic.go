package source

import (
	"cmp"
	"context"

	"hookloop/internal/webhook"
)

// mautic signs the body, and nothing else: Webhook-Signature is Base64 of the HMAC-SHA256. It has
// no ids and no times.
type mautic struct {
	Secrets Secrets `json:"secrets"`
	repeats
}

// maxElements bounds the events of one request to what can be accepted while the sender waits for
// the answer. Mautic sends ten at once by default, Meta at most a thousand; a body could hold a
// million.
const maxElements = 50_000

func (s *mautic) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.checkRepeats())
}

func (s *mautic) Verify(_ context.Context, r Request) error {
	return s.Secrets.verifyBase64("Webhook-Signature", r)
}

func (s *mautic) head(r Request) error {
	_, err := base64Signature("Webhook-Signature", r)
	return err
}

// Read takes every top-level array for a trigger and its elements for events: Mautic sends what
// several triggers queued as one request. Other members are passed over; "Send Test Payload" of
// Mautic 5.1 has a timestamp there.
func (s *mautic) Read(r Request) (Received, error) {
	triggers, err := webhook.Members(r.Body)
	if err != nil {
		return Received{}, unreadable("the body is not a JSON object")
	}
	context := contextOf(r.Header, fact{"origin", "X-Origin-Base-Url"}) // which Mautic it is
	var items []Item
	for _, t := range triggers {
		all, _ := webhook.Elements(t.Value)
		if len(items)+len(all) > maxElements {
			return Received{}, unreadable("the body holds too many events")
		}
		for _, raw := range all {
			items = append(items, Item{Type: t.Name, Key: digest(t.Name, string(raw)), SameFor: s.sameFor(mauticWindow), Data: raw, Context: context})
		}
	}
	return Received{Items: items}, nil
}
