package source

import (
	"bytes"
	"encoding/json"
	"strings"

	"hookloop/internal/webhook"
)

// batch gathers the events of a body that says some things of all of them: X's for_user_id, the id
// of Meta's entry.
type batch struct {
	items []Item
	size  int
}

// maxBatch bounds what one body becomes. Each event carries what was said of all: without a bound,
// 256 KiB could become gigabytes.
const maxBatch = 64 << 20

func (b *batch) add(i Item) error {
	b.size += len(i.Type) + len(i.Key) + len(i.Identity) + len(i.Data) + len(i.Context)
	if b.size > maxBatch || len(b.items) == maxElements {
		return unreadable("the body holds too many events")
	}
	b.items = append(b.items, i)
	return nil
}

// objectOf is a JSON object of some members, their values byte for byte; nil when there are none.
func objectOf(members []webhook.Member) json.RawMessage {
	if len(members) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(webhook.Quote(m.Name))
		b.WriteByte(':')
		b.Write(m.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// word is a JSON string, or a number as it is written: ids come as either.
func word(raw json.RawMessage) string {
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return string(raw)
	}
	return text(raw)
}

// printable says whether a header's value can stand in a key: some visible ASCII, where HTTP allows
// any bytes.
func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}
