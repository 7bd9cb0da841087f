package source_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

const oneToken = `{"token":"` + secret + `"}`

// channelPost is a message of channel "c1" about a calendar, with some headers changed; an empty
// value takes one away.
func channelPost(body string, changes ...string) source.Request {
	r := post(body,
		"X-Goog-Channel-ID", "c1", "X-Goog-Channel-Token", secret, "X-Goog-Resource-ID", "r1",
		"X-Goog-Resource-URI", "https://www.googleapis.com/calendar/v3/calendars/a@b.example/events?alt=json",
		"X-Goog-Resource-State", "exists", "X-Goog-Message-Number", "10",
	)
	for i := 0; i < len(changes); i += 2 {
		r.Header.Del(changes[i])
		if changes[i+1] != "" {
			r.Header.Set(changes[i], changes[i+1])
		}
	}
	return r
}

func TestGoogleChannelConfigs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("c", 65)
	requireBadConfigs(t, "google-channel", map[string]string{
		`{}`:                               "config.token",
		`{"channels":{}}`:                  "config.token",
		`{"token":""}`:                     "config.token",
		`{"token":null}`:                   "config.token",
		`{"token":"***"}`:                  "config.token",
		`{"channels":{"c1":{}}}`:           "config.channels.c1.token",
		`{"channels":{"c1":{"token":""}}}`: "config.channels.c1.token",
		`{"channels":{"":{"token":"a"}}}`:  "config.channels",
		`{"channels":{"` + long + `":{"token":"a"}}}`:          "config.channels",
		`{"channels":{"c1":{"token":"a","expiration":-1}}}`:    "config.channels.c1.expiration",
		`{"channels":{"c1":{"token":"` + secret + `","x":1}}}`: "config.x",
	})
	requireShown(t, "google-channel", oneToken, `{"token":"***"}`)
	requireShown(t, "google-channel",
		`{"channels":{"c1":{"token":"`+secret+`","resource_id":"r","expiration":5}}}`,
		`{"channels":{"c1":{"token":"***","resource_id":"r","expiration":5}}}`)
}

func TestGoogleChannelTokens(t *testing.T) {
	t.Parallel()
	const listed = `{"channels":{"c1":{"token":"` + secret + `","resource_id":"r1","expiration":1769860801}}}`
	const both = `{"token":"other","channels":{"c1":{"token":"` + secret + `"}}}`
	past, now := receivedAt.Add(-time.Second).UTC().Format(http.TimeFormat), receivedAt.UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		config  string
		changes []string
		status  int
	}{
		"one token":                 {oneToken, nil, 0},
		"any channel":               {oneToken, []string{"X-Goog-Channel-ID", "c9"}, 0},
		"no channel":                {oneToken, []string{"X-Goog-Channel-ID", ""}, 403},
		"a channel of any bytes":    {oneToken, []string{"X-Goog-Channel-ID", "c\xff"}, 403},
		"a channel too long":        {oneToken, []string{"X-Goog-Channel-ID", strings.Repeat("c", 65)}, 403},
		"wrong token":               {oneToken, []string{"X-Goog-Channel-Token", "guess"}, 403},
		"no token":                  {oneToken, []string{"X-Goog-Channel-Token", ""}, 403},
		"listed":                    {listed, nil, 0},
		"listed, wrong token":       {listed, []string{"X-Goog-Channel-Token", "guess"}, 403},
		"not listed":                {listed, []string{"X-Goog-Channel-ID", "c9"}, 403},
		"not listed, no token":      {listed, []string{"X-Goog-Channel-ID", "c9", "X-Goog-Channel-Token", ""}, 403},
		"wrong resource":            {listed, []string{"X-Goog-Resource-ID", "r9"}, 403},
		"no resource":               {listed, []string{"X-Goog-Resource-ID", ""}, 403},
		"listed beside a token":     {both, nil, 0},
		"that token for one listed": {both, []string{"X-Goog-Channel-Token", "other"}, 403},
		"that token for the others": {both, []string{"X-Goog-Channel-ID", "c9", "X-Goog-Channel-Token", "other"}, 0},
		"expired, it says":          {oneToken, []string{"X-Goog-Channel-Expiration", past}, 410},
		"expired just now":          {oneToken, []string{"X-Goog-Channel-Expiration", now}, 410},
		"an expiration of no time":  {oneToken, []string{"X-Goog-Channel-Expiration", "soon"}, 0},
		"expired, wrong token":      {oneToken, []string{"X-Goog-Channel-Expiration", past, "X-Goog-Channel-Token", "guess"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newProvider(t, "google-channel", c.config).Verify(t.Context(), channelPost("", c.changes...))
			if c.status == 0 {
				require.NoError(t, err)
				return
			}
			requireStatus(t, c.status, err)
		})
	}
	r := channelPost("")
	r.Now = r.Now.Add(time.Second)
	requireStatus(t, http.StatusGone, newProvider(t, "google-channel", listed).Verify(t.Context(), r))
}

func TestGoogleChannelEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "google-channel", oneToken)
	const fixed = `"channel_id":"c1","message_number":"10","resource_id":"r1"`
	const calendar = fixed + `,"resource_uri":"https://www.googleapis.com/calendar/v3/calendars/a@b.example/events?alt=json"`
	for name, c := range map[string]struct {
		body    string
		changes []string
		kind    string
		data    string
	}{
		"calendar": {"", nil, "calendar.exists", `{` + calendar + `,"resource_state":"exists"}`},
		"drive": {
			`{"kind":"drive#changes",  "a":"\u003c<"}`,
			[]string{"X-Goog-Resource-URI", "https://www.googleapis.com/drive/v3/changes", "X-Goog-Resource-State", "change", "X-Goog-Changed", "content,properties", "X-Goog-Channel-Expiration", "Tue, 19 Nov 2030 01:13:52 GMT"},
			"drive.change",
			`{"channel_id":"c1","channel_expiration":"Tue, 19 Nov 2030 01:13:52 GMT","message_number":"10","resource_id":"r1","resource_uri":"https://www.googleapis.com/drive/v3/changes","resource_state":"change","changed":"content,properties","body":{"kind":"drive#changes",  "a":"\u003c<"}}`,
		},
		"a body that is no JSON": {"hello", []string{"X-Goog-Resource-URI", ""}, "channel.exists", `{` + fixed + `,"resource_state":"exists"}`},
		"an address of nothing":  {"", []string{"X-Goog-Resource-URI", "%zz"}, "channel.exists", `{` + fixed + `,"resource_uri":"%zz","resource_state":"exists"}`},
		"a header of any bytes":  {"", []string{"X-Goog-Resource-URI", "\xff\"<"}, `` + "\xff\"<" + `.exists`, `{` + fixed + `,"resource_uri":"\ufffd\"\u003c","resource_state":"exists"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item := requireOnly(t, p, channelPost(c.body, c.changes...))
			require.Equal(t, c.data, string(item.Data))
			item.Data = nil
			require.Equal(t, source.Item{Type: c.kind, Key: "c1:10"}, item)
			require.NotContains(t, c.data, secret)
		})
	}
}

func TestGoogleChannelBegins(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "google-channel", oneToken)
	r := channelPost("", "X-Goog-Resource-State", "sync", "X-Goog-Message-Number", "1")
	require.NoError(t, p.Verify(t.Context(), r))
	received, err := p.Read(r)
	require.NoError(t, err)
	require.Equal(t, source.Received{}, received)
}

func TestGoogleChannelMessagesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "google-channel", oneToken)
	for _, changes := range [][]string{
		{"X-Goog-Message-Number", ""},
		{"X-Goog-Message-Number", "-1"},
		{"X-Goog-Message-Number", "1e3"},
		{"X-Goog-Message-Number", "99999999999999999999"},
		{"X-Goog-Resource-State", ""},
	} {
		_, err := p.Read(channelPost("", changes...))
		requireStatus(t, http.StatusBadRequest, err)
	}
}

func FuzzGoogleChannel(f *testing.F) {
	f.Add("exists", "10", "https://www.googleapis.com/calendar/v3", []byte(`{"a":1}`))
	f.Add("sync", "1", "", []byte(nil))
	f.Add("", "\xff", "://", []byte("{"))
	p := newProvider(f, "google-channel", oneToken)
	f.Fuzz(func(t *testing.T, state, number, uri string, body []byte) {
		r := channelPost(string(body), "X-Goog-Resource-State", state, "X-Goog-Message-Number", number, "X-Goog-Resource-URI", uri)
		require.NoError(t, p.Verify(t.Context(), r))
		received, err := p.Read(r)
		if err != nil {
			requireStatus(t, http.StatusBadRequest, err)
		}
		for _, item := range received.Items {
			require.True(t, json.Valid(item.Data), "%s", item.Data)
		}
	})
}
