// Package registrytest is the suite every store of the registry must pass, so that gateway and
// workers cannot tell one from another. It knows a store by its methods alone.
package registrytest

import (
	"context"
	"testing"
	"time"

	"hookloop/internal/attemptlog"
	"hookloop/internal/echo"
	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// Registry is all that a store can do.
type Registry interface {
	CreateEndpoint(ctx context.Context, e webhook.Endpoint) error
	CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error)
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	Endpoints(ctx context.Context, tenant string, q webhook.EndpointQuery) ([]webhook.Endpoint, error)
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

	Remember(ctx context.Context, w echo.Write, now time.Time) error
	Settle(ctx context.Context, w echo.Write, until time.Time) error
	Rule(ctx context.Context, p echo.Report, now time.Time) (echo.Ruling, error)
	Change(ctx context.Context, p echo.Report, now time.Time) (echo.Ruling, error)
	BindOnce(ctx context.Context, sourceID, name, content string, until, now time.Time) (string, error)

	Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error)
	TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error
	PruneArrivals(ctx context.Context, sourceID string, keep int) error
	SourceActivities(ctx context.Context, ids []string) (map[string]webhook.SourceActivity, error)

	PutBody(ctx context.Context, b webhook.StoredBody) error
	Body(ctx context.Context, tenant, eventID, digest string) ([]byte, error)
	Bodies(ctx context.Context, before time.Time, after webhook.StoredBody, limit int) ([]webhook.StoredBody, error)
	DeleteBody(ctx context.Context, tenant, eventID string) error

	NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error
	Redelivered(ctx context.Context, tenant, eventID string) ([]string, error)

	attemptlog.Store
	Attempts(ctx context.Context, q attemptlog.Query) ([]attemptlog.Row, error)
	EventsAt(ctx context.Context, tenant, endpointID string, from attemptlog.Position, limit int) ([]attemptlog.Seen, error)
	AttemptTallies(ctx context.Context, tenant string, span time.Duration, since, until time.Time, ids []string) (map[string]attemptlog.Tally, error)
	AttemptCounts(ctx context.Context, tenant, endpointID string, span time.Duration, since, until time.Time) ([]attemptlog.Count, error)
	LatestAttempts(ctx context.Context, tenant string, ids []string) (map[string]attemptlog.Latest, error)
	EndpointNames(ctx context.Context, tenant string, ids []string) ([]webhook.EndpointName, error)
	Record(ctx context.Context, tenant string, l webhook.AuditLine) error
	Changes(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]webhook.AuditLine, error)

	CreatePortalLink(ctx context.Context, l webhook.PortalLink, most int) error
	PortalLink(ctx context.Context, id string) (webhook.PortalLink, error)
	PortalLinks(ctx context.Context, tenant string, q webhook.PortalLinkQuery) ([]webhook.PortalLink, error)
	RevokePortalLink(ctx context.Context, tenant, id string, at time.Time) (webhook.PortalLink, error)
	PortalSettings(ctx context.Context, tenant string) (webhook.PortalSettings, error)
	ChangePortalSettings(ctx context.Context, tenant string, change func(*webhook.PortalSettings) error) (webhook.PortalSettings, error)
	BeginErasure(ctx context.Context, e webhook.Erasure, due time.Time) (webhook.Erasure, error)
	Erasure(ctx context.Context, tenant, eventID string) (webhook.Erasure, error)
	NextErasure(ctx context.Context, now, until time.Time) (webhook.Erasure, bool, error)
	SaveErasure(ctx context.Context, e webhook.Erasure, due time.Time) error
	ErasedSince(ctx context.Context, after time.Time) ([]webhook.Erasure, error)
	ForgetEvent(ctx context.Context, tenant, eventID string, endpoints []string) error
	KnowsEvent(ctx context.Context, tenant, eventID string) (bool, error)
	NoteSubject(ctx context.Context, tenant, eventID, subject string, now time.Time) error
	SubjectEvents(ctx context.Context, tenant, subject, after string, limit int) ([]string, error)
	SubjectHold(ctx context.Context, tenant, subject string) (webhook.Hold, error)
	PutHold(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error)
	DeleteHold(ctx context.Context, tenant string, h webhook.Hold) error

	Reseal(ctx context.Context, progress func(registry.Resealed)) (registry.Resealed, error)
	Ping(ctx context.Context) error
	Close() error
}

// Store is a place that holds one registry: a file, a database schema.
type Store interface {
	// Open opens what the place holds, as often as it is called, also side by side. The suite
	// closes it.
	Open(t *testing.T, sealer *registry.Sealer) Registry
	// Raw is all the place holds, as near to its bytes on disk as can be had.
	Raw(t *testing.T) []byte
}

// Run runs the suite. It asks for an empty store at the start of each test.
func Run(t *testing.T, empty func(t *testing.T) Store) {
	t.Helper()
	for name, test := range suite() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

// suite is what every store must pass.
func suite() map[string]func(*testing.T, Store) { //nolint:revive // a list, a line for each
	return map[string]func(*testing.T, Store){
		"round trip":                    roundTrip,
		"defaults":                      defaults,
		"reopen":                        reopen,
		"endpoint not found":            notFound,
		"taken id":                      takenID,
		"what is no text":               noText,
		"list":                          list,
		"list of an owner":              listOfOwner,
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
		"a late write is noticed":       echoLate,
		"a write to come is no loss":    echoToCome,
		"a change voids idle writes":    echoIdle,
		"an idle write is no echo":      echoUnsure,
		"late reports of old writes":    echoLag,
		"echoes in a row":               echoSequence,
		"a change in spite of a write":  echoOverruled,
		"a repeated delivery's echo":    echoRepeated,
		"an echo expires":               echoExpires,
		"writes that never arrived":     echoSettled,
		"concurrent echoes":             echoRace,
		"bindings":                      bindings,
		"arrivals by id":                arrivalsByID,
		"arrivals by content":           arrivalsByContent,
		"concurrent arrivals":           arrivalsRace,
		"arrivals are pruned":           arrivalsPruned,
		"what a source sent":            sourceActivity,
		"bodies":                        bodies,
		"redelivered elsewhere":         redelivered,
		"erasures":                      erasures,
		"what an event leaves":          forgotten,
		"subjects":                      subjects,
		"legal holds":                   holds,
		"created once":                  createdOnce,
		"concurrent creates of one key": createdOnceRace,
		"any key and any name":          anyKey,
		"attempts are listed":           attemptsListed,
		"attempts are counted":          attemptsCounted,
		"attempts are written again":    attemptsRepeated,
		"attempts are pruned":           attemptsPruned,
		"gaps of the attempt log":       attemptGaps,
		"endpoint names":                endpointNames,
		"portal links":                  portalLinks,
		"portal links have a bound":     portalLinksBound,
		"portal settings":               portalSettings,
		"change log":                    changeLog,
		"change log of sources":         changeLogOfSources,
		"change log by what is asked":   changeLogLists,
		"change log in order":           changeLogRace,
	}
}
