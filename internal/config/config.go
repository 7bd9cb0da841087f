// Package config turns environment into what each command needs, and says everything that is
// wrong at once, before anything opens. It is the only place that reads the environment.
package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"hookloop/internal/webhook"
)

// Env looks a variable up; empty means unset.
type Env func(name string) string

// OS is the environment of the process.
func OS(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// JWT says which tokens the gateway accepts. One of Secret, JWKSFile and JWKSURL is set at most.
type JWT struct {
	Secret   Secret `env:"HOOKLOOP_JWT_SECRET" secret:"yes" doc:"checks tokens: an HS256 secret of at least 32 bytes"`
	JWKSFile string `env:"HOOKLOOP_JWT_JWKS_FILE" doc:"or a JWKS file (RS256, ES256, EdDSA)"`
	JWKSURL  string `env:"HOOKLOOP_JWT_JWKS_URL" doc:"or a JWKS URL"`
	Issuer   string `env:"HOOKLOOP_JWT_ISSUER" envDefault:"hookloop" doc:"expected iss"`
	Audience string `env:"HOOKLOOP_JWT_AUDIENCE" envDefault:"hookloop" doc:"expected aud"`
}

// ReadJWT reads HOOKLOOP_JWT_*. Without any key it returns a JWT without one: `dev` then makes a
// secret, `serve` refuses.
func ReadJWT(lookup Env) (j JWT, err error) {
	if err := read(lookup, &j); err != nil {
		return j, err
	}
	return j, j.check()
}

func (j JWT) check() error {
	keys := 0
	for _, set := range []bool{len(j.Secret) > 0, j.JWKSFile != "", j.JWKSURL != ""} {
		if set {
			keys++
		}
	}
	if keys > 1 {
		return errors.New("set one of HOOKLOOP_JWT_SECRET, HOOKLOOP_JWT_JWKS_FILE and HOOKLOOP_JWT_JWKS_URL, not several")
	}
	if n := len(j.Secret); n > 0 && n < webhook.MinTokenSecret {
		return fmt.Errorf("HOOKLOOP_JWT_SECRET has %d bytes, HS256 needs at least %d", n, webhook.MinTokenSecret)
	}
	return nil
}

// HasKey says whether there is anything to check a token with.
func (j JWT) HasKey() bool { return len(j.Secret) > 0 || j.JWKSFile != "" || j.JWKSURL != "" }

// OIDC is a provider at which people sign in to the console. Zero: there is none.
type OIDC struct {
	Issuer       Issuer `env:"HOOKLOOP_OIDC_ISSUER" doc:"OpenID Connect provider at which people sign in to the console; its token must be one that HOOKLOOP_JWT_… believes"`
	ClientID     string `env:"HOOKLOOP_OIDC_CLIENT_ID" doc:"the console's id there; it leads back to HOOKLOOP_CONSOLE_URL/console/oidc"`
	ClientSecret string `env:"HOOKLOOP_OIDC_CLIENT_SECRET" secret:"yes" doc:"the console's secret there; unset: none"`
	Scopes       Words  `env:"HOOKLOOP_OIDC_SCOPES" doc:"asked for there beside openid"`
}

// Set says whether there is a provider.
func (o OIDC) Set() bool {
	return o.Issuer != "" || o.ClientID != "" || o.ClientSecret != "" || len(o.Scopes) > 0
}

func (e Everywhere) checkOIDC() error {
	if e.OIDC.Set() && (e.OIDC.Issuer == "" || e.OIDC.ClientID == "" || e.ConsoleURL == "") {
		return errors.New("HOOKLOOP_OIDC_ISSUER, HOOKLOOP_OIDC_CLIENT_ID and HOOKLOOP_CONSOLE_URL go together: set all three, or none of HOOKLOOP_OIDC_…")
	}
	return nil
}

// Ingest says what third parties' webhooks need besides their sources.
type Ingest struct {
	PublicURL     URL    `env:"HOOKLOOP_PUBLIC_URL" doc:"where third parties reach the gateway; unset: the address at which a request arrived"`
	GoogleKeysURL URL    `env:"HOOKLOOP_GOOGLE_KEYS_URL" doc:"Google's signing keys, if not at Google"`
	PayPalCAFile  string `env:"HOOKLOOP_PAYPAL_CA_FILE" doc:"PEM of PayPal's authorities, if not the system's"`
}
