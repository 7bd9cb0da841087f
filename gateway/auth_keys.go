package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// How a JWKS URL is read. A token that names an unknown key makes us look again, but anybody can
// name one: not more than twice a minute, and no request waits longer than jwksTimeout for it.
const (
	minSecret    = 32 // bytes; HS256 is as strong as its key
	jwksTimeout  = 5 * time.Second
	jwksInterval = time.Hour
	jwksLookups  = 30 * time.Second
)

// keySource finds the key of a token, and fixes the algorithms it may be signed with.
type keySource struct {
	algorithms []string
	find       func(context.Context) jwt.Keyfunc
	stop       func()
}

func newKeySource(c AuthConfig) (keySource, error) {
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
	case len(c.Secret) < minSecret:
		return keySource{}, fmt.Errorf("the secret has %d bytes, at least %d are required", len(c.Secret), minSecret)
	}
	return keySource{
		algorithms: []string{jwt.SigningMethodHS256.Alg()},
		find: func(context.Context) jwt.Keyfunc {
			return func(*jwt.Token) (any, error) { return c.Secret, nil }
		},
		stop: func() {},
	}, nil
}

func keysFromFile(path string) (keySource, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return keySource{}, fmt.Errorf("JWKS file: %w", err)
	}
	set, err := keyfunc.NewJWKSetJSON(raw)
	if err != nil {
		return keySource{}, fmt.Errorf("JWKS file %s is not a JSON Web Key Set", path) // the cause may quote keys
	}
	keys, err := set.Storage().KeyReadAll(context.Background())
	if err != nil || len(keys) == 0 {
		return keySource{}, fmt.Errorf("JWKS file %s holds no key", path)
	}
	return publicKeys(set.Storage(), func() {})
}

func keysFromURL(c AuthConfig) (keySource, error) {
	if u, err := url.Parse(c.JWKSURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return keySource{}, errors.New("the JWKS URL is not an http or https URL")
	}
	failed := func(ctx context.Context, err error) {
		if c.Logger != nil {
			c.Logger.WarnContext(ctx, "keys of tokens not read", slog.Any("error", err))
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	set, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{c.JWKSURL}, keyfunc.Override{
		HTTPTimeout:             jwksTimeout,
		RateLimitWaitMax:        jwksTimeout,
		RefreshInterval:         jwksInterval,
		RefreshUnknownKID:       rate.NewLimiter(rate.Every(jwksLookups), 1),
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) { return failed },
	})
	if err != nil {
		stop()
		return keySource{}, fmt.Errorf("JWKS URL: %w", err)
	}
	return publicKeys(set.Storage(), stop)
}

// publicKeys finds keys that are for signatures. Symmetric keys in a set are of no use: no
// algorithm in the list takes one.
func publicKeys(store jwkset.Storage, stop func()) (keySource, error) {
	set, err := keyfunc.New(keyfunc.Options{Storage: store, UseWhitelist: []jwkset.USE{"", jwkset.UseSig}})
	if err != nil {
		stop()
		return keySource{}, err
	}
	find := func(ctx context.Context) jwt.Keyfunc {
		return func(t *jwt.Token) (any, error) {
			if !holdsKeys(ctx, store) {
				return nil, &unavailableError{what: "the server that publishes the keys of tokens", cause: errNoKeys}
			}
			return set.KeyfuncCtx(ctx)(t)
		}
	}
	algorithms := []string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg()}
	return keySource{algorithms: algorithms, find: find, stop: stop}, nil
}

// holdsKeys looks again when there has been no key so far: reading any unknown one does that.
func holdsKeys(ctx context.Context, store jwkset.Storage) bool {
	known, err := store.KeyReadAll(ctx)
	if err == nil && len(known) == 0 {
		_, _ = store.KeyRead(ctx, "") // its answer does not matter
		known, err = store.KeyReadAll(ctx)
	}
	return err == nil && len(known) > 0
}

var errNoKeys = errors.New("no key has been read yet")
