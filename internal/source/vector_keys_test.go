package source_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vectorKeys is what a vector's source is set up with, in the words of the vectors.
type vectorKeys struct {
	Secret  string   `json:"secret"`
	Secrets []string `json:"secrets"`

	AppSecret  string   `json:"app_secret"` // Meta's name of it
	AppSecrets []string `json:"app_secrets"`

	VerifyToken string         `json:"verify_token"` // Meta
	AllowSHA1   bool           `json:"allow_sha1"`   // Meta, GitHub
	PublicKey   string         `json:"public_key"`   // Standard Webhooks
	PublicKeys  []string       `json:"public_keys"`
	Username    string         `json:"username"` // generic
	Scheme      map[string]any `json:"scheme"`

	ConsumerSecret string `json:"consumer_secret"` // X
	ClientSecret   string `json:"client_secret"`

	WebhookID        string            `json:"webhook_id"` // PayPal
	Certs            map[string]string `json:"certs"`      // by URL, a name in vectorFile.PEM
	AllowedCertHosts []string          `json:"allowed_cert_hosts"`
	Trust            struct {
		Roots         []string `json:"roots"`
		Intermediates []string `json:"intermediates"`
	} `json:"trust"`

	Kind       string                    `json:"kind"` // Google: channel or pubsub
	Channels   map[string]map[string]any `json:"channels"`
	Expiration int64                     `json:"expiration"` // of every channel
	Audience   string                    `json:"audience"`
	Email      string                    `json:"email"`
	Issuers    []string                  `json:"issuers"`
	JWKS       json.RawMessage           `json:"jwks"`
}

// keys reads what a vector is set up with and passes over nothing: a key that is not understood
// here would make the verdict worthless.
func (v vector) keys(t *testing.T) vectorKeys {
	t.Helper()
	var k vectorKeys
	dec := json.NewDecoder(bytes.NewReader(v.Keys))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&k))
	return k
}

// config says a vector's keys in our words. Where PayPal's certificates may lie is not configurable
// with us.
func (v vector) config(t *testing.T, k vectorKeys) (provider string, config map[string]any) {
	t.Helper()
	tolerance := (time.Duration(v.Tolerance) * time.Second).String()
	switch v.Provider {
	case "mautic", "shopify":
		return v.Provider, set("secrets", k.secrets())
	case "stripe", "slack":
		return v.Provider, set("secrets", k.secrets(), "tolerance", tolerance)
	case "github":
		return v.Provider, set("secrets", k.secrets(), "allow_sha1", k.AllowSHA1)
	case "standard-webhooks":
		if k.PublicKey != "" {
			k.PublicKeys = append(k.PublicKeys, k.PublicKey)
		}
		return v.Provider, set("secrets", k.secrets(), "public_keys", k.PublicKeys, "tolerance", tolerance)
	case "generic-hmac":
		return "hmac", k.scheme()
	case "facebook":
		if k.VerifyToken == "" { // not every vector says it; it plays no part in a signature
			k.VerifyToken = "any"
		}
		return "meta", set("secrets", k.secrets(), "verify_token", k.VerifyToken, "allow_sha1", k.AllowSHA1)
	case "twitter":
		return "x", set("consumer_secret", k.ConsumerSecret, "client_secret", k.ClientSecret)
	case "paypal":
		return v.Provider, set("webhook_id", k.WebhookID)
	case "google":
		return k.google()
	}
	require.Fail(t, "no such provider", v.Provider)
	return "", nil
}

func (k vectorKeys) secrets() []string {
	all := slices.Concat(k.Secrets, k.AppSecrets)
	for _, s := range []string{k.Secret, k.AppSecret} {
		if s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (k vectorKeys) scheme() map[string]any {
	config := set("secrets", k.secrets(), "username", k.Username)
	for name, value := range k.Scheme {
		if seconds, ok := value.(float64); ok && name == "tolerance_s" {
			name, value = "tolerance", (time.Duration(seconds) * time.Second).String()
		}
		config[name] = value
	}
	return config
}

func (k vectorKeys) google() (provider string, config map[string]any) {
	if k.Kind == "pubsub" {
		return "google-pubsub", set("audience", k.Audience, "email", k.Email, "issuers", k.Issuers)
	}
	for _, c := range k.Channels {
		if k.Expiration != 0 {
			c["expiration"] = k.Expiration
		}
	}
	return "google-channel", set("channels", k.Channels)
}

// set makes a config of the values that are there.
func set(pairs ...any) map[string]any {
	config := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		switch value := pairs[i+1].(type) {
		case string:
			if value == "" || value == "0s" {
				continue
			}
		case []string:
			if len(value) == 0 {
				continue
			}
		}
		config[pairs[i].(string)] = pairs[i+1]
	}
	return config
}
