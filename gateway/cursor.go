package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"

	"hookloop/internal/webhook"
)

// checkSize is how many bytes of a cursor tell one we gave out from a typo. Nobody gains anything
// by forging one: it only says where a list goes on that its owner may read anyway.
const checkSize = 8

// newCursor makes a cursor of the place where list goes on; nil when there is nothing more. Temporal
// answers a damaged place like a failure of its own, so we must know by ourselves.
func newCursor(list string, place []byte) *string {
	if len(place) == 0 {
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(append(check(list, place), place...))
	return &s
}

// openCursor gives back the place; nil for the first page. A cursor belongs to the list, filters
// included, that gave it out.
func openCursor(list, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= checkSize || !bytes.Equal(raw[:checkSize], check(list, raw[checkSize:])) {
		return nil, webhook.Invalidf("cursor", "is not one this list has given out")
	}
	return raw[checkSize:], nil
}

func check(list string, place []byte) []byte {
	sum := sha256.Sum256(append([]byte(list+"\n"), place...))
	return sum[:checkSize]
}
