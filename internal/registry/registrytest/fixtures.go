package registrytest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

const tenant = "acme"

// born is a time with no more digits than a store keeps.
var born = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func open(t *testing.T, s Store) Registry {
	t.Helper()
	return openWith(t, s, NewSealer(t))
}

func openWith(t *testing.T, s Store, sealer *registry.Sealer) Registry {
	t.Helper()
	r := s.Open(t, sealer)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// must gives what a call answers that is not to fail: must(call())(t).
func must[T any](got T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		require.NoError(t, err)
		return got
	}
}

// NewSealer makes one with a key of its own.
func NewSealer(t testing.TB) *registry.Sealer {
	t.Helper()
	return sealerOf(t, must(keyring.New())(t))
}

func sealerOf(t testing.TB, key []byte) *registry.Sealer {
	t.Helper()
	return must(registry.NewSealer(key))(t)
}

// id is the n-th endpoint's: like ULIDs, ids sort in the order of n.
func id(n int) string { return fmt.Sprintf("ep_01jd%022d", n) }

// endpoint is a valid endpoint with nothing optional in it.
func endpoint(n int, eventTypes ...string) webhook.Endpoint {
	return webhook.Endpoint{
		ID: id(n), Tenant: tenant, URL: fmt.Sprintf("https://example.com/%d", n), EventTypes: eventTypes,
		State: webhook.EndpointActive, Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}},
		Version: 1, CreatedAt: born, UpdatedAt: born,
	}
}

// NewEndpoint is a valid endpoint of acme's with an id, for tests of one store alone.
func NewEndpoint(id string, eventTypes ...string) webhook.Endpoint {
	return webhook.Endpoint{
		ID: id, Tenant: tenant, URL: "https://example.com/hooks", EventTypes: eventTypes,
		State: webhook.EndpointActive, Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}}, Version: 1,
	}
}

// full is an endpoint with everything in it, in many scripts.
func full(n int) webhook.Endpoint {
	e := endpoint(n, "contact.updated", "контакт.обновлён", "注文.作成")
	e.URL = "https://bücher.example/größe?q=%C3%BC&e=😀"
	e.Description = "Ünïcødé \"quoted\" <b>&</b> \\ \t\n שלום 😀 e\u0301"
	e.Owner = "Kündin 4711"
	e.Headers = map[string]string{"x-key": "wért", "x-empty": ""}
	e.Metadata = map[string]string{"ключ": "значение", "": "no name", "'; DROP TABLE endpoints; --": "%_"}
	e.Schedule = webhook.Schedule{0, time.Nanosecond, 30 * 24 * time.Hour}
	e.Timeout = 1500 * time.Millisecond
	e.RateLimit = webhook.RateLimit{PerSecond: 0.1, Burst: 10_000}
	e.Approval = webhook.ApprovalPolicy{After: time.Nanosecond, Timeout: webhook.MaxApproval, Named: true}
	e.State, e.StateReason = webhook.EndpointHeld, "2 × \"503\";\nпауза 😀"
	e.Releasing = born.Add(-time.Microsecond)
	e.Application, e.EchoBack = "ärp", true
	e.BreakerOpenedAt = born.Add(time.Microsecond)
	e.Echo = webhook.EchoPaths{Key: ".id", Value: `"\n" + .ü`}
	e.Request = webhook.RequestShape{Method: "PATCH", Path: `["ü", .id]`, Body: "."}
	e.Secrets = append(e.Secrets, webhook.EndpointSecret{Secret: signature.NewSecret(), ExpiresAt: born.Add(time.Microsecond)})
	e.Version = 7
	e.UpdatedAt = born.Add(time.Hour)
	return e
}

// requireFull wants every field set: one that a store forgets comes back as its zero value.
func requireFull(t *testing.T, of any) {
	t.Helper()
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		require.False(t, v.Field(i).IsZero(), "%T.%s is not set", of, v.Type().Field(i).Name)
	}
}

func create(t *testing.T, r Registry, all ...webhook.Endpoint) {
	t.Helper()
	for _, e := range all {
		require.NoError(t, r.CreateEndpoint(t.Context(), e))
	}
}

// changed changes the n-th endpoint, and gives what the store made of it.
func changed(t *testing.T, r Registry, n int, change func(*webhook.Endpoint)) webhook.Endpoint {
	t.Helper()
	return must(r.UpdateEndpoint(t.Context(), tenant, id(n), func(e *webhook.Endpoint) error { change(e); return nil }))(t)
}

func requireCode(t *testing.T, want webhook.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, webhook.CodeOf(err), "%v", err)
}

func requireMatch(t *testing.T, r Registry, eventType string, want ...int) {
	t.Helper()
	requireMatchOf(t, r, eventType, want, nil)
}

func requireMatchOf(t *testing.T, r Registry, eventType string, want, disabled []int) {
	t.Helper()
	require.Equal(t, webhook.Match{IDs: ids(want...), Disabled: ids(disabled...)}, must(r.Match(t.Context(), tenant, eventType))(t), eventType)
}

func requireNamed(t *testing.T, r Registry, eventType string, want ...int) {
	t.Helper()
	require.Equal(t, ids(want...), must(r.MatchNamed(t.Context(), tenant, eventType))(t), eventType)
}

func ids(all ...int) []string {
	var named []string
	for _, n := range all {
		named = append(named, id(n))
	}
	return named
}
