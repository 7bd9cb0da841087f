package source

import (
	"cmp"
	"encoding/json"
	"time"

	"hookloop/internal/webhook"
)

// metaEvents splits what Meta sends together: up to a thousand changes, of several accounts. An
// event without an id is the same for as long as sameFor.
func metaEvents(body []byte, sameFor time.Duration) ([]Item, error) {
	whole := readObject(body)
	entries, ok := webhook.Elements(whole["entry"])
	if whole.text("object") == "" || !ok {
		return nil, unreadable("the body is not an object with an object and a list of entries")
	}
	var b batch
	for _, raw := range entries {
		e := readEntry(whole, raw)
		e.sameFor = sameFor
		if err := b.addEntry(e); err != nil {
			return nil, err
		}
	}
	return b.items, nil
}

// metaEntry is what happened to one account.
type metaEntry struct {
	object   string // what was subscribed to: page, user, instagram, whatsapp_business_account
	id, time string
	raw      json.RawMessage
	context  json.RawMessage  // {"object", "entry" without its lists}
	lists    []webhook.Member // of its events, by kind
	sameFor  time.Duration
}

func readEntry(body object, raw json.RawMessage) metaEntry {
	e := metaEntry{object: body.text("object"), raw: raw}
	var shared []webhook.Member
	// none where it is no object: an event of a kind not known yet
	members, _ := webhook.Members(raw)
	for _, m := range members {
		switch m.Name {
		case "id":
			e.id = word(m.Value)
		case "time":
			e.time = word(m.Value)
		case "changes", "messaging", "standby", "changed_fields":
			if _, ok := webhook.Elements(m.Value); ok {
				e.lists = append(e.lists, m)
				continue
			}
		}
		shared = append(shared, m)
	}
	said := []webhook.Member{{Name: "object", Value: body["object"]}}
	if len(e.lists) > 0 && len(shared) > 0 {
		said = append(said, webhook.Member{Name: "entry", Value: objectOf(shared)})
	}
	e.context = objectOf(said)
	return e
}

// addEntry adds what the entry lists. One that lists nothing is an event itself: Instagram sends
// field and value right there.
func (b *batch) addEntry(e metaEntry) error {
	if len(e.lists) == 0 {
		return b.add(e.hashed("", readObject(e.raw).text("field"), string(e.raw), e.raw))
	}
	for _, l := range e.lists {
		all, _ := webhook.Elements(l.Value)
		for _, raw := range all {
			if err := b.add(e.item(l.Name, raw)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e metaEntry) item(list string, raw json.RawMessage) Item {
	switch list {
	case "changes":
		return e.hashed(list, readObject(raw).text("field"), string(raw), raw)
	case "changed_fields": // names alone, where the app is set to get no values
		return e.hashed(list, text(raw), text(raw)+"@"+e.time, raw)
	}
	kind := list
	if what := messagingKind(raw); what != "" {
		kind += "." + what
	}
	if mid := readObject(readObject(raw)["message"]).text("mid"); mid != "" {
		// The mid alone does not tell events apart: a message that is unsent comes again with the
		// mid it had, and two accounts, or two apps of which one stands by, get the same message.
		i := Item{Type: e.object + "." + kind, Key: mid, Data: raw, Context: e.context}
		i.Identity = identity(e.object, e.id, list, mid, digest(string(raw)))
		return i
	}
	// a mid elsewhere names the message that was read or liked
	return e.hashed(list, kind, string(raw), raw)
}

// hashed is an event without an id. The same may happen again: the entry's time tells when.
func (e metaEntry) hashed(list, kind, content string, data json.RawMessage) Item {
	i := Item{Type: e.object, Key: digest(e.object, e.id, content), Data: data, Context: e.context}
	if kind != "" {
		i.Type += "." + kind
	}
	i.Identity, i.SameFor = identity(i.Key, list, e.time), e.sameFor
	return i
}

// messagingKind is the member that says what happened. The others say who, to whom and when.
func messagingKind(raw json.RawMessage) string {
	kind := ""
	members, _ := webhook.Members(raw)
	for _, m := range members {
		switch m.Name {
		case "message":
			return m.Name
		case "sender", "recipient", "timestamp", "prior_message":
		default:
			kind = cmp.Or(kind, m.Name)
		}
	}
	return kind
}
