package webhook_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func secretOf(t *testing.T, text string) webhook.EndpointSecret {
	t.Helper()
	s, err := signature.ParseSecret(text)
	require.NoError(t, err)
	return webhook.EndpointSecret{Secret: s}
}

// TestChangesOfAnEndpoint: what can be shown is shown before and after, and of a secret that it
// changed.
func TestChangesOfAnEndpoint(t *testing.T) {
	t.Parallel()
	was := webhook.Endpoint{
		URL: "https://crm.example.com/hooks/very-secret", State: webhook.EndpointActive, Timeout: time.Second,
		Headers: map[string]string{"Authorization": "one", "X-Team": "crm"},
		Secrets: []webhook.EndpointSecret{secretOf(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
	}
	next := was
	require.Empty(t, was.Changes(next))

	next.URL, next.Timeout, next.State = "https://other.example:8443/", 0, webhook.EndpointPaused
	next.Headers = map[string]string{"Authorization": "two", "X-New": "three"}
	next.Secrets = []webhook.EndpointSecret{secretOf(t, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}
	next.EventTypes, next.Approval.Named = []string{"a.b"}, true
	require.Equal(t, []webhook.AuditChange{
		{Field: "url", From: "https://crm.example.com/…", To: "https://other.example:8443"},
		{Field: "event_types", To: `["a.b"]`},
		{Field: "timeout", From: "1s"},
		{Field: "approval.named", To: "true"},
		{Field: "state", From: "active", To: "paused"},
		{Field: "headers.Authorization", To: "changed"},
		{Field: "headers.X-New", To: "set"},
		{Field: "secret", To: "changed"},
		{Field: "headers.X-Team", From: "set"},
	}, was.Changes(next))

	next = was
	next.URL = "https://crm.example.com/hooks/another"
	require.Equal(t, []webhook.AuditChange{{Field: "url", To: "changed"}}, was.Changes(next))
	require.Equal(t, "other.example:8443", webhook.Endpoint{URL: "https://other.example:8443/x"}.URLHost())
}

// TestEachSettingOfAnEndpointIsShownByItsName, before and after.
func TestEachSettingOfAnEndpointIsShownByItsName(t *testing.T) {
	t.Parallel()
	secret := secretOf(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	for field, tc := range map[string]struct {
		set   func(*webhook.Endpoint)
		shown string
	}{
		"url":              {func(e *webhook.Endpoint) { e.URL = "https://a.example/x" }, "https://a.example/…"},
		"event_types":      {func(e *webhook.Endpoint) { e.EventTypes = []string{"a"} }, `["a"]`},
		"description":      {func(e *webhook.Endpoint) { e.Description = "x" }, "x"},
		"owner":            {func(e *webhook.Endpoint) { e.Owner = "x" }, "x"},
		"metadata":         {func(e *webhook.Endpoint) { e.Metadata = map[string]string{"a": "b"} }, `{"a":"b"}`},
		"schedule":         {func(e *webhook.Endpoint) { e.Schedule = webhook.Schedule{0, time.Minute} }, `["0s","1m0s"]`},
		"timeout":          {func(e *webhook.Endpoint) { e.Timeout = time.Second }, "1s"},
		"rate_limit":       {func(e *webhook.Endpoint) { e.RateLimit.PerSecond = 2 }, `{"per_second":2,"burst":0}`},
		"approval.after":   {func(e *webhook.Endpoint) { e.Approval.After = time.Hour }, "1h0m0s"},
		"approval.timeout": {func(e *webhook.Endpoint) { e.Approval.Timeout = time.Hour }, "1h0m0s"},
		"approval.named":   {func(e *webhook.Endpoint) { e.Approval.Named = true }, "true"},
		"application":      {func(e *webhook.Endpoint) { e.Application = "x" }, "x"},
		"echo":             {func(e *webhook.Endpoint) { e.Echo.Key = ".id" }, `{"key":".id","value":""}`},
		"echo.back":        {func(e *webhook.Endpoint) { e.EchoBack = true }, "true"},
		"request":          {func(e *webhook.Endpoint) { e.Request.Method = "PUT" }, `{"method":"PUT"}`},
		"state":            {func(e *webhook.Endpoint) { e.State = webhook.EndpointHeld }, "held"},
		"state_reason":     {func(e *webhook.Endpoint) { e.StateReason = "x" }, "x"},
		// what cannot be shown is only said to be there
		"headers.X": {func(e *webhook.Endpoint) { e.Headers = map[string]string{"X": ""} }, "set"},
		"secret":    {func(e *webhook.Endpoint) { e.Secrets = []webhook.EndpointSecret{secret} }, "set"},
	} {
		var none, set webhook.Endpoint
		tc.set(&set)
		require.Equal(t, []webhook.AuditChange{{Field: field, To: tc.shown}}, none.Changes(set))
		require.Equal(t, []webhook.AuditChange{{Field: field, From: tc.shown}}, set.Changes(none))
	}
	unreadable := webhook.Endpoint{URL: "https://\x7f/very-secret"}
	require.Equal(t, []webhook.AuditChange{{Field: "url", To: "set"}}, webhook.Endpoint{}.Changes(unreadable))

	rotated := webhook.Endpoint{Secrets: []webhook.EndpointSecret{secret}}
	rotated.Rotate(signature.NewSecret(), happened, time.Hour)
	require.Equal(t, []webhook.AuditChange{{Field: "secret", To: "changed"}},
		webhook.Endpoint{Secrets: []webhook.EndpointSecret{secret}}.Changes(rotated), "the one before signs a while longer")
}

func TestEachSettingOfASourceIsShownByItsName(t *testing.T) {
	t.Parallel()
	for field, s := range map[string]webhook.Source{
		"provider": {Provider: "x"}, "name": {Name: "x"}, "type_prefix": {TypePrefix: "x"}, "application": {Application: "x"},
	} {
		require.Equal(t, []webhook.AuditChange{{Field: field, To: "x"}}, webhook.Source{}.Changes(s))
	}
	require.Equal(t, []webhook.AuditChange{{Field: "echo", To: `{"key":".id","value":""}`}},
		webhook.Source{}.Changes(webhook.Source{Echo: webhook.EchoPaths{Key: ".id"}}))
	require.Equal(t, []webhook.AuditChange{{Field: "config", To: "set"}}, webhook.Source{}.Changes(webhook.Source{Config: signature.Hide("x")}))
}

func TestChangesOfASource(t *testing.T) {
	t.Parallel()
	was := webhook.Source{Provider: "stripe", Name: "payments", Config: signature.Hide(`{"secrets":["a"]}`)}
	next := was
	next.Name, next.Config = "shop", signature.Hide(`{"secrets":["b"]}`)
	require.Equal(t, []webhook.AuditChange{
		{Field: "name", From: "payments", To: "shop"}, {Field: "config", To: "changed"},
	}, was.Changes(next))
}

// TestEveryFieldIsInTheChangeLog notices a field of an endpoint or a source that the change log
// does not know.
func TestEveryFieldIsInTheChangeLog(t *testing.T) {
	t.Parallel()
	notSettings := map[string]bool{
		"ID": true, "Tenant": true, "Version": true, "CreatedAt": true, "UpdatedAt": true, // what it is, not what was set
		"Releasing": true, "BreakerOpenedAt": true, // how it fares
	}
	for name, none := range map[string]func(reflect.Value) int{
		"endpoint": func(v reflect.Value) int { return len(webhook.Endpoint{}.Changes(v.Interface().(webhook.Endpoint))) },
		"source":   func(v reflect.Value) int { return len(webhook.Source{}.Changes(v.Interface().(webhook.Source))) },
	} {
		of := reflect.TypeFor[webhook.Endpoint]()
		if name == "source" {
			of = reflect.TypeFor[webhook.Source]()
		}
		for i := range of.NumField() {
			if notSettings[of.Field(i).Name] {
				continue
			}
			v := reflect.New(of).Elem()
			fill(t, v.Field(i))
			require.NotZero(t, none(v), "%s: %s", name, of.Field(i).Name)
		}
	}
}

// fill makes a field something other than it is by default.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch at := v.Addr().Interface().(type) {
	case *[]webhook.EndpointSecret:
		*at = []webhook.EndpointSecret{{Secret: signature.NewSecret()}}
		return
	case *signature.Hidden:
		*at = signature.Hide("x")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("x"), reflect.ValueOf("y"))
	case reflect.Struct:
		fill(t, v.Field(0))
	default:
		t.Fatalf("no value for a %s", v.Kind())
	}
}
