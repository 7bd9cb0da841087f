package source

import (
	"bytes"
	"encoding/json"

	"hookloop/internal/webhook"
)

// batch gathers the events of a body whose events share something: X's for_user_id, the id of Meta's
// entry. An element by itself would lose that, so an event's Data is the body that would have come had
// it come alone. Every value in it is byte for byte as it came.
type batch struct {
	items []Item
	size  int
}

// maxBatch bounds what one body becomes. What is shared is written once for every event: without a
// bound, 256 KiB could become gigabytes.
const maxBatch = 16 << 20

func (b *batch) add(i Item) error {
	b.size += len(i.Data)
	if b.size > maxBatch {
		return unreadable("the body holds too many events that share too much")
	}
	b.items = append(b.items, i)
	return nil
}

// with is an object of what is shared and one more member.
func with(shared []webhook.Member, name string, value json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range shared {
		writeMember(&b, m.Name, m.Value)
		b.WriteByte(',')
	}
	writeMember(&b, name, value)
	b.WriteByte('}')
	return b.Bytes()
}

func writeMember(b *bytes.Buffer, name string, value json.RawMessage) {
	quoted, _ := json.Marshal(name) // a string always marshals
	b.Write(quoted)
	b.WriteByte(':')
	b.Write(value)
}

// arrayOf is an array of one element.
func arrayOf(element json.RawMessage) json.RawMessage {
	return bytes.Join([][]byte{[]byte("["), element, []byte("]")}, nil)
}

// word is a JSON string, or a number as it is written: ids come as either.
func word(raw json.RawMessage) string {
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return string(raw)
	}
	return text(raw)
}
