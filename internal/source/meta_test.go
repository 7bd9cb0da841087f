package source_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

const metaConfig = `{"secrets":["new","old"],"verify_token":"` + secret + `"}`

func metaPost(body string) source.Request {
	return post(body, "X-Hub-Signature-256", "sha256="+hexMAC("new", body))
}

func TestMetaConfigs(t *testing.T) {
	t.Parallel()
	requireBadConfigs(t, "meta", map[string]string{
		`{"verify_token":"` + secret + `"}`:                    "config.secrets",
		`{"secrets":[],"verify_token":"a"}`:                    "config.secrets",
		`{"secrets":["` + secret + `",""],"verify_token":"a"}`: "config.secrets[1]",
		`{"secrets":["` + secret + `"]}`:                       "config.verify_token",
		`{"secrets":["a"],"verify_token":""}`:                  "config.verify_token",
		`{"secrets":["a"],"verify_token":"***"}`:               "config.verify_token",
		`{"secrets":["a"],"verify_token":"b","allow_sha1":1}`:  "config.allow_sha1",
	})
	requireShown(t, "meta", metaConfig, `{"secrets":["***","***"],"verify_token":"***"}`)
}

func TestMetaSignatures(t *testing.T) {
	t.Parallel()
	const body = `{"object":"page","entry":[]}`
	sha := func(key string) string { return "sha256=" + hexMAC(key, body) }
	old := func(key string) string { return "sha1=" + hex.EncodeToString(macOf(sha1.New, key, body)) }
	for name, c := range map[string]struct {
		headers []string
		strict  bool // genuine with SHA-256 only
		lenient bool // genuine with allow_sha1
	}{
		"new secret":            {[]string{"X-Hub-Signature-256", sha("new")}, true, true},
		"old secret":            {[]string{"X-Hub-Signature-256", sha("old")}, true, true},
		"other secret":          {[]string{"X-Hub-Signature-256", sha("older")}, false, false},
		"both":                  {[]string{"X-Hub-Signature-256", sha("new"), "X-Hub-Signature", old("new")}, true, true},
		"both, the newer wrong": {[]string{"X-Hub-Signature-256", sha("older"), "X-Hub-Signature", old("new")}, false, false},
		"SHA-1":                 {[]string{"X-Hub-Signature", old("old")}, false, true},
		"SHA-1, other secret":   {[]string{"X-Hub-Signature", old("older")}, false, false},
		"SHA-1 in the wrong":    {[]string{"X-Hub-Signature-256", old("new")}, false, false},
		"SHA-256 in the wrong":  {[]string{"X-Hub-Signature", sha("new")}, false, false},
		"second of two":         {[]string{"X-Hub-Signature-256", sha("older"), "X-Hub-Signature-256", sha("new")}, false, false},
		"no prefix":             {[]string{"X-Hub-Signature-256", hexMAC("new", body)}, false, false},
		"not hex":               {[]string{"X-Hub-Signature-256", "sha256=xy"}, false, false},
		"empty":                 {[]string{"X-Hub-Signature-256", "sha256="}, false, false},
		"none":                  {nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for config, genuine := range map[string]bool{
				metaConfig: c.strict,
				`{"secrets":["new","old"],"verify_token":"a","allow_sha1":true}`: c.lenient,
			} {
				err := newProvider(t, "meta", config).Verify(t.Context(), post(body, c.headers...))
				if genuine {
					require.NoError(t, err, config)
					continue
				}
				requireStatus(t, http.StatusUnauthorized, err)
			}
		})
	}
}

func TestMetaHandshakes(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "meta", metaConfig)
	query := func(mode, token, challenge string) string {
		return url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}.Encode()
	}
	r := get(query("subscribe", secret, "<b>1"))
	require.NoError(t, p.Verify(t.Context(), r))
	received, err := p.Read(r)
	require.NoError(t, err)
	require.Equal(t, source.Received{Answer: source.Answer{ContentType: "text/plain", Body: []byte("<b>1")}}, received)

	for _, q := range []string{
		"", query("subscribe", "", "1"), query("subscribe", "wrong", "1"), query("unsubscribe", secret, "1"),
		query("", secret, "1"), query("subscribe", secret+"x", "1"), "hub.mode=subscribe&hub.challenge=1",
		"hub.mode=subscribe;hub.verify_token=" + secret,
		"hub.mode=subscribe&hub.verify_token=wrong&hub.verify_token=" + secret,
	} {
		requireStatus(t, http.StatusForbidden, p.Verify(t.Context(), get(q)))
	}
	r = get(query("subscribe", secret, ""))
	require.NoError(t, p.Verify(t.Context(), r))
	_, err = p.Read(r)
	requireStatus(t, http.StatusBadRequest, err)
	// What opens the handshake is no key for events.
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "X-Hub-Signature-256", "sha256="+hexMAC(secret, "{}"))))
}

const metaContext = `{"object":"page","entry":{"id":"1","time":5}}`

// metaHashed is an event of an account "1" of "page" at time 5 without an id.
func metaHashed(kind, content, data, context string) source.Item {
	return source.Item{Type: kind, Key: hashOf("page\n1\n" + content), SameFor: 8 * 24 * time.Hour, Data: json.RawMessage(data), Context: json.RawMessage(context)}
}

func metaMessage(kind, mid, data string) source.Item {
	return source.Item{Type: kind, Key: mid, Data: json.RawMessage(data), Context: json.RawMessage(metaContext)}
}

// TestMetaTellsMessagesApart: a mid names a message and not what happened to it, to which account,
// or whom it is told.
func TestMetaTellsMessagesApart(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "meta", metaConfig)
	read := func(object, entry, list, message string) source.Item {
		return requireOnly(t, p, metaPost(`{"object":"`+object+`","entry":[{"id":"`+entry+`","time":5,"`+list+`":[{"message":`+message+`}]}]}`))
	}
	sent := read("instagram", "1", "messaging", `{"mid":"m","text":"hi"}`)
	require.Equal(t, sent.ID(), read("instagram", "1", "messaging", `{"mid":"m","text":"hi"}`).ID())
	require.Zero(t, sent.SameFor)
	for _, other := range []source.Item{
		read("instagram", "1", "messaging", `{"mid":"m","is_deleted":true}`),
		read("instagram", "1", "standby", `{"mid":"m","text":"hi"}`),
		read("instagram", "2", "messaging", `{"mid":"m","text":"hi"}`),
		read("page", "1", "messaging", `{"mid":"m","text":"hi"}`),
	} {
		require.Equal(t, "m", other.Key)
		require.NotEqual(t, sent.ID(), other.ID())
	}
}

// In these the entry is {"id":"1","time":5 and what it says}.
func TestMetaEvents(t *testing.T) {
	t.Parallel()
	whole := func(entry string) string { return `{"object":"page","entry":[{"id":"1","time":5,` + entry + `}]}` }
	same := func(kind, data string) source.Item { return metaHashed(kind, data, data, metaContext) }
	for name, c := range map[string]struct {
		entry string
		items []source.Item
	}{
		"changes": {`"changes":[ {"field":"feed", "value":"\/\u00e9<"} ,{"field":"name"}],"uid":"2"`, []source.Item{
			metaHashed("page.feed", `{"field":"feed", "value":"\/\u00e9<"}`, `{"field":"feed", "value":"\/\u00e9<"}`, `{"object":"page","entry":{"id":"1","time":5,"uid":"2"}}`),
			metaHashed("page.name", `{"field":"name"}`, `{"field":"name"}`, `{"object":"page","entry":{"id":"1","time":5,"uid":"2"}}`),
		}},
		"changes that are nothing known": {`"changes":[{},7,{"field":null}]`, []source.Item{
			same("page", `{}`), same("page", `7`), same("page", `{"field":null}`),
		}},
		"a message": {`"messaging":[{"sender":{"id":"3"},"message":{"mid":"m_1","text":"hi"}}]`, []source.Item{
			metaMessage("page.messaging.message", "m_1", `{"sender":{"id":"3"},"message":{"mid":"m_1","text":"hi"}}`),
		}},
		"a message another app answers": {`"standby":[{"message":{"mid":"m_1"}}]`, []source.Item{
			metaMessage("page.standby.message", "m_1", `{"message":{"mid":"m_1"}}`),
		}},
		"a message without an id": {`"messaging":[{"message":{"text":"hi"}}]`, []source.Item{
			same("page.messaging.message", `{"message":{"text":"hi"}}`),
		}},
		"a reaction to a message": {`"messaging":[{"sender":{},"recipient":{},"timestamp":1,"reaction":{"mid":"m_1"}}]`, []source.Item{
			same("page.messaging.reaction", `{"sender":{},"recipient":{},"timestamp":1,"reaction":{"mid":"m_1"}}`),
		}},
		"messaging that is nothing known": {`"messaging":[{"sender":{}},"x"]`, []source.Item{
			same("page.messaging", `{"sender":{}}`), same("page.messaging", `"x"`),
		}},
		"names of fields": {`"changed_fields":["photos","e\u006dail"]`, []source.Item{
			metaHashed("page.photos", `photos@5`, `"photos"`, metaContext),
			metaHashed("page.email", `email@5`, `"e\u006dail"`, metaContext),
		}},
		"the entry itself": {`"field":"comments","value":{"id":"c1"}`, []source.Item{
			metaHashed("page.comments", `{"id":"1","time":5,"field":"comments","value":{"id":"c1"}}`, `{"id":"1","time":5,"field":"comments","value":{"id":"c1"}}`, `{"object":"page"}`),
		}},
		"an entry of nothing known": {`"changes":7`, []source.Item{
			metaHashed("page", `{"id":"1","time":5,"changes":7}`, `{"id":"1","time":5,"changes":7}`, `{"object":"page"}`),
		}},
		"lists without elements": {`"changes":[],"messaging":[]`, nil},
		"several lists": {`"messaging":[{"message":{"mid":"m_1"}}],"changes":[{"field":"feed"}]`, []source.Item{
			metaMessage("page.messaging.message", "m_1", `{"message":{"mid":"m_1"}}`),
			same("page.feed", `{"field":"feed"}`),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, r := newProvider(t, "meta", metaConfig), metaPost(whole(c.entry))
			require.NoError(t, p.Verify(t.Context(), r))
			received, err := p.Read(r)
			require.NoError(t, err)
			for i := range received.Items {
				require.NotEmpty(t, received.Items[i].Identity)
				received.Items[i].Identity = "" // told apart below
			}
			require.Equal(t, source.Received{Items: c.items}, received)
			for _, item := range received.Items {
				require.NoError(t, webhook.CheckData(item.Data))
			}
		})
	}
}

func TestMetaSplitsSeveralEntries(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "meta", metaConfig)
	received, err := p.Read(metaPost(`{"object":"page","entry":[{"id":"1","time":5,"changes":[{"field":"feed"}]},{"id":1,"time":6,"changes":[{"field":"feed"}]},{"id":"2","changes":[{"field":"feed"}]},"x"]}`))
	require.NoError(t, err)
	items := received.Items
	require.Len(t, items, 4)
	require.Equal(t, items[0].Key, items[1].Key, "an id may be a number")
	require.NotEqual(t, items[0].ID(), items[1].ID(), "the same happened again")
	require.NotEqual(t, items[0].Key, items[2].Key)
	require.Equal(t, hashOf("page\n\n\"x\""), items[3].Key)
	require.Equal(t, `"x"`, string(items[3].Data))
	require.Equal(t, `{"object":"page","entry":{"id":"2"}}`, string(items[2].Context))
}

func TestMetaBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "meta", metaConfig)
	manyFields := `{"object":"page","entry":[{"a":"` + strings.Repeat("x", 100_000) + `","changes":[` + strings.Repeat("1,", 1000) + `1]}]}`
	longObject := `{"object":"` + strings.Repeat("x", 100_000) + `","entry":[` + strings.Repeat("1,", 1000) + `1]}`
	for _, body := range []string{
		"", "x", "[]", "{}", `{"object":"page"}`, `{"entry":[]}`, `{"object":7,"entry":[]}`, `{"object":"page","entry":{}}`,
		`{"object":"page","entry":[]} {}`, manyFields, longObject,
	} {
		r := metaPost(body)
		require.NoError(t, p.Verify(t.Context(), r))
		received, err := p.Read(r)
		requireStatus(t, http.StatusBadRequest, err)
		require.Empty(t, received.Items)
	}
}
