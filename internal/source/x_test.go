package source_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

const (
	xLegacy = "X-Twitter-Webhooks-Signature"
	xOAuth2 = "X-Twitter-Webhooks-Signature-OAuth2"
	xBoth   = `{"consumer_secret":"consumer","client_secret":"client"}`
)

func get(query string, headers ...string) source.Request {
	r := post("", headers...)
	r.Method, r.Query, r.Body = http.MethodGet, query, nil
	return r
}

func xPost(body string) source.Request {
	return post(body, xLegacy, "sha256="+base64MAC("consumer", body))
}

func TestXConfigs(t *testing.T) {
	t.Parallel()
	requireBadConfigs(t, "x", map[string]string{
		`{}`:                       "config.consumer_secret",
		`{"consumer_secret":""}`:   "config.consumer_secret",
		`{"consumer_secret":null}`: "config.consumer_secret",
		`{"client_secret":""}`:     "config.client_secret",
		`{"client_secret":"***"}`:  "config.client_secret",
		`{"consumer_secret":"` + secret + `","client_secret":""}`: "config.client_secret",
		`{"consumer_secret":7}`:                                   "config.consumer_secret",
		`{"secrets":["` + secret + `"]}`:                          "config.secrets",
	})
	requireShown(t, "x", `{"client_secret":"`+secret+`"}`, `{"client_secret":"***"}`)
	requireShown(t, "x", xBoth, `{"consumer_secret":"***","client_secret":"***"}`)
}

// requireShown says what is shown of a config, and that printing the provider shows no secret
// either.
func requireShown(t *testing.T, provider, config, shown string) {
	t.Helper()
	all, err := source.New(source.Config{Fetch: &shelf{}})
	require.NoError(t, err)
	raw, err := all.Shown(provider, json.RawMessage(config))
	require.NoError(t, err)
	require.JSONEq(t, shown, string(raw))
}

func TestXSignatures(t *testing.T) {
	t.Parallel()
	const body = `{"follow_events":[]}`
	consumer, client := "sha256="+base64MAC("consumer", body), "sha256="+base64MAC("client", body)
	const onlyConsumer, onlyClient = `{"consumer_secret":"consumer"}`, `{"client_secret":"client"}`
	for name, c := range map[string]struct {
		config  string
		headers []string
		genuine bool
	}{
		"legacy":                              {xBoth, []string{xLegacy, consumer}, true},
		"newer":                               {xBoth, []string{xOAuth2, client}, true},
		"both":                                {xBoth, []string{xLegacy, consumer, xOAuth2, client}, true},
		"both, legacy not checked":            {xBoth, []string{xLegacy, "sha256=", xOAuth2, client}, true},
		"both, newer wrong":                   {xBoth, []string{xLegacy, consumer, xOAuth2, consumer}, false},
		"both, newer empty":                   {xBoth, []string{xLegacy, consumer, xOAuth2, ""}, true},
		"both, newer cannot be checked":       {onlyConsumer, []string{xLegacy, consumer, xOAuth2, client}, true},
		"newer alone, cannot be checked":      {onlyConsumer, []string{xOAuth2, client}, false},
		"newer made with the wrong secret":    {onlyConsumer, []string{xOAuth2, consumer}, false},
		"client only":                         {onlyClient, []string{xOAuth2, client}, true},
		"client only, both":                   {onlyClient, []string{xLegacy, consumer, xOAuth2, client}, true},
		"client only, legacy":                 {onlyClient, []string{xLegacy, consumer}, false},
		"client only, legacy with the client": {onlyClient, []string{xLegacy, client}, false},
		"no prefix":                           {xBoth, []string{xLegacy, strings.TrimPrefix(consumer, "sha256=")}, false},
		"other prefix":                        {xBoth, []string{xLegacy, "sha1=" + strings.TrimPrefix(consumer, "sha256=")}, false},
		"not Base64":                          {xBoth, []string{xLegacy, "sha256=%"}, false},
		"empty":                               {xBoth, []string{xLegacy, "sha256="}, false},
		"second of two":                       {xBoth, []string{xLegacy, client, xLegacy, consumer}, false},
		"joined":                              {xBoth, []string{xLegacy, client + "," + consumer}, false},
		"none":                                {xBoth, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newProvider(t, "x", c.config).Verify(t.Context(), post(body, c.headers...))
			if c.genuine {
				require.NoError(t, err)
				return
			}
			requireStatus(t, http.StatusUnauthorized, err)
		})
	}
}

func TestXChallenges(t *testing.T) {
	t.Parallel()
	for config, key := range map[string]string{
		`{"consumer_secret":"consumer"}`: "consumer",
		`{"client_secret":"client"}`:     "client",
		xBoth:                            "consumer",
	} {
		p := newProvider(t, "x", config)
		r := get("nonce=1&crc_token=a%2Bb%2F-_.~%3D%3D")
		require.NoError(t, p.Verify(t.Context(), r))
		received, err := p.Read(r)
		require.NoError(t, err)
		require.Empty(t, received.Items)
		require.Equal(t, "application/json", received.Answer.ContentType)
		require.JSONEq(t, `{"response_token":"sha256=`+base64MAC(key, "a+b/-_.~==")+`"}`, string(received.Answer.Body))
	}
}

func TestXChallengesThatAreSigned(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "x", xBoth)
	const query = "crc_token=a&nonce=b"
	require.NoError(t, p.Verify(t.Context(), get(query, xLegacy, "sha256="+base64MAC("consumer", query))))
	require.NoError(t, p.Verify(t.Context(), get(query, xOAuth2, "sha256="+base64MAC("client", query))))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), get(query, xLegacy, "sha256="+base64MAC("consumer", "a"))))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), get(query, xOAuth2, "sha256="+base64MAC("consumer", query))))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), get(query, xLegacy, "nothing")))
	// A signature that we cannot check makes a challenge no worse than one without.
	p = newProvider(t, "x", `{"client_secret":"client"}`)
	require.NoError(t, p.Verify(t.Context(), get(query, xLegacy, "sha256="+base64MAC("consumer", query))))
}

// A person who has us answer a challenge gets a signature by X's secret. It must be good for no
// event.
func TestXChallengesSignNoEvent(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "x", xBoth)
	for _, query := range []string{
		"", "nonce=1", "crc_token=", "crc_token=%zz", "crc_token=a;b",
		`crc_token={}`, `crc_token=%20%7B%22tweet_create_events%22%3A%5B%7B%7D%5D%7D`, "crc_token=%0A%7B%7D",
		"crc_token=%5B%5D", `crc_token="a"`, "crc_token=a%00", "crc_token=%FF", "crc_token=" + strings.Repeat("a", 257),
	} {
		r := get(query)
		requireStatus(t, http.StatusBadRequest, p.Verify(t.Context(), r))
		received, err := p.Read(r)
		requireStatus(t, http.StatusBadRequest, err)
		require.Empty(t, received.Answer.Body)
	}
}

func TestXEvents(t *testing.T) {
	t.Parallel()
	const follow = `{"type":"follow","created_timestamp":"1517588749178","target":{"id":"3001969357","followers_count":100},"source":{"id":"63046977"}}`
	for name, c := range map[string]struct {
		body  string
		items []source.Item
	}{
		"a post": {
			`{ "for_user_id": "1", "tweet_create_events": [ {"id":10, "id_str":"10", "text":"<\u00e9>"} ] }`,
			[]source.Item{{
				Type: "tweet_create_events", Key: "10", Identity: "tweet_create_events:10@1",
				Data: json.RawMessage(`{"id":10, "id_str":"10", "text":"<\u00e9>"}`), Context: json.RawMessage(`{"for_user_id":"1"}`),
			}},
		},
		"a number for an id": {
			`{"favorite_events":[{"id":900719925474099312345}]}`,
			[]source.Item{{
				Type: "favorite_events", Key: "900719925474099312345", Identity: "favorite_events:900719925474099312345@",
				Data: json.RawMessage(`{"id":900719925474099312345}`),
			}},
		},
		"a follow": {
			`{"for_user_id":"1","follow_events":[` + follow + `]}`,
			[]source.Item{{
				Type: "follow_events", Key: hashOf("follow_events\n63046977\n3001969357\n1517588749178"),
				Identity: "follow_events:" + hashOf("follow_events\n63046977\n3001969357\n1517588749178") + "@1",
				Data:     json.RawMessage(follow), Context: json.RawMessage(`{"for_user_id":"1"}`),
			}},
		},
		"typing": {
			`{"direct_message_indicate_typing_events":[{"created_timestamp":"5","sender_id":"3","target":{"recipient_id":"4"}}]}`,
			[]source.Item{{
				Type: "direct_message_indicate_typing_events", Key: hashOf("direct_message_indicate_typing_events\n3\n4\n5"),
				Identity: "direct_message_indicate_typing_events:" + hashOf("direct_message_indicate_typing_events\n3\n4\n5") + "@",
				Data:     json.RawMessage(`{"created_timestamp":"5","sender_id":"3","target":{"recipient_id":"4"}}`),
			}},
		},
		"a message and who it is from": {
			`{"for_user_id":"1","direct_message_events":[{"id":"7"}],"apps": {"8":{"name":"a"}},"users":{"9": {}}}`,
			[]source.Item{{
				Type: "direct_message_events", Key: "7", Identity: "direct_message_events:7@1",
				Data: json.RawMessage(`{"id":"7"}`), Context: json.RawMessage(`{"for_user_id":"1","apps":{"8":{"name":"a"}},"users":{"9": {}}}`),
			}},
		},
		"elements that are nothing known": {
			`{"tweet_delete_events":[{"status":{"id":"6"}},null,"x",{"id":""}]}`,
			xHashed("tweet_delete_events", `{"status":{"id":"6"}}`, `null`, `"x"`, `{"id":""}`),
		},
		"a revoke": {
			`{"user_event":{"revoke":{"date_time":"2018-05-24T09:48:12+00:00"}}}`,
			[]source.Item{{
				Type: "user_event.revoke", Key: hashOf("user_event.revoke\n" + `{"revoke":{"date_time":"2018-05-24T09:48:12+00:00"}}`),
				SameFor: 24 * time.Hour, Data: json.RawMessage(`{"revoke":{"date_time":"2018-05-24T09:48:12+00:00"}}`),
			}},
		},
		"the end of a replay": {
			`{"replay_job_status":{"job_id":"1","job_state":"Complete"}}`,
			[]source.Item{{
				Type: "replay_job_status", Key: hashOf("replay_job_status\n" + `{"job_id":"1","job_state":"Complete"}`),
				SameFor: 24 * time.Hour, Data: json.RawMessage(`{"job_id":"1","job_state":"Complete"}`),
			}},
		},
		"an activity": {
			`{"data":{"event_uuid":"u1","event_type":"post.create","payload":{"id":"1"}}}`,
			[]source.Item{{Type: "post.create", Key: "u1", Data: json.RawMessage(`{"event_uuid":"u1","event_type":"post.create","payload":{"id":"1"}}`)}},
		},
		"an activity without an id": {
			`{"data":{"event_type":"post.create"}}`,
			[]source.Item{{Type: "post.create", Key: hashOf(`{"event_type":"post.create"}`), SameFor: 24 * time.Hour, Data: json.RawMessage(`{"event_type":"post.create"}`)}},
		},
		"a post of a filtered stream": {
			`{"data":{"id":"1","text":"a"},"matching_rules":[{"id":"2"}]}`,
			[]source.Item{{Key: hashOf(`{"data":{"id":"1","text":"a"},"matching_rules":[{"id":"2"}]}`), SameFor: 24 * time.Hour, Data: json.RawMessage(`{"data":{"id":"1","text":"a"},"matching_rules":[{"id":"2"}]}`)}},
		},
		"nothing":     {`{"for_user_id":"1","follow_events":[],"mute_events":null}`, nil},
		"nothing yet": {`{}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, r := newProvider(t, "x", xBoth), xPost(c.body)
			require.NoError(t, p.Verify(t.Context(), r))
			received, err := p.Read(r)
			require.NoError(t, err)
			require.Equal(t, source.Received{Items: c.items}, received)
			for _, item := range received.Items {
				require.NoError(t, webhook.CheckData(item.Data))
			}
		})
	}
}

// xHashed is what becomes of elements without an id.
func xHashed(kind string, elements ...string) []source.Item {
	var items []source.Item
	for _, e := range elements {
		key := hashOf(kind + "\n" + e)
		items = append(items, source.Item{
			Type: kind, Key: key, Identity: kind + ":" + key + "@", SameFor: 24 * time.Hour, Data: json.RawMessage(e),
		})
	}
	return items
}

// A follow is the same one when X tells of it again with other counts.
func TestXKeysDoNotDependOnCounts(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "x", xBoth)
	follow := func(followers string) source.Item {
		return requireOnly(t, p, xPost(`{"follow_events":[{"created_timestamp":"1","target":{"id":"2","followers_count":`+followers+`},"source":{"id":"3"}}]}`))
	}
	require.Equal(t, follow("1").ID(), follow("2").ID())
}

// A reply between two users who are both watched comes once for each.
func TestXTellsUsersApart(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "x", xBoth)
	one := requireOnly(t, p, xPost(`{"for_user_id":"1","tweet_create_events":[{"id_str":"10"}]}`))
	two := requireOnly(t, p, xPost(`{"for_user_id":"2","tweet_create_events":[{"id_str":"10"}]}`))
	require.Equal(t, one.Key, two.Key)
	require.NotEqual(t, one.ID(), two.ID())
}

func TestXBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "x", xBoth)
	longName := `{"` + strings.Repeat("x", 100_000) + `":[` + strings.Repeat("1,", 1000) + `1]}`
	manyEvents := `{"a":[` + strings.Repeat("1,", 60_000) + `1]}`
	manyUsers := `{"users":{"a":"` + strings.Repeat("x", 100_000) + `"},"a":[` + strings.Repeat("1,", 1000) + `1]}`
	oneTooMany := `{"a":[` + strings.Repeat("1,", 49_999) + `1],"user_event":{"revoke":{}}}` // taken without it, it would be lost
	for _, body := range []string{"", "a=b", "[]", "null", `{"a":[`, `{"a":[]} x`, manyUsers, manyEvents, oneTooMany, longName} {
		r := xPost(body)
		require.NoError(t, p.Verify(t.Context(), r))
		received, err := p.Read(r)
		requireStatus(t, http.StatusBadRequest, err)
		require.Empty(t, received.Items)
	}
}
