package source_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

// signers is every provider that has a list of secrets, and how it signs.
var signers = map[string]struct {
	config func(secrets string) string
	sign   func(key, body string) source.Request
}{
	"mautic": {secretsOnly, func(key, body string) source.Request {
		return post(body, "Webhook-Signature", base64MAC(key, body))
	}},
	"stripe": {secretsOnly, func(key, body string) source.Request {
		return post(body, "Stripe-Signature", "t=1769860800,v1="+hexMAC(key, "1769860800.", body))
	}},
	"github": {secretsOnly, func(key, body string) source.Request {
		return post(body, "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+hexMAC(key, body))
	}},
	"shopify": {secretsOnly, func(key, body string) source.Request {
		return post(body, "X-Shopify-Topic", "orders/create", "X-Shopify-Hmac-SHA256", base64MAC(key, body))
	}},
	"slack": {secretsOnly, func(key, body string) source.Request {
		return post(body, "X-Slack-Request-Timestamp", "1769860800", "X-Slack-Signature", "v0="+hexMAC(key, "v0:1769860800:", body))
	}},
	"hmac": {func(secrets string) string {
		return `{"secrets":` + secrets + `,"header":"X-Sig","algorithm":"sha256","encoding":"hex"}`
	}, func(key, body string) source.Request {
		return post(body, "X-Sig", hexMAC(key, body))
	}},
}

func secretsOnly(secrets string) string { return `{"secrets":` + secrets + `}` }

func TestEveryConfiguredSecretVerifies(t *testing.T) {
	t.Parallel()
	const body = `{"id":"1"}`
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, name, s.config(`["new","old"]`))
			require.NoError(t, p.Verify(t.Context(), s.sign("new", body)))
			require.NoError(t, p.Verify(t.Context(), s.sign("old", body)))
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), s.sign("older", body)))
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), s.sign("", body)))
		})
	}
}

func TestAnotherBodyOrNoSignatureIsRefused(t *testing.T) {
	t.Parallel()
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, name, s.config(`["`+secret+`"]`))
			r := s.sign(secret, `{"amount":1}`)
			require.NoError(t, p.Verify(t.Context(), r))
			r.Body = []byte(`{"amount":2}`)
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post(`{"amount":1}`)))
		})
	}
}

// A proxy that joins what came twice would make room for a signature behind a bad one.
func TestOnlyTheFirstOfTwoSignatureHeadersCounts(t *testing.T) {
	t.Parallel()
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, name, s.config(`["`+secret+`"]`))
			forged, genuine := s.sign("not it", "{}"), s.sign(secret, "{}")
			for header, values := range genuine.Header {
				forged.Header[header] = append(forged.Header[header], values...)
			}
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), forged))
		})
	}
}

func TestSecretsAreRequiredAndNeverShown(t *testing.T) {
	t.Parallel()
	all, err := source.New(source.Config{Fetch: &shelf{}})
	require.NoError(t, err)
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireBadConfigs(t, name, map[string]string{
				s.config(`[]`):                   "config.secrets",
				s.config(`null`):                 "config.secrets",
				s.config(`[""]`):                 "config.secrets[0]",
				s.config(`["a",null]`):           "config.secrets[1]",
				s.config(`["***"]`):              "config.secrets[0]",
				s.config(`["` + secret + `",7]`): "config.secrets",
			})
			config := json.RawMessage(s.config(`["` + secret + `"]`))
			shown, err := all.Shown(name, config)
			require.NoError(t, err)
			require.JSONEq(t, s.config(`["***"]`), string(shown))
			p, err := all.Provider(name, config)
			require.NoError(t, err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
				printed := fmt.Sprintf(verb, p)
				require.NotContains(t, printed, secret)
				require.NotContains(t, printed, hex.EncodeToString([]byte(secret)))
			}
		})
	}
}

func TestWhatIsNoJSONIsUnreadable(t *testing.T) {
	t.Parallel()
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, name, s.config(`["`+secret+`"]`))
			for _, body := range []string{"", "Hello, World!", `{"a":`, `{"a":1}{`, "\x00\xff"} {
				r := s.sign(secret, body)
				require.NoError(t, p.Verify(t.Context(), r), "what is signed need not be JSON")
				_, err := p.Read(r)
				requireStatus(t, http.StatusBadRequest, err)
			}
		})
	}
}

func FuzzSigned(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","type":"a.b","action":"opened","event":{"type":"x"}}`), "application/json")
	f.Add([]byte(`payload=%7B%22type%22%3A%22block_actions%22%7D&command=%2Fx`), "application/x-www-form-urlencoded")
	f.Add([]byte(`{"a":[1,"",{},[]],"type":"url_verification","challenge":"c"}`), "")
	providers := map[string]source.Provider{}
	for name, s := range signers {
		providers[name] = newProvider(f, name, s.config(`["`+secret+`"]`))
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for name, s := range signers {
			r := s.sign(secret, string(body))
			r.Header.Set("Content-Type", contentType)
			require.NoError(t, providers[name].Verify(t.Context(), r))
			received, err := providers[name].Read(r)
			if err != nil {
				requireStatus(t, http.StatusBadRequest, err)
			}
			for _, item := range received.Items {
				require.True(t, json.Valid(item.Data), "%s", item.Data)
				require.NotEmpty(t, item.ID())
			}
		}
	})
}

func FuzzSignatureHeaders(f *testing.F) {
	f.Add("t=1769860800,v1=00,v1=x,v0=1", "1769860800")
	f.Add("sha256=abcdef", "-9223372036854775808")
	f.Add("v0=", "9223372036854775807")
	f.Add("v1,AAAA v1a,BBBB ,", "")
	providers := map[string]source.Provider{}
	for name, s := range signers {
		providers[name] = newProvider(f, name, s.config(`["`+secret+`"]`))
	}
	providers["standard-webhooks"] = newProvider(f, "standard-webhooks", `{"secrets":["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],"public_keys":["1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="]}`)
	f.Fuzz(func(t *testing.T, signature, stamp string) {
		r := post("{}")
		for _, name := range []string{
			"Webhook-Signature", "Stripe-Signature", "X-Hub-Signature-256", "X-Shopify-Hmac-Sha256", "Shopify-Hmac-Sha256",
			"X-Slack-Signature", "X-Sig", "Svix-Signature",
		} {
			r.Header.Set(name, signature)
		}
		for _, name := range []string{"X-Slack-Request-Timestamp", "Webhook-Timestamp"} {
			r.Header.Set(name, stamp)
		}
		r.Header.Set("Webhook-Id", "msg_1")
		for _, p := range providers { // an HMAC cannot be guessed
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
		}
	})
}
