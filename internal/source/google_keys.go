package source

import (
	"context"
	"crypto/rsa"
	"errors"
	"time"

	"hookloop/internal/published"
)

// googleKeysURL is where Google publishes the keys of its tokens.
const googleKeysURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	// freshKeys is well within the hours for which Google announces a key before it signs with it.
	freshKeys = time.Hour
	// oldestKeys is how long a key may still count while Google cannot be asked. One that was taken
	// back must not count forever.
	oldestKeys = 24 * time.Hour
)

// googleKeys keeps the keys Google signs its tokens with.
type googleKeys struct {
	document *published.Document[map[string]*rsa.PublicKey] // by key id
}

func newGoogleKeys(f Fetcher, url string) *googleKeys {
	if url == "" {
		url = googleKeysURL
	}
	return &googleKeys{published.New(published.Config[map[string]*rsa.PublicKey]{
		Fresh: freshKeys, Oldest: oldestKeys,
		Load: func(ctx context.Context) (map[string]*rsa.PublicKey, error) {
			document, err := f.Get(ctx, url)
			if err != nil {
				return nil, err
			}
			return readKeys(document)
		},
	})}
}

// key finds a key by its id. Google is asked when the keys are not fresh or the id is not among them.
func (g *googleKeys) key(ctx context.Context, id string, now time.Time) (*rsa.PublicKey, error) {
	keys, err := g.document.Find(ctx, now, func(keys map[string]*rsa.PublicKey) bool { return keys[id] != nil })
	switch {
	case err == nil:
		return keys[id], nil
	case errors.Is(err, published.ErrUnknown):
		return nil, unverified("the token is signed with a key that Google does not have")
	}
	return nil, unavailable(err)
}

// readKeys gives the RSA keys that have an id.
func readKeys(document []byte) (map[string]*rsa.PublicKey, error) {
	all, err := published.ReadKeys(document)
	if err != nil {
		return nil, err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range all {
		if key, ok := k.Public.(*rsa.PublicKey); ok && k.ID != "" {
			keys[k.ID] = key
		}
	}
	if len(keys) == 0 {
		return nil, published.ErrNoKeys
	}
	return keys, nil
}
