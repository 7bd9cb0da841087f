package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const body = `{"score":87.5,"grade":"A"}`

func call(m *mautic, path, user, password string) int {
	r := httptest.NewRequest(http.MethodPatch, path, strings.NewReader(body))
	r.SetBasicAuth(user, password)
	w := httptest.NewRecorder()
	m.api().ServeHTTP(w, r)
	return w.Code
}

func TestMauticKnowsWhoMayWriteWhat(t *testing.T) {
	t.Parallel()
	m := newMautic(52, "secret", "", "user", "password")
	require.Equal(t, http.StatusUnauthorized, call(m, "/api/contacts/52/edit", "user", "wrong"))
	require.Equal(t, http.StatusNotFound, call(m, "/api/contacts/53/edit", "user", "password"))
	require.Equal(t, http.StatusNotFound, call(m, "/api/contacts/x/edit", "user", "password"))
	require.Empty(t, m.rows)
	require.Equal(t, http.StatusOK, call(m, "/api/contacts/52/edit", "user", "password"))
	require.Equal(t, "87.5", m.contacts[52].fields["score"])
	require.Len(t, m.rows, 1)
	require.Equal(t, http.StatusOK, call(m, "/api/contacts/52/edit", "user", "password"))
	require.Len(t, m.rows, 1, "nothing has changed, so there is nothing to tell")
}

func TestMauticWritesLikePHP(t *testing.T) {
	t.Parallel()
	require.Equal(t, `{"a":"\u00eb \ud83d\ude00 <&> https:\/\/x","b":[],"c":null}`,
		string(phpJSON(map[string]any{"a": "ë 😀 <&> https://x", "b": []any{}, "c": nil})))
}

// What Mautic does with the rows of a webhook, by the answer.
func TestMauticSendsAgainOnlyWhatBrokeOff(t *testing.T) {
	t.Parallel()
	got := make(chan string, 10)
	answers := make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("Webhook-Signature") + string(content)
		if status := <-answers; status > 0 {
			w.WriteHeader(status)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(receiver.Close)
	m := newMautic(52, "secret", receiver.URL, "user", "password")
	go m.cron(t.Context(), time.Millisecond)

	m.edit(52, "Jane", map[string]string{"company": "A"})
	answers <- 0
	answers <- http.StatusOK
	broken, again := <-got, <-got
	require.Equal(t, broken, again, "a row that is sent again has the same bytes")

	m.edit(52, "Jane", map[string]string{"company": "B"})
	answers <- http.StatusServiceUnavailable
	require.Contains(t, <-got, `"company":{"alias":"company","group":"core","object":"lead","value":"B"}`)
	m.edit(52, "Jane", map[string]string{"company": "C"})
	answers <- http.StatusOK
	last := <-got
	require.Contains(t, last, `"value":"C"`)
	require.NotContains(t, last, `"value":"B"`, "an answer, whichever, makes Mautic forget")
}

func TestREADMEShowsTheConfigurations(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := strings.Split(string(content), "```json\n")
	require.Len(t, blocks, 3)
	for i, config := range []any{
		mauticSource("the secret of the webhook"),
		mauticEndpoint("https://mautic.example.com/api", "user", "password"),
	} {
		shown, _, _ := strings.Cut(blocks[i+1], "```")
		want, err := json.Marshal(config)
		require.NoError(t, err)
		require.JSONEq(t, string(want), shown)
	}
}
