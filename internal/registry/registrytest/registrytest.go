// Package registrytest is the suite every store of the registry must pass, so that gateway and
// workers cannot tell one from another. It knows a store by its methods alone.
package registrytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// Registry is all that a store can do.
type Registry interface {
	CreateEndpoint(ctx context.Context, e webhook.Endpoint) error
	CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error)
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	Endpoints(ctx context.Context, tenant, after string, limit int) ([]webhook.Endpoint, error)
	CountEndpoints(ctx context.Context, tenant string) (int, error)
	Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error)
	DeleteEndpoint(ctx context.Context, tenant, id string) error
	Match(ctx context.Context, tenant, eventType string) (webhook.Match, error)
	MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error)
	ReportBreaker(ctx context.Context, tenant, id string, openedAt time.Time) error
	Withheld(ctx context.Context, tenant, application string) ([]string, error)

	CreateSource(ctx context.Context, s webhook.Source) error
	CreateSourceOnce(ctx context.Context, s webhook.Source, c webhook.Creation) (webhook.Creation, error)
	Source(ctx context.Context, tenant, id string) (webhook.Source, error)
	SourceByID(ctx context.Context, id string) (webhook.Source, error)
	Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error)
	CountSources(ctx context.Context, tenant string) (int, error)
	UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (webhook.Source, error)
	DeleteSource(ctx context.Context, tenant, id string) error

	Remember(ctx context.Context, w webhook.Write, now time.Time) error
	Settle(ctx context.Context, w webhook.Write, until time.Time) error
	Rule(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
	Change(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error)
	Claim(ctx context.Context, sourceID, name, content string, until, now time.Time) (string, error)

	Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error)
	TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error
	PruneArrivals(ctx context.Context, sourceID string, keep int) error
	SourceActivity(ctx context.Context, sourceID string) (webhook.SourceActivity, error)

	PutBody(ctx context.Context, b webhook.StoredBody) error
	Body(ctx context.Context, tenant, eventID, digest string) ([]byte, error)
	Bodies(ctx context.Context, before time.Time, after webhook.StoredBody, limit int) ([]webhook.StoredBody, error)
	DeleteBody(ctx context.Context, tenant, eventID string) error

	NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error
	Redelivered(ctx context.Context, tenant, eventID string) ([]string, error)

	Reseal(ctx context.Context, progress func(registry.Resealed)) (registry.Resealed, error)
	Ping(ctx context.Context) error
	Close() error
}

// Store is a place that holds one registry: a file, a database schema.
type Store interface {
	// Open opens what the place holds, as often as it is called, also side by side. The suite closes it.
	Open(t *testing.T, sealer *registry.Sealer) Registry
	// Raw is all the place holds, as near to its bytes on disk as can be had.
	Raw(t *testing.T) []byte
}

// Run runs the suite. It asks for an empty store at the start of each test.
func Run(t *testing.T, empty func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Store){
		"round trip":                    roundTrip,
		"defaults":                      defaults,
		"reopen":                        reopen,
		"endpoint not found":            notFound,
		"taken id":                      takenID,
		"what is no text":               noText,
		"list":                          list,
		"update":                        update,
		"update that fails":             updateFails,
		"rate limit":                    rateLimit,
		"approval policy":               approvalPolicy,
		"state and its reason":          stateReason,
		"release":                       release,
		"breakers":                      breakers,
		"delete":                        deleteEndpoint,
		"tenants apart":                 tenantsApart,
		"cancelled":                     cancelled,
		"match":                         match,
		"match by patterns":             matchPatterns,
		"match follows changes":         matchFollows,
		"match and limit at a thousand": matchThousand,
		"concurrent updates":            concurrentUpdates,
		"concurrent creates":            concurrentCreates,
		"concurrent creates at limit":   concurrentLimit,
		"read your writes":              readYourWrites,
		"open twice":                    openTwice,
		"rotated secrets":               rotatedSecrets,
		"secrets are sealed":            secretsSealed,
		"other key":                     otherKey,
		"rotated key":                   rotatedKey,
		"resealed":                      resealed,
		"resealed while changed":        resealedBeside,
		"source round trip":             sourceRoundTrip,
		"source not found":              sourceNotFound,
		"source update and delete":      sourceUpdate,
		"source config is sealed":       sourceSealed,
		"withheld from its application": withheld,
		"an echo is one once":           echoOnce,
		"another value is a change":     echoOther,
		"a late write is told":          echoLate,
		"a write to come is no loss":    echoToCome,
		"a change voids idle writes":    echoIdle,
		"an idle write is no echo":      echoUnsure,
		"late reports of old writes":    echoLag,
		"echoes in a row":               echoSequence,
		"a change whatever was written": echoOverruled,
		"a repeated delivery's echo":    echoRepeated,
		"an echo expires":               echoExpires,
		"writes that never arrived":     echoSettled,
		"concurrent echoes":             echoRace,
		"claims":                        claims,
		"arrivals by id":                arrivalsByID,
		"arrivals by content":           arrivalsByContent,
		"concurrent arrivals":           arrivalsRace,
		"arrivals are pruned":           arrivalsPruned,
		"what a source sent":            sourceActivity,
		"bodies":                        bodies,
		"redelivered elsewhere":         redelivered,
		"created once":                  createdOnce,
		"concurrent creates of one key": createdOnceRace,
		"any key and any name":          anyKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

const tenant = "acme"

// born is a time with no more digits than a store keeps.
var born = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func open(t *testing.T, s Store) Registry {
	t.Helper()
	return openWith(t, s, newSealer(t))
}

func openWith(t *testing.T, s Store, sealer *registry.Sealer) Registry {
	t.Helper()
	r := s.Open(t, sealer)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func newSealer(t *testing.T) *registry.Sealer {
	t.Helper()
	key, err := registry.NewKey()
	require.NoError(t, err)
	return sealerOf(t, key)
}

func sealerOf(t *testing.T, key []byte) *registry.Sealer {
	t.Helper()
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	return sealer
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

// full is an endpoint with everything in it, in many scripts.
func full(n int) webhook.Endpoint {
	e := endpoint(n, "contact.updated", "контакт.обновлён", "注文.作成")
	e.URL = "https://bücher.example/größe?q=%C3%BC&e=😀"
	e.Description = "Ünïcødé \"quoted\" <b>&</b> \\ \t\n שלום 😀 e\u0301"
	e.Headers = map[string]string{"x-key": "wért", "x-empty": ""}
	e.Metadata = map[string]string{"ключ": "значение", "": "no name", "'; DROP TABLE endpoints; --": "%_"}
	e.Schedule = webhook.Schedule{0, time.Nanosecond, 30 * 24 * time.Hour}
	e.Timeout = 1500 * time.Millisecond
	e.RateLimit = webhook.RateLimit{PerSecond: 0.1, Burst: 10_000}
	e.Approval = webhook.ApprovalPolicy{After: time.Nanosecond, Timeout: webhook.MaxApproval}
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

func create(t *testing.T, r Registry, all ...webhook.Endpoint) {
	t.Helper()
	for _, e := range all {
		require.NoError(t, r.CreateEndpoint(t.Context(), e))
	}
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
	got, err := r.Match(t.Context(), tenant, eventType)
	require.NoError(t, err)
	require.Equal(t, webhook.Match{IDs: ids(want...), Disabled: ids(disabled...)}, got, eventType)
}

func requireNamed(t *testing.T, r Registry, eventType string, want ...int) {
	t.Helper()
	got, err := r.MatchNamed(t.Context(), tenant, eventType)
	require.NoError(t, err)
	require.Equal(t, ids(want...), got, eventType)
}

func ids(all ...int) []string {
	var named []string
	for _, n := range all {
		named = append(named, id(n))
	}
	return named
}
