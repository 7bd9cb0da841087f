package source_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

const slackFormType = "application/x-www-form-urlencoded"

func TestSlackTimes(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "slack", `{"secrets":["`+secret+`"]}`)
	for stamp, valid := range map[string]bool{
		"1769860800": true, "1769860500": true, "1769861100": true,
		"1769860499": false, "1769861101": false, "": false, "now": false, "1769860800.5": false, "99999999999999999999": false,
	} {
		r := post("{}", "X-Slack-Request-Timestamp", stamp, "X-Slack-Signature", "v0="+hexMAC(secret, "v0:", stamp, ":{}"))
		if err := p.Verify(t.Context(), r); valid {
			require.NoError(t, err, stamp)
		} else {
			requireStatus(t, http.StatusUnauthorized, err)
		}
	}
	for _, signature := range []string{"", "v0=", "v0=xx", hexMAC(secret, "v0:1769860800:{}"), "v1=" + hexMAC(secret, "v0:1769860800:{}")} {
		r := post("{}", "X-Slack-Request-Timestamp", "1769860800", "X-Slack-Signature", signature)
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
	}
}

func TestSlackEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "slack", `{"secrets":["`+secret+`"]}`)
	const (
		callback = `{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}`
		limited  = `{"type":"app_rate_limited","minute_rate_limited":1}`
		bare     = `{"type":"event_callback","event":7}`
		clicked  = `{"type":"block_actions","trigger_id":"1.2.a","x":"\/ <&>"}`
		closed   = `{"type":"view_closed"}`
	)
	for name, tc := range map[string]struct {
		body, contentType           string
		wantType, wantKey, wantData string
	}{
		"JSON said to be a form": {
			`{"type":"message","text":"&payload=%7B%22type%22%3A%22forged%22%7D&"}`, slackFormType,
			"message", hashOf(`{"type":"message","text":"&payload=%7B%22type%22%3A%22forged%22%7D&"}`), `{"type":"message","text":"&payload=%7B%22type%22%3A%22forged%22%7D&"}`,
		},
		"event callback": {callback, "application/json", "app_mention", "Ev1", callback},
		"rate limited":   {limited, "application/json", "app_rate_limited", hashOf(limited), limited},
		"no event":       {bare, "application/json", "event_callback", hashOf(bare), bare},
		"interaction": {
			"payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2.a%22%2C%22x%22%3A%22%5C%2F+%3C%26%3E%22%7D", slackFormType,
			"block_actions", "1.2.a", clicked,
		},
		"interaction without a trigger": {"payload=%7B%22type%22%3A%22view_closed%22%7D", slackFormType, "view_closed", hashOf(closed), closed},
		"slash command": {
			"token=x&command=%2Fdo&text=a+b+%22c%22+%3C%26%3E&trigger_id=9.8&text=twice&&empty=&caf%C3%A9=%E2%98%95", slackFormType,
			"slash_command:/do", "9.8", `{"token":"x","command":"/do","text":["a b \"c\" <&>","twice"],"trigger_id":"9.8","empty":"","café":"☕"}`,
		},
		"slash command without a trigger": {"command=%2Fdo", slackFormType, "slash_command:/do", hashOf("command=%2Fdo"), `{"command":"/do"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := requireOnly(t, p, post(tc.body, "Content-Type", tc.contentType))
			require.Equal(t, []string{tc.wantType, tc.wantKey, tc.wantData}, []string{i.Type, i.Key, string(i.Data)})
			require.Equal(t, i.Key == tc.wantKey && strings.HasPrefix(i.Key, "sha256:"), i.SameFor > 0, "known by its content alone")
		})
	}
}

func TestSlackHandshakes(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "slack", `{"secrets":["`+secret+`"]}`)
	received, err := p.Read(post(`{"type":"url_verification","token":"x","challenge":"3eZb<b>\u00e9"}`, "Content-Type", "application/json"))
	require.NoError(t, err)
	require.Equal(t, source.Received{Answer: source.Answer{ContentType: "text/plain", Body: []byte("3eZb<b>é")}}, received)

	received, err = p.Read(post("ssl_check=1&token=x", "Content-Type", slackFormType))
	require.NoError(t, err)
	require.Equal(t, source.Received{}, received)
}

func TestSlackBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "slack", `{"secrets":["`+secret+`"]}`)
	for i, r := range []source.Request{
		post(`[]`, "Content-Type", "application/json"),
		post(`{"type":"url_verification"}`, "Content-Type", "application/json"),
		post(`{"type":"url_verification","challenge":7}`, "Content-Type", "application/json"),
		post(`payload=%5B%5D`, "Content-Type", slackFormType),
		post(`payload=`, "Content-Type", slackFormType),
		post(`text=hello`, "Content-Type", slackFormType),
		post(`command=%`, "Content-Type", slackFormType),
		post(``, "Content-Type", slackFormType),
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			_, err := p.Read(r)
			requireStatus(t, http.StatusBadRequest, err)
		})
	}
}
