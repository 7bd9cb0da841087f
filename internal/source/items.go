package source

import (
	"encoding/json"
	"net/http"

	"hookloop/internal/webhook"
)

// object is a JSON object read once, its values untouched. Names are matched exactly and the last
// of two wins, as with most parsers; encoding/json would also take "ID" for "id".
type object map[string]json.RawMessage

// readObject gives nil for anything that is not one JSON object.
func readObject(raw []byte) object {
	members, err := webhook.Members(raw)
	if err != nil {
		return nil
	}
	o := make(object, len(members))
	for _, m := range members {
		o[m.Name] = m.Value
	}
	return o
}

// text is a member that is a JSON string, and empty for every other.
func (o object) text(name string) string { return text(o[name]) }

func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// only is a request that holds one event.
func only(i Item) (Received, error) { return Received{Items: []Item{i}}, nil }

// headerID is an id that a header holds: nothing where it holds bytes that no id has.
func headerID(h http.Header, name string) string {
	if id := h.Get(name); printable(id) {
		return id
	}
	return ""
}

// keyOr falls back on the content where the third party gave no id.
func keyOr(id string, content []byte) string {
	if id == "" {
		return digest(string(content))
	}
	return id
}
