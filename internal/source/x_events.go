package source

import (
	"cmp"
	"encoding/json"
	"time"

	"hookloop/internal/webhook"
)

// xEvents reads a body of one of X's three products. An Account Activity body names its events by
// its members; the two newer ones have a member "data". An event without an id is the same for as
// long as sameFor.
func xEvents(body []byte, sameFor time.Duration) ([]Item, error) {
	members, err := webhook.Members(body)
	if err != nil {
		return nil, unreadable("the body is not a JSON object")
	}
	if data, ok := readObject(body)["data"]; ok {
		return []Item{xActivity(body, data, sameFor)}, nil
	}
	return xAccountActivity(members, sameFor)
}

// xActivity is an event of the X Activity API. A post that a filtered stream found has no type and
// is handed on with the rules it matched.
func xActivity(body []byte, data json.RawMessage, sameFor time.Duration) Item {
	event := readObject(data)
	if event.text("event_type") == "" {
		return Item{Key: digest(string(body)), SameFor: sameFor, Data: body}
	}
	i := Item{Type: event.text("event_type"), Key: event.text("event_uuid"), Data: data}
	if i.Key == "" {
		i.Key, i.SameFor = digest(string(data)), sameFor
	}
	return i
}

// xAccountActivity takes every list for a kind and its elements for events, and every other object
// for one event: user_event.revoke, replay_job_status and what may come. The rest, and the two maps
// that explain ids, are said of all of them.
func xAccountActivity(members []webhook.Member, sameFor time.Duration) ([]Item, error) {
	var shared, events []webhook.Member
	user := ""
	for _, m := range members {
		if m.Value[0] == '[' || m.Value[0] == '{' && m.Name != "apps" && m.Name != "users" {
			events = append(events, m)
			continue
		}
		shared = append(shared, m)
		if m.Name == "for_user_id" {
			user = word(m.Value)
		}
	}
	var b batch
	context := objectOf(shared)
	for _, m := range events {
		if err := b.addActivity(m, user, context, sameFor); err != nil {
			return nil, err
		}
	}
	return b.items, nil
}

func (b *batch) addActivity(m webhook.Member, user string, context json.RawMessage, sameFor time.Duration) error {
	all, isList := webhook.Elements(m.Value)
	if !isList {
		kind := m.Name
		if inner, err := webhook.Members(m.Value); err == nil && kind == "user_event" && len(inner) == 1 {
			kind += "." + inner[0].Name
		}
		return b.add(Item{Type: kind, Key: digest(kind, string(m.Value)), SameFor: sameFor, Data: m.Value, Context: context})
	}
	for _, raw := range all {
		i := Item{Type: m.Name, Key: xKey(m.Name, raw), Data: raw, Context: context}
		if i.Key == "" {
			i.Key, i.SameFor = digest(m.Name, string(raw)), sameFor
		}
		// The same post is an event for each user who is watched, and another kind may use the same
		// id.
		i.Identity = i.Type + ":" + i.Key + "@" + user
		if err := b.add(i); err != nil {
			return err
		}
	}
	return nil
}

// xKey is the id of a post, like or message. What one person did to another has none: who, whom and
// when tell it apart, and not the whole element, in which the counts of both change from one moment
// to the next. It is empty where there is neither.
func xKey(kind string, raw json.RawMessage) string {
	e := readObject(raw)
	for _, id := range []string{e.text("id_str"), word(e["id"])} {
		if id != "" {
			return id
		}
	}
	source, target := readObject(e["source"]), readObject(e["target"])
	who, whom := cmp.Or(word(source["id"]), word(e["sender_id"])), cmp.Or(word(target["id"]), word(target["recipient_id"]))
	when := word(e["created_timestamp"])
	if who == "" || whom == "" || when == "" {
		return ""
	}
	return digest(kind, who, whom, when)
}
