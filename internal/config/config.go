// Package config turns environment into what each command needs, and says everything that is
// wrong at once, before anything opens. It is the only place that reads the environment.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"hookloop/internal/webhook"
)

// Env looks a variable up; empty means unset.
type Env func(name string) string

// OS is the environment of the process.
func OS(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// JWT says which tokens the gateway accepts. Exactly one of Secret, JWKSFile and JWKSURL is set.
type JWT struct {
	Secret   []byte // HS256, at least webhook.MinTokenSecret bytes
	JWKSFile string
	JWKSURL  string
	Issuer   string
	Audience string
}

// ReadJWT reads HOOKLOOP_JWT_*. Without any key it returns a JWT without one: `dev` then makes a
// secret, `serve` refuses.
func ReadJWT(env Env) (JWT, error) {
	j := JWT{
		Secret:   []byte(env("HOOKLOOP_JWT_SECRET")),
		JWKSFile: env("HOOKLOOP_JWT_JWKS_FILE"),
		JWKSURL:  env("HOOKLOOP_JWT_JWKS_URL"),
		Issuer:   or(env("HOOKLOOP_JWT_ISSUER"), "hookloop"),
		Audience: or(env("HOOKLOOP_JWT_AUDIENCE"), "hookloop"),
	}
	keys := 0
	for _, set := range []bool{len(j.Secret) > 0, j.JWKSFile != "", j.JWKSURL != ""} {
		if set {
			keys++
		}
	}
	if keys > 1 {
		return j, errors.New("set one of HOOKLOOP_JWT_SECRET, HOOKLOOP_JWT_JWKS_FILE and HOOKLOOP_JWT_JWKS_URL, not several")
	}
	if n := len(j.Secret); n > 0 && n < webhook.MinTokenSecret {
		return j, fmt.Errorf("HOOKLOOP_JWT_SECRET has %d bytes, HS256 needs at least %d", n, webhook.MinTokenSecret)
	}
	return j, nil
}

// HasKey says whether there is anything to check a token with.
func (j JWT) HasKey() bool { return len(j.Secret) > 0 || j.JWKSFile != "" || j.JWKSURL != "" }

// Ingest says what third parties' webhooks need besides their sources.
type Ingest struct {
	PublicURL     string // where third parties reach the gateway, without a slash at its end; empty: the address at which a request arrived
	GoogleKeysURL string // where Google's signing keys are; empty: Google's own
	PayPalCAFile  string // PEM of what PayPal's certificates must lead to; empty: the system's
}

// ReadIngest reads HOOKLOOP_PUBLIC_URL, HOOKLOOP_GOOGLE_KEYS_URL and HOOKLOOP_PAYPAL_CA_FILE.
func ReadIngest(env Env) (Ingest, error) {
	i := Ingest{
		PublicURL:     strings.TrimRight(env("HOOKLOOP_PUBLIC_URL"), "/"),
		GoogleKeysURL: env("HOOKLOOP_GOOGLE_KEYS_URL"),
		PayPalCAFile:  env("HOOKLOOP_PAYPAL_CA_FILE"),
	}
	return i, errors.Join(checkURL("HOOKLOOP_PUBLIC_URL", i.PublicURL), checkURL("HOOKLOOP_GOOGLE_KEYS_URL", i.GoogleKeysURL))
}

func checkURL(name, raw string) error {
	if raw == "" {
		return nil
	}
	if u, err := url.Parse(raw); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return fmt.Errorf("%s must be a URL like https://hooks.example.com", name)
	}
	return nil
}

// Client says which gateway the commands talk to. Empty fields are found in dev.json.
type Client struct {
	Gateway string // base URL
	Tenant  string
	Token   string
	Own     string // base URL of the gateway whose tokens this environment can sign, or that it starts; empty: there is none
}

// ReadClient reads HOOKLOOP_GATEWAY, HOOKLOOP_TENANT and HOOKLOOP_TOKEN, and finds the gateway that is configured here.
func ReadClient(env Env) Client {
	return Client{
		Gateway: env("HOOKLOOP_GATEWAY"), Tenant: env("HOOKLOOP_TENANT"), Token: env("HOOKLOOP_TOKEN"), Own: ownGateway(env),
	}
}

// ownGateway is HOOKLOOP_GATEWAY, where a key for its tokens stands beside it, or the gateway that `hookloop serve`
// starts with this environment, as a process on the same machine reaches it.
func ownGateway(env Env) string {
	if jwt, _ := ReadJWT(env); !jwt.HasKey() { // whoever signs a token reports what is wrong with the key
		return ""
	}
	if gateway := env("HOOKLOOP_GATEWAY"); gateway != "" {
		return gateway
	}
	host, port, err := net.SplitHostPort(or(env("HOOKLOOP_LISTEN"), standardListen))
	if err != nil || port == "0" || env("HOOKLOOP_REGISTRY") == "" { // no gateway starts without one
		return ""
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
