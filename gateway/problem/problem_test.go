package problem_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

// TestErrorsBecomeProblems: what has a code is an answer, what is away is worth another try, the
// rest is ours.
func TestErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial 10.1.2.3: s3cr3t")
	for name, c := range map[string]struct {
		err    error
		status int
		code   api.Code
		retry  string
	}{
		"an answer":     {webhook.Errorf(webhook.Conflict, "not now"), 409, api.Conflict, ""},
		"one field":     {webhook.Invalidf("url", "is required"), 422, api.InvalidField, ""},
		"no such code":  {webhook.Errorf("made_up", "s3cr3t"), 500, api.Internal, ""},
		"registry away": {problem.Registry(secret), 503, api.Unavailable, "5"},
		"registry said": {problem.Registry(webhook.Errorf(webhook.NotFound, "no")), 404, api.NotFound, ""},
		"too slow":      {problem.Reading(os.ErrDeadlineExceeded), 408, api.RequestTimeout, ""},
		"broken off":    {problem.Reading(secret), 400, api.BadJSON, ""},
		"ours":          {secret, 500, api.Internal, ""},
	} {
		p := problem.Of(t.Context(), c.err, slog.New(slog.DiscardHandler))
		require.Equal(t, c.status, p.Status, name)
		require.Equal(t, c.code, p.Code, name)
		require.Equal(t, http.StatusText(c.status), p.Title)
		require.Equal(t, c.retry, p.Header().Get("Retry-After"), name)
		if name != "no such code" {
			require.NotContains(t, p.Detail, "s3cr3t", name)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, api.Unavailable, problem.Of(gone, secret, nil).Code)
}

func TestNamesAreShownShort(t *testing.T) {
	t.Parallel()
	p := problem.Of(t.Context(), webhook.Invalidf(strings.Repeat("ü", 1000), "is not a field here"), nil)
	require.LessOrEqual(t, len(p.Errors[0].Field), 110)
	require.Less(t, len(p.Detail), 200)
}
