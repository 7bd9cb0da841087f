package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

var (
	eventID    = regexp.MustCompile("^" + webhook.EventPrefix + "[0-9a-z]{26}$")
	endpointID = regexp.MustCompile("^" + webhook.EndpointPrefix + "[0-9a-z]{26}$")
	sourceID   = regexp.MustCompile("^" + webhook.SourcePrefix + "[0-9a-z]{26}$")
)

// What the paths of operations name. Huma reads the fields of exported types alone.
type (
	// TenantPath is the path of what belongs to a tenant.
	TenantPath struct {
		Tenant string `path:"tenant"`
	}
	// EventPath is the path of an event.
	EventPath struct {
		TenantPath

		ID string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	}
	// DeliveryPath is the path of a delivery.
	DeliveryPath struct {
		EventPath

		EndpointID string `path:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	}
	// EndpointPath is the path of an endpoint.
	EndpointPath struct {
		TenantPath

		ID string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	}
	// ApprovalPath is the path of the approval of an endpoint.
	ApprovalPath struct {
		TenantPath

		EndpointID string `path:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	}
	// SourcePath is the path of a source.
	SourcePath struct {
		TenantPath

		ID string `path:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	}
)

// located is the input of an operation about one thing. Nothing is looked for by an id that cannot
// exist.
type located interface{ checkID() error }

func (p EventPath) checkID() error    { return suchAs(eventID, p.ID, "event") }
func (p EndpointPath) checkID() error { return suchAs(endpointID, p.ID, "endpoint") }
func (p ApprovalPath) checkID() error { return suchAs(endpointID, p.EndpointID, "endpoint") }
func (p SourcePath) checkID() error   { return suchAs(sourceID, p.ID, "source") }

func (p DeliveryPath) checkID() error {
	if err := p.EventPath.checkID(); err != nil || endpointID.MatchString(p.EndpointID) {
		return err
	}
	return problem.NoSuchDelivery(p.ID, p.EndpointID)
}

func suchAs(form *regexp.Regexp, id, thing string) error {
	if form.MatchString(id) {
		return nil
	}
	return problem.NoSuch(thing)
}

// newID draws an id that sorts by the time it was drawn.
func newID(prefix string, now time.Time) string {
	return prefix + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String())
}

// checkKey refuses an Idempotency-Key that could not be told apart in a log.
func checkKey(key string) error {
	if key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return webhook.Invalidf("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
	}
	return nil
}

// idempotencyKey is that of the request; empty: it has none.
func (r *request) idempotencyKey() (string, error) {
	switch keys := r.gin.Request.Header.Values("Idempotency-Key"); len(keys) {
	case 0:
		return "", nil
	case 1:
		return keys[0], checkKey(keys[0])
	default:
		return "", webhook.Invalidf("Idempotency-Key", "appears twice")
	}
}

// making is how things of a kind are made, once for each Idempotency-Key.
type making[T any] struct {
	kind    string // "endpoint"
	quota   string
	quotas  *quota.Quotas
	count   func(ctx context.Context, tenant string) (int, error)
	created func(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	create  func(ctx context.Context, thing T) error
	once    func(ctx context.Context, thing T, c webhook.Creation) (webhook.Creation, error)
	read    func(ctx context.Context, tenant, id string) (T, error)
}

// make keeps a new thing, or gives the one that was made before with the same key and body.
func (m making[T]) make(ctx context.Context, r *request, raw []byte, tenant, id string, at time.Time, thing T) (_ T, repeat bool, err error) {
	key, err := r.idempotencyKey()
	if err != nil {
		return thing, false, err
	}
	c := webhook.NewCreation(m.kind, key, raw, id, at)
	if err := m.room(ctx, tenant, key, c); err != nil {
		return thing, false, err
	}
	made := c
	if key == "" {
		err = m.create(ctx, thing)
	} else {
		made, err = m.once(ctx, thing, c)
	}
	switch {
	case err != nil:
		return thing, false, fmt.Errorf("%s %s: %w", m.kind, id, problem.Registry(err))
	case !hmac.Equal([]byte(made.Digest), []byte(c.Digest)):
		return thing, false, webhook.Errorf(api.IdempotencyConflict, "this Idempotency-Key was used with another body, for %s", made.ID)
	case made.ID == id:
		return thing, false, nil
	}
	thing, err = m.read(ctx, tenant, made.ID)
	if webhook.CodeOf(err) == webhook.NotFound { // making it again is not what a repeat asks for
		err = webhook.Errorf(api.IdempotencyConflict, "the %s that this Idempotency-Key made, %s, was deleted; use another key for another one", m.kind, made.ID)
	}
	return thing, true, problem.Registry(err)
}

// room refuses one more than a tenant may have, but lets a repeat of what the key has made through:
// it makes nothing.
func (m making[T]) room(ctx context.Context, tenant, key string, c webhook.Creation) error {
	has, err := m.count(ctx, tenant)
	if err != nil {
		return fmt.Errorf("%s: %w", m.quota, problem.Registry(err))
	}
	spent := m.quotas.Room(tenant, m.quota, has)
	if spent == nil || key == "" {
		return spent
	}
	made, err := m.created(ctx, tenant, c)
	switch {
	case err != nil:
		return problem.Registry(err)
	case made:
		return nil
	}
	return spent
}
