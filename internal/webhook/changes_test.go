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
