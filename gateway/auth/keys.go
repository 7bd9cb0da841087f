package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hookloop/internal/published"
	"hookloop/internal/webhook"
)

const (
	// jwksInterval is how often the keys at a JWKS URL are read, besides when a token names an
	// unknown one.
	jwksInterval = time.Hour
	// jwksOldest is how long keys count while the URL cannot be read.
	jwksOldest = 24 * time.Hour
)

// Fetcher gets a document at an address that the operator chose, within a time-out of its own.
type Fetcher interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// keySource finds the key of a token, and fixes the algorithms it may be signed with.
type keySource struct {
	algorithms []string
	find       func(context.Context) jwt.Keyfunc
	again      func(context.Context) bool // looks whether the keys have changed, and says whether they were read
	stop       func()
}

func newKeySource(c Config) (keySource, error) {
	given := 0
	for _, is := range []bool{len(c.Secret) > 0, c.JWKSFile != "", c.JWKSURL != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return keySource{}, errors.New("exactly one of a secret, a JWKS file and a JWKS URL is required")
	case c.JWKSFile != "":
		return keysFromFile(c.JWKSFile)
	case c.JWKSURL != "":
		return keysFromURL(c)
	case len(c.Secret) < webhook.MinTokenSecret:
		return keySource{}, fmt.Errorf("the secret has %d bytes, at least %d are required", len(c.Secret), webhook.MinTokenSecret)
	}
	return keySource{
		algorithms: []string{jwt.SigningMethodHS256.Alg()},
		find: func(context.Context) jwt.Keyfunc {
			return func(*jwt.Token) (any, error) { return c.Secret, nil }
		},
		again: func(context.Context) bool { return false },
		stop:  func() {},
	}, nil
}

func keysFromFile(path string) (keySource, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return keySource{}, fmt.Errorf("JWKS file: %w", err)
	}
	keys, err := published.ReadKeys(raw)
	if errors.Is(err, published.ErrNoSet) {
		return keySource{}, fmt.Errorf("JWKS file %s is not a JSON Web Key Set", path)
	}
	if err != nil {
		return keySource{}, fmt.Errorf("JWKS file %s holds no key", path)
	}
	return publicKeys(func(context.Context, func([]published.Key) bool) ([]published.Key, error) { return keys, nil }), nil
}

func keysFromURL(c Config) (keySource, error) {
	if u, err := url.Parse(c.JWKSURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return keySource{}, errors.New("the JWKS URL is not an http or https URL")
	}
	if c.Fetch == nil {
		return keySource{}, errors.New("a JWKS URL needs a Fetch")
	}
	now := c.Now
	if now == nil {
		now = time.Now
	}
	document := published.New(published.Config[[]published.Key]{
		Fresh: jwksOldest, Oldest: jwksOldest, // Keep reads them far earlier
		Load: func(ctx context.Context) ([]published.Key, error) {
			keys, err := readJWKS(ctx, c)
			if err != nil && c.Logger != nil {
				c.Logger.WarnContext(ctx, "keys of tokens not read", slog.Any("error", err))
			}
			return keys, err
		},
	})
	source := publicKeys(func(ctx context.Context, has func([]published.Key) bool) ([]published.Key, error) {
		return document.Find(ctx, now(), has)
	})
	source.again = func(ctx context.Context) bool {
		fetched, err := document.Refresh(ctx, now())
		return fetched && err == nil
	}
	ctx, stop := context.WithCancel(context.Background())
	go document.Keep(ctx, jwksInterval, now)
	source.stop = stop
	return source, nil
}

func readJWKS(ctx context.Context, c Config) ([]published.Key, error) {
	raw, err := c.Fetch.Get(ctx, c.JWKSURL)
	if err != nil {
		return nil, err
	}
	return published.ReadKeys(raw)
}

// errUnknownKey is about a token that names a key which is not published.
var errUnknownKey = errors.New("unknown key")

// publicKeys gives those a token may be signed with: the one it names, or all. It fixes the
// algorithms; no symmetric one is among them.
func publicKeys(find func(context.Context, func([]published.Key) bool) ([]published.Key, error)) keySource {
	lookup := func(ctx context.Context) jwt.Keyfunc {
		return func(t *jwt.Token) (any, error) {
			suits := func(all []published.Key) bool { return len(suiting(all, t).Keys) > 0 }
			all, err := find(ctx, suits)
			if len(all) == 0 {
				return nil, &AwayError{cause: errors.Join(errNoKeys, err)}
			}
			if !suits(all) {
				return nil, errUnknownKey
			}
			return suiting(all, t), nil
		}
	}
	return keySource{
		algorithms: []string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg()},
		find:       lookup, again: func(context.Context) bool { return false }, stop: func() {},
	}
}

// suiting are the keys that a token may be signed with.
func suiting(all []published.Key, t *jwt.Token) (set jwt.VerificationKeySet) {
	id, named := t.Header["kid"].(string)
	for _, k := range all {
		if (!named || k.ID == id) && (k.Algorithm == "" || k.Algorithm == t.Method.Alg()) {
			set.Keys = append(set.Keys, k.Public)
		}
	}
	return set
}

var errNoKeys = errors.New("no key is at hand")
