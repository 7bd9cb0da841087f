package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"hookloop/api"
	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// cut takes off the one too many of what was found, which only tells that there are more. next is
// the position of the last that stays; nil: there are no more.
func cut[T any](found []T, limit int, position func(T) []byte) (kept []T, next []byte) {
	if len(found) <= limit {
		return found, nil
	}
	return found[:limit], position(found[limit-1])
}

// page answers with a part of a list.
func page[F, T any](found []F, next *string, show func(F) T) *answerOf[api.Page[T]] {
	a := &answerOf[api.Page[T]]{Body: api.Page[T]{Data: make([]T, len(found)), NextCursor: next}}
	for i, f := range found {
		a.Body.Data[i] = show(f)
	}
	return a
}

// idsOf are those of what was found.
func idsOf[F any](found []F, id func(F) string) []string {
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = id(f)
	}
	return ids
}

// checkSize is how many bytes of a cursor say that a gateway of ours gave it out. Temporal answers
// a place that it did not give like a failure of its own.
const checkSize = 16

// newCursor makes a cursor of the position at which list goes on; nil when there is nothing more.
func (g *Gateway) newCursor(list string, position []byte) *string {
	if len(position) == 0 {
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(append(g.check(list, position), position...))
	return &s
}

// openCursor gives back the position; nil for the first page. A cursor belongs to the list, filters
// included, that gave it out.
func (g *Gateway) openCursor(list, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= checkSize || !hmac.Equal(raw[:checkSize], g.check(list, raw[checkSize:])) {
		return nil, webhook.Invalidf("cursor", "is not one this list has given out")
	}
	return raw[checkSize:], nil
}

func (g *Gateway) check(list string, position []byte) []byte {
	mac := hmac.New(sha256.New, g.cfg.CursorKey)
	mac.Write([]byte(list + "\n"))
	mac.Write(position)
	return mac.Sum(nil)[:checkSize]
}

// position and openPosition write a position in the attempt log as one of a list, and read it.
func position(p attemptlog.Position) []byte {
	text, _ := json.Marshal(p) // a time, texts and a number always marshal
	return text
}

func (g *Gateway) openPosition(list, cursor string) (p attemptlog.Position, err error) {
	text, err := g.openCursor(list, cursor)
	if err != nil || text == nil {
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}
