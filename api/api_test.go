package api_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
)

func TestDurationsAreWrittenAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, d := range map[string]time.Duration{
		"0s": 0, "1.5s": 1500 * time.Millisecond, "90s": 0, "1m30s": 90 * time.Second, "24h": 24 * time.Hour, "1h0m1s": time.Hour + time.Second, "5m": 5 * time.Minute,
	} {
		var read api.Duration
		require.NoError(t, json.Unmarshal([]byte(`"`+text+`"`), &read))
		if d == 0 {
			continue
		}
		require.Equal(t, api.Duration(d), read)
		require.Equal(t, text, read.String())
		raw, err := json.Marshal(read)
		require.NoError(t, err)
		require.Equal(t, `"`+text+`"`, string(raw))
	}
	var d api.Duration
	for _, wrong := range []string{`5`, `"soon"`, `"7d"`, `""`} {
		require.Error(t, json.Unmarshal([]byte(wrong), &d), wrong)
	}
}

// TestChangesTellAbsentFromCleared: RFC 7396 gives both a meaning.
func TestChangesTellAbsentFromCleared(t *testing.T) {
	t.Parallel()
	gold := "gold"
	raw, err := json.Marshal(api.EndpointChange{
		Description: api.To(""), Timeout: api.Clear[api.Duration](),
		Metadata:  api.To(map[string]*string{"tier": &gold, "old": nil}),
		RateLimit: api.To(api.RateLimitChange{Burst: api.Clear[int]()}),
		Echo:      api.To(api.Echo{Back: true}),
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"description":"","timeout":null,"metadata":{"tier":"gold","old":null},"rate_limit":{"burst":null},"echo":true}`, string(raw))

	var read api.EndpointChange
	require.NoError(t, json.Unmarshal(raw, &read))
	require.False(t, read.Timeout.IsZero())
	require.True(t, read.URL.IsZero())
	again, err := json.Marshal(read)
	require.NoError(t, err)
	require.JSONEq(t, string(raw), string(again))
}

func TestEchoIsABooleanOrThePaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]api.Echo{
		`true`:                       {Back: true},
		`false`:                      {},
		`{"key":".id","value":".v"}`: {Paths: api.EchoPaths{Key: ".id", Value: ".v"}},
	} {
		var got api.Echo
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		require.Equal(t, want, got)
		raw, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, text, string(raw))
	}
	var e api.Echo
	require.Error(t, json.Unmarshal([]byte(`"yes"`), &e))
}

// TestWhatCanBeSetCanBeChanged holds the two descriptions of the same fields together.
func TestWhatCanBeSetCanBeChanged(t *testing.T) {
	t.Parallel()
	require.Equal(t, without(names[api.NewEndpoint](), "secret"), names[api.EndpointChange]())
	require.Equal(t, without(names[api.NewSource](), "provider"), names[api.SourceChange]())
	require.Equal(t, names[api.RateLimit](), names[api.RateLimitChange]())
	require.Equal(t, names[api.ApprovalPolicy](), names[api.ApprovalChange]())
	require.Equal(t, names[api.RequestShape](), names[api.RequestChange]())
	require.Equal(t, names[api.PortalSettings](), names[api.PortalSettingsChange]())
	require.Equal(t, names[api.PortalTheme](), names[api.PortalThemeChange]())
	require.Equal(t, names[api.PortalColours](), names[api.PortalColoursChange]())
	require.Subset(t, names[api.Endpoint](), names[api.EndpointChange]())
	require.Subset(t, names[api.Source](), names[api.SourceChange]())
}

func names[T any]() (all []string) {
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

func without(all []string, name string) (left []string) {
	for _, n := range all {
		if n != name {
			left = append(left, n)
		}
	}
	return left
}
