package source

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/sync/singleflight"
)

// googleKeysURL is where Google publishes the keys of its tokens.
const googleKeysURL = "https://www.googleapis.com/oauth2/v3/certs"

const (
	// freshKeys is well within the hours for which Google announces a key before it signs with it.
	freshKeys = time.Hour
	// oldestKeys is how long a key may still count while Google cannot be asked. One that was taken
	// back must not count forever.
	oldestKeys = 24 * time.Hour
	// Anybody can send a token of a key that does not exist.
	askAgain = time.Minute
	tryAgain = 10 * time.Second // when the last try failed
)

// googleKeys keeps the keys Google signs its tokens with.
type googleKeys struct {
	fetch Fetcher
	url   string

	flight singleflight.Group

	mu     sync.Mutex
	keys   map[string]*rsa.PublicKey // by key id
	got    time.Time
	tried  time.Time
	failed error // of the last try
}

func newGoogleKeys(f Fetcher, url string) *googleKeys {
	if url == "" {
		url = googleKeysURL
	}
	return &googleKeys{fetch: f, url: url}
}

// key finds a key by its id. It asks Google when the keys are not fresh or the id is not among them.
func (g *googleKeys) key(ctx context.Context, id string, now time.Time) (*rsa.PublicKey, error) {
	if key := g.kept(id, now, freshKeys); key != nil {
		return key, nil
	}
	_, err := together(ctx, &g.flight, "keys", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, g.refresh(ctx, now)
	})
	if key := g.kept(id, now, oldestKeys); key != nil {
		return key, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, unverified("the token is signed with a key that Google does not have")
}

func (g *googleKeys) kept(id string, now time.Time, atMost time.Duration) *rsa.PublicKey {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.got) >= atMost {
		return nil
	}
	return g.keys[id]
}

// refresh fetches the keys, or repeats how the last try ended if that is not long ago. Only one runs
// at a time.
func (g *googleKeys) refresh(ctx context.Context, now time.Time) error {
	g.mu.Lock()
	since, last := now.Sub(g.tried).Abs(), g.failed
	g.mu.Unlock()
	if last == nil && since < askAgain || last != nil && since < tryAgain {
		return last
	}
	keys, err := g.load(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tried, g.failed = now, err
	if err == nil {
		g.keys, g.got = keys, now
	}
	return err
}

func (g *googleKeys) load(ctx context.Context) (map[string]*rsa.PublicKey, error) {
	document, err := g.fetch.Get(ctx, g.url)
	if err != nil {
		return nil, unavailable(err)
	}
	keys := readKeys(document)
	if len(keys) == 0 {
		return nil, unavailable(errors.New("there is no key in the document"))
	}
	return keys, nil
}

// readKeys passes over what is no RSA key to sign with: the set may get others one day.
func readKeys(document []byte) map[string]*rsa.PublicKey {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	keys := map[string]*rsa.PublicKey{}
	for _, raw := range set.Keys {
		k, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		use, id := k.Marshal().USE, k.Marshal().KID
		if key, ok := k.Key().(*rsa.PublicKey); ok && id != "" && (use == "" || use == jwkset.UseSig) {
			keys[id] = key
		}
	}
	return keys
}
