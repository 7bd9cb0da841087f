package published

import (
	"context"
	"crypto"
	"errors"
	"time"
)

// KeySet is a JSON Web Key Set that is fetched when it is asked for a key, and kept.
type KeySet struct {
	document *Document[map[string]crypto.PublicKey] // by key id
}

// NewKeySet makes a KeySet of what get fetches: taken as it is for the time fresh, and for at most
// the time oldest while it cannot be fetched.
func NewKeySet(fresh, oldest time.Duration, get func(context.Context) ([]byte, error)) *KeySet {
	return &KeySet{New(Config[map[string]crypto.PublicKey]{Fresh: fresh, Oldest: oldest, Load: func(ctx context.Context) (map[string]crypto.PublicKey, error) {
		document, err := get(ctx)
		if err != nil {
			return nil, err
		}
		return byID(document)
	}})}
}

// Key finds a key by its id, and gives nil where the set has none. It fetches the set when that at
// hand is not fresh or lacks the id; the error is that of the last fetch.
func (s *KeySet) Key(ctx context.Context, id string, now time.Time) (crypto.PublicKey, error) {
	keys, err := s.document.Find(ctx, now, func(keys map[string]crypto.PublicKey) bool { return keys[id] != nil })
	if errors.Is(err, ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return keys[id], nil
}

// byID gives the keys that have an id.
func byID(document []byte) (map[string]crypto.PublicKey, error) {
	all, err := ReadKeys(document)
	if err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for _, k := range all {
		if k.ID != "" {
			keys[k.ID] = k.Public
		}
	}
	if len(keys) == 0 {
		return nil, ErrNoKeys
	}
	return keys, nil
}
