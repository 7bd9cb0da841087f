package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// cut takes off the one too many of what was found, which only tells that there are more. next is
// the position of the last that stays; nil: there are no more.
func cut[T any](found []T, limit int, position func(T) []byte) (page []T, next []byte) {
	if len(found) <= limit {
		return found, nil
	}
	return found[:limit], position(found[limit-1])
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
	mac := hmac.New(sha256.New, g.cursorKey)
	mac.Write([]byte(list + "\n"))
	mac.Write(position)
	return mac.Sum(nil)[:checkSize]
}

// position and openPlace make places in the attempt log positions of lists, and read them.
func position(p attemptlog.Place) []byte {
	place, _ := json.Marshal(p) // a time, texts and a number always marshal
	return place
}

func (g *Gateway) openPlace(list, cursor string) (p attemptlog.Place, err error) {
	place, err := g.openCursor(list, cursor)
	if err != nil || place == nil {
		return p, err
	}
	return p, json.Unmarshal(place, &p)
}
