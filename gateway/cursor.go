package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"hookloop/internal/webhook"
)

// checkSize is how many bytes of a cursor say that a gateway of ours gave it out. Temporal answers a place
// that it did not give like a failure of its own.
const checkSize = 16

// newCursor makes a cursor of the place where list goes on; nil when there is nothing more.
func (g *Gateway) newCursor(list string, place []byte) *string {
	if len(place) == 0 {
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(append(g.check(list, place), place...))
	return &s
}

// openCursor gives back the place; nil for the first page. A cursor belongs to the list, filters
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

func (g *Gateway) check(list string, place []byte) []byte {
	mac := hmac.New(sha256.New, g.cursorKey)
	mac.Write([]byte(list + "\n"))
	mac.Write(place)
	return mac.Sum(nil)[:checkSize]
}
