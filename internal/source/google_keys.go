package source

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"time"
)

// GoogleKeysURL is where Google publishes the keys of its tokens.
const GoogleKeysURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	// FreshGoogleKeys is well within the hours for which Google announces a key before it signs
	// with it.
	FreshGoogleKeys = time.Hour
	// OldestGoogleKeys is how long a key may still count while Google cannot be asked. One that was
	// taken back must not count forever.
	OldestGoogleKeys = 24 * time.Hour
)

// Keys are those that a third party publishes and signs with. published.KeySet is one.
type Keys interface {
	// Key finds a key by its id, and gives nil where the third party has none. An error says that
	// it could not be asked.
	Key(ctx context.Context, id string, now time.Time) (crypto.PublicKey, error)
}

// googleKey finds a key that Google signs its tokens with.
func googleKey(ctx context.Context, keys Keys, id string, now time.Time) (*rsa.PublicKey, error) {
	if keys == nil {
		return nil, unavailable(errors.New("it is not said where Google's keys are"))
	}
	found, err := keys.Key(ctx, id, now)
	if err != nil {
		return nil, unavailable(err)
	}
	key, ok := found.(*rsa.PublicKey)
	if !ok {
		return nil, unverified("the token is signed with a key that Google does not have")
	}
	return key, nil
}
