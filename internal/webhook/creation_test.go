package webhook_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestACreationStandsForItsKeyAndItsBody, and neither can be read from it.
func TestACreationStandsForItsKeyAndItsBody(t *testing.T) {
	t.Parallel()
	const key, body = "order-4711", `{"secret":"whsec_very-secret"}`
	made := webhook.NewCreation("endpoint", key, []byte(body), "ep_1", happened)
	require.Equal(t, made, webhook.NewCreation("endpoint", key, []byte(body), "ep_1", happened))
	require.Equal(t, "ep_1", made.ID)
	require.Equal(t, happened.Add(webhook.DefaultRetention), made.Ends())

	another := webhook.NewCreation("endpoint", key, []byte(`{}`), "ep_1", happened)
	require.Equal(t, made.Name, another.Name, "the same key")
	require.NotEqual(t, made.Digest, another.Digest, "with another body")
	require.NotEqual(t, made.Name, webhook.NewCreation("source", key, []byte(body), "ep_1", happened).Name)
	elsewhere := webhook.NewCreation("endpoint", key+"-2", []byte(body), "ep_1", happened)
	require.NotEqual(t, made.Name, elsewhere.Name)
	require.NotEqual(t, made.Digest, elsewhere.Digest, "the body cannot be guessed at without the key")

	text, err := json.Marshal(made)
	require.NoError(t, err)
	require.NotContains(t, string(text), key)
	require.NotContains(t, string(text), "secret")
}
