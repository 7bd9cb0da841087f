package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// TestWhatShapesARequestIsHowAnEndpointIsReached, and nothing else is.
func TestWhatShapesARequestIsHowAnEndpointIsReached(t *testing.T) {
	t.Parallel()
	was := webhook.Endpoint{URL: "https://crm.example/", Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}}}
	for name, change := range map[string]func(*webhook.Endpoint){
		"url":      func(e *webhook.Endpoint) { e.URL += "x" },
		"headers":  func(e *webhook.Endpoint) { e.Headers = map[string]string{"Authorization": "x"} },
		"time-out": func(e *webhook.Endpoint) { e.Timeout = time.Second },
		"request":  func(e *webhook.Endpoint) { e.Request.Method = "PUT" },
		"secret":   func(e *webhook.Endpoint) { e.Rotate(signature.NewSecret(), happened, 0) },
	} {
		next := was.Clone()
		change(&next)
		require.NotEqual(t, was.Reach(), next.Reach(), name)
		require.True(t, next.BeginsAnew(was.Reach(), was.Releasing), name)
	}
	same := was.Clone()
	same.Description, same.State, same.Version, same.Timeout = "x", webhook.EndpointHeld, 7, webhook.DefaultTimeout
	require.Equal(t, was.Reach(), same.Reach())
	require.False(t, same.BeginsAnew(was.Reach(), time.Time{}))

	same.Releasing = happened
	require.True(t, same.BeginsAnew(was.Reach(), time.Time{}), "a person has let its deliveries go")
	require.False(t, same.BeginsAnew(was.Reach(), happened.In(time.FixedZone("", 3600))), "the same moment")
}
