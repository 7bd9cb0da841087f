package schema_test

import (
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/schema"
	"hookloop/internal/webhook"
)

// told are the fields a body was refused for.
func told(t *testing.T, err error) (fields []string) {
	t.Helper()
	faults, ok := err.(interface{ Faults() []api.FieldError }) //nolint:errorlint // not wrapped
	require.True(t, ok, "%v", err)
	for _, f := range faults.Faults() {
		fields = append(fields, f.Field)
	}
	require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	return fields
}

func known() huma.Registry {
	r := schema.New()
	schema.Of[api.NewEndpoint](r)
	schema.Of[api.NewSource](r)
	schema.Of[api.NewRecovery](r)
	schema.Of[api.SecretRotation](r)
	return r
}

// TestNullStandsForWhatIsAbsent, but for what is required.
func TestNullStandsForWhatIsAbsent(t *testing.T) {
	t.Parallel()
	r := known()
	e, tree, err := schema.Read[api.NewEndpoint](r, []byte(`{"url":"https://a.example","timeout":null,"metadata":{"a":null,"b":"c"},"rate_limit":null}`))
	require.NoError(t, err)
	require.Equal(t, api.NewEndpoint{URL: "https://a.example", Metadata: map[string]string{"b": "c"}}, e)
	require.NotContains(t, tree, "timeout")
	_, _, err = schema.Read[api.NewSource](r, []byte(`{"provider":null,"config":null}`))
	require.Equal(t, []string{"config", "provider"}, told(t, err))
	_, _, err = schema.Read[api.NewRecovery](r, []byte(`{"since":null}`))
	require.Equal(t, []string{"since"}, told(t, err))
}

func TestDurationsLieWithinTheirTags(t *testing.T) {
	t.Parallel()
	r := known()
	for body, fits := range map[string]bool{
		`{"overlap":"0s"}`: true, `{"overlap":"168h"}`: true, `{}`: true,
		`{"overlap":"168h1ns"}`: false, `{"overlap":"-1ns"}`: false, `{"overlap":"9999999h"}`: false, `{"overlap":1}`: false, `{"overlap":""}`: false,
	} {
		_, _, err := schema.Read[api.SecretRotation](r, []byte(body))
		if fits {
			require.NoError(t, err, body)
			continue
		}
		require.Equal(t, []string{"overlap"}, told(t, err), body)
	}
	require.True(t, schema.IsOptional[api.SecretRotation](r))
	require.False(t, schema.IsOptional[api.NewRecovery](r))
}

// TestPatchedIsHeldToTheBounds: what a change makes of an endpoint could have been created so.
func TestPatchedIsHeldToTheBounds(t *testing.T) {
	t.Parallel()
	r := known()
	now := api.NewEndpoint{URL: "https://a.example", RateLimit: api.RateLimit{PerSecond: 2, Burst: 3}}
	change := func(text string) map[string]any {
		tree, err := schema.Tree([]byte(text))
		require.NoError(t, err)
		return tree
	}
	next, err := schema.Patched(r, now, change(`{"rate_limit":{"burst":null},"echo":true,"description":"d"}`))
	require.NoError(t, err)
	require.Equal(t, api.NewEndpoint{URL: now.URL, Description: "d", Echo: api.Echo{Back: true}, RateLimit: api.RateLimit{PerSecond: 2}}, next)
	_, err = schema.Patched(r, now, change(`{"url":null,"rate_limit":{"per_second":null},"Description":"d"}`))
	require.Equal(t, []string{"Description", "url", "rate_limit.per_second"}, told(t, err))
}
