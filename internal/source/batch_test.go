package source_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

// FuzzSplit reads what X and Meta might send.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"for_user_id":"1","users":{},"tweet_create_events":[{"id_str":"1"},{"id":2},null],"user_event":{"revoke":{}}}`))
	f.Add([]byte(`{"object":"page","entry":[{"id":1,"time":2,"changes":[{"field":"a"},[]],"messaging":[{"message":{"mid":"m"}},{"read":{}}]},7]}`))
	f.Add([]byte(`{"object":"user","entry":[{"changed_fields":["a",{}]},{"field":"a"}],"data":{"event_type":"b"}}`))
	providers := map[string]source.Provider{
		"x": newProvider(f, "x", xBoth), "meta": newProvider(f, "meta", metaConfig),
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, p := range providers {
			received, err := p.Read(post(string(body)))
			if err != nil {
				requireStatus(t, http.StatusBadRequest, err)
				require.Empty(t, received.Items)
			}
			for _, item := range received.Items {
				require.True(t, json.Valid(item.Data), "%s: %s", name, item.Data)
				require.True(t, bytes.Contains(body, item.Data), "%s: %s", name, item.Data)
				require.True(t, item.Context == nil || json.Valid(item.Context), "%s: %s", name, item.Context)
				require.NotEmpty(t, item.ID())
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("crc_token=a&nonce=b")
	f.Add("hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + secret)
	providers := []source.Provider{newProvider(f, "x", xBoth), newProvider(f, "meta", metaConfig)}
	f.Fuzz(func(t *testing.T, query string) {
		for _, p := range providers {
			r := get(query)
			if p.Verify(t.Context(), r) != nil {
				continue
			}
			received, err := p.Read(r)
			if err != nil {
				requireStatus(t, http.StatusBadRequest, err)
				continue
			}
			require.Empty(t, received.Items)
			require.NotEmpty(t, received.Answer.Body)
		}
	})
}
