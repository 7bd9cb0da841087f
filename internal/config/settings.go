package config

import (
	"net/url"
	"slices"
	"strings"
)

// Setting is a variable of the environment as it stands, for people.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"` // a secret is ***
	Default bool   `json:"default,omitempty"`
	About   string `json:"about"`
}

type known struct {
	name, standard, about string
	secret                bool
}

// settings are all variables that Hookloop reads itself.
var settings = []known{
	{"HOOKLOOP_LISTEN", standardListen, "host:port of the gateway", false},
	{"HOOKLOOP_OPS_LISTEN", "127.0.0.1:8081", "host:port of /healthz, /readyz and /metrics; a gateway's may be HOOKLOOP_LISTEN", false},
	{"HOOKLOOP_REGISTRY", "", "the registry: a PostgreSQL URL, or the path of a SQLite file", false},
	{"HOOKLOOP_REGISTRY_KEY_FILE", "", "the key that seals secrets", false},
	{"HOOKLOOP_HISTORY_KEY_FILE", "", "the keys that encrypt histories; unset: they are in clear", false},
	{"HOOKLOOP_UI_ORIGINS", "", "origins of Temporal UIs that may decode histories at /codec", false},
	{"HOOKLOOP_ALLOW_NETWORKS", "", "networks inside that endpoints may lie in; unset: none", false},
	{"HOOKLOOP_QUOTAS_FILE", "", "what each tenant may ask for, as JSON; unset: the same, generously, for all", false},
	{"HOOKLOOP_TRUSTED_PROXIES", "", "proxies whose X-Forwarded-For tells a client's address; unset: none", false},
	{"HOOKLOOP_RETENTION", "", "how long ended workflows are kept, at least 24h; used by migrate", false},
	{"HOOKLOOP_TEMPORAL_VISIBILITY", "", "PostgreSQL URL of Temporal's visibility database; used by migrate --lean-visibility", false},
	{"HOOKLOOP_JWT_SECRET", "", "checks tokens: an HS256 secret of at least 32 bytes", true},
	{"HOOKLOOP_JWT_JWKS_FILE", "", "or a JWKS file (RS256, ES256, EdDSA)", false},
	{"HOOKLOOP_JWT_JWKS_URL", "", "or a JWKS URL", false},
	{"HOOKLOOP_JWT_ISSUER", "hookloop", "expected iss", false},
	{"HOOKLOOP_JWT_AUDIENCE", "hookloop", "expected aud", false},
	{"HOOKLOOP_PUBLIC_URL", "", "where third parties reach the gateway; unset: the address at which a request arrived", false},
	{"HOOKLOOP_GOOGLE_KEYS_URL", "", "Google's signing keys, if not at Google", false},
	{"HOOKLOOP_PAYPAL_CA_FILE", "", "PEM of PayPal's authorities, if not the system's", false},
}

// Settings lists every variable with its effective value.
func Settings(env Env) []Setting {
	all := make([]Setting, len(settings))
	for i, s := range settings {
		value := env(s.name)
		all[i] = Setting{Name: s.name, Value: shown(s, or(value, s.standard)), Default: value == "", About: s.about}
	}
	return all
}

// Names lists every variable that Hookloop reads itself.
func Names() []string {
	all := make([]string, len(settings))
	for i, s := range settings {
		all[i] = s.name
	}
	return all
}

// harmless are the parameters of a registry's URL that say how to connect, and nothing about who.
var harmless = []string{
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "connect_timeout", "application_name", "search_path", "target_session_attrs", "host", "port",
}

// shown hides a secret, the password of a URL and what stands in its query: keys do.
func shown(s known, value string) string {
	switch {
	case value == "":
		return ""
	case s.secret, keywords.MatchString(value):
		return "***"
	case !strings.Contains(value, "://"):
		return value
	}
	u, err := url.Parse(value)
	if err != nil {
		return "***"
	}
	query := u.Query()
	for name := range query {
		if !slices.Contains(harmless, name) {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
