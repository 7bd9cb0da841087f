package source_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

// standardKey is the key of standardSecret.
const standardKey = "0123456789abcdef01234567"

var standardSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(standardKey))

func standardPost(body, signature string) source.Request {
	return post(body, "webhook-id", "msg_1", "webhook-timestamp", "1769860800", "webhook-signature", signature)
}

func standardV1(id, stamp, body string) string {
	return "v1," + base64MAC(standardKey, id, ".", stamp, ".", body)
}

func TestStandardWebhooksHeaders(t *testing.T) {
	t.Parallel()
	good := standardV1("msg_1", "1769860800", "{}")
	for name, tc := range map[string]struct {
		id, stamp, signature string
		valid                bool
	}{
		"plain":               {"msg_1", "1769860800", good, true},
		"among others":        {"msg_1", "1769860800", "v1a,xx v2,AAAA  v1,!! garbage v1, " + good + " v1,AAAA", true},
		"five minutes old":    {"msg_1", "1769860500", standardV1("msg_1", "1769860500", "{}"), true},
		"five minutes ahead":  {"msg_1", "1769861100", standardV1("msg_1", "1769861100", "{}"), true},
		"too old":             {"msg_1", "1769860499", standardV1("msg_1", "1769860499", "{}"), false},
		"too new":             {"msg_1", "1769861101", standardV1("msg_1", "1769861101", "{}"), false},
		"milliseconds":        {"msg_1", "1769860800000", standardV1("msg_1", "1769860800000", "{}"), false},
		"another id":          {"msg_2", "1769860800", good, false},
		"a dot in the id":     {"msg.1", "1769860800", standardV1("msg.1", "1769860800", "{}"), false},
		"bytes in the id":     {"msg\xff", "1769860800", standardV1("msg\xff", "1769860800", "{}"), false},
		"no id":               {"", "1769860800", standardV1("", "1769860800", "{}"), false},
		"no time":             {"msg_1", "", standardV1("msg_1", "", "{}"), false},
		"no signature":        {"msg_1", "1769860800", "", false},
		"other version":       {"msg_1", "1769860800", strings.Replace(good, "v1", "v2", 1), false},
		"v1 as v1a":           {"msg_1", "1769860800", strings.Replace(good, "v1", "v1a", 1), false},
		"without its version": {"msg_1", "1769860800", strings.TrimPrefix(good, "v1,"), false},
		"hex":                 {"msg_1", "1769860800", "v1," + hexMAC(standardKey, "msg_1.1769860800.{}"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "standard-webhooks", `{"secrets":["`+standardSecret+`"]}`)
			err := p.Verify(t.Context(), post("{}", "webhook-id", tc.id, "webhook-timestamp", tc.stamp, "webhook-signature", tc.signature))
			if tc.valid {
				require.NoError(t, err)
			} else {
				requireStatus(t, http.StatusUnauthorized, err)
			}
		})
	}
}

func TestStandardWebhooksRotation(t *testing.T) {
	t.Parallel()
	const other = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXI="
	for _, secrets := range []string{`"` + other + `","` + standardSecret + `"`, `"` + strings.TrimPrefix(standardSecret, "whsec_") + `"`} {
		p := newProvider(t, "standard-webhooks", `{"secrets":[`+secrets+`]}`)
		require.NoError(t, p.Verify(t.Context(), standardPost("{}", standardV1("msg_1", "1769860800", "{}"))))
	}
	p := newProvider(t, "standard-webhooks", `{"secrets":["`+other+`"]}`)
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), standardPost("{}", standardV1("msg_1", "1769860800", "{}"))))
}

func TestStandardWebhooksPublicKeys(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	another, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	text := func(k ed25519.PublicKey) string { return "whpk_" + base64.StdEncoding.EncodeToString(k) }
	v1a := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte("msg_1.1769860800.{}")))
	v1 := standardV1("msg_1", "1769860800", "{}")

	one := newProvider(t, "standard-webhooks", `{"public_keys":["`+text(another)+`","`+text(public)+`"]}`)
	require.NoError(t, one.Verify(t.Context(), standardPost("{}", v1a)))
	require.NoError(t, one.Verify(t.Context(), standardPost("{}", v1+" v1a,AAAA "+v1a)))
	requireStatus(t, http.StatusUnauthorized, one.Verify(t.Context(), standardPost("{} ", v1a)))
	requireStatus(t, http.StatusUnauthorized, one.Verify(t.Context(), standardPost("{}", v1)))
	requireStatus(t, http.StatusUnauthorized, one.Verify(t.Context(), standardPost("{}", strings.Replace(v1a, "v1a", "v1", 1))))
	// a long list is not worked through
	requireStatus(t, http.StatusUnauthorized, one.Verify(t.Context(), standardPost("{}", strings.Repeat("v1a,AAAA ", 4)+v1a)))

	wrong := newProvider(t, "standard-webhooks", `{"public_keys":["`+text(another)+`"]}`)
	requireStatus(t, http.StatusUnauthorized, wrong.Verify(t.Context(), standardPost("{}", v1a)))

	both := newProvider(t, "standard-webhooks", `{"secrets":["`+standardSecret+`"],"public_keys":["`+text(public)+`"]}`)
	require.NoError(t, both.Verify(t.Context(), standardPost("{}", v1)))
	require.NoError(t, both.Verify(t.Context(), standardPost("{}", v1a)))
}

func TestSvixHeaders(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "standard-webhooks", `{"secrets":["`+standardSecret+`"]}`)
	svix := func(signature string) source.Request {
		return post("{}", "svix-id", "msg_1", "svix-timestamp", "1769860800", "svix-signature", signature)
	}
	good := standardV1("msg_1", "1769860800", "{}")
	require.NoError(t, p.Verify(t.Context(), svix(good)))
	require.Equal(t, "msg_1", requireOnly(t, p, svix(good)).Key)

	both := svix("v1,AAAA")
	both.Header.Set("webhook-id", "msg_1")
	both.Header.Set("webhook-timestamp", "1769860800")
	both.Header.Set("webhook-signature", good)
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), both))
	both.Header.Del("svix-timestamp") // as in Svix's libraries, all three or none
	require.NoError(t, p.Verify(t.Context(), both))

	both = svix(good) // the id that is read is the one that was verified
	both.Header.Set("webhook-id", "msg_2")
	require.NoError(t, p.Verify(t.Context(), both))
	require.Equal(t, "msg_1", requireOnly(t, p, both).Key)
}

func TestStandardWebhooksEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "standard-webhooks", `{"secrets":["`+standardSecret+`"]}`)
	for body, want := range map[string]string{
		`{"type":"contact.updated","timestamp":"x","data":{"type":"inner"}}`: "contact.updated",
		`{"test": 2432232314}`: "",
		`{"type":7}`:           "",
		`["type"]`:             "",
		` "type" `:             "",
	} {
		i := requireOnly(t, p, standardPost(body, ""))
		require.Equal(t, source.Item{Type: want, Key: "msg_1", Data: []byte(body), Context: []byte(`{"webhook_id":"msg_1"}`)}, i)
	}
	for _, body := range []string{"", "type=x", `{"type":"x"`} {
		_, err := p.Read(standardPost(body, ""))
		requireStatus(t, http.StatusBadRequest, err)
	}
}

func TestStandardWebhooksConfigs(t *testing.T) {
	t.Parallel()
	good := `{"secrets":["` + standardSecret + `"]`
	requireBadConfigs(t, "standard-webhooks", map[string]string{
		`{}`:                                         "config",
		`{"secrets":[],"public_keys":[]}`:            "config",
		`{"secrets":["whsec_"]}`:                     "config.secrets[0]",
		`{"secrets":[""]}`:                           "config.secrets[0]",
		`{"secrets":["***"]}`:                        "config.secrets[0]",
		`{"secrets":["AAAA","` + secret + `"]}`:      "config.secrets[1]",
		`{"public_keys":["` + standardSecret + `"]}`: "config.public_keys[0]",
		`{"public_keys":[""]}`:                       "config.public_keys[0]",
		`{"public_keys":["","","","",""]}`:           "config.public_keys",
		good + `,"public_keys":["whpk_AAAA"]}`:       "config.public_keys[0]",
		good + `,"public_keys":"` + secret + `"}`:    "config.public_keys",
		good + `,"tolerance":"1ms"}`:                 "config.tolerance",
		good + `,"secret":"` + secret + `"}`:         "config.secret",
	})
}
