// Package bodies keeps the data of large events outside of their histories (ADR 15): sealed as
// histories are, written before an event is accepted, and deleted once its workflow has gone. What
// a history holds in its place says how large the data is, and its hash. The gateway writes,
// activities, the gateway and the archive read; where bodies are kept is the store's business,
// which cmd picks.
package bodies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/webhook"
)

// Store keeps bodies. Its errors carry webhook.NotFound; one without a code means that it is out of
// reach.
type Store interface {
	PutBody(ctx context.Context, b webhook.StoredBody) error
	Body(ctx context.Context, tenant, eventID, digest string) ([]byte, error)
	// Bodies lists those made before a time, without what they hold, by tenant and event id, those
	// behind after.
	Bodies(ctx context.Context, before time.Time, after webhook.StoredBody, limit int) ([]webhook.StoredBody, error)
	DeleteBody(ctx context.Context, tenant, eventID string) error
}

// roomBytes bounds what large bodies hold of the memory of one process while they are written, and
// as much again while they are sent, in bytes. There are two bounds so that bodies which hang at an
// endpoint keep no events out.
const roomBytes = 256 << 20

// copies is how often a body lies in the memory while it is written or sent.
const copies = 3

// cachedBodies are kept for the next endpoint of the same event.
const cachedBodies = 2

// Bodies writes and reads bodies.
type Bodies struct {
	store     Store
	converter converter.DataConverter
	writing   *semaphore.Weighted
	sending   *semaphore.Weighted
	cache     *lru.Cache[string, []byte]
	now       func() time.Time
}

// New makes Bodies over a store. They are sealed by dc, the Temporal client's converter.
func New(s Store, dc converter.DataConverter) (*Bodies, error) {
	cache, err := lru.New[string, []byte](cachedBodies)
	if err != nil {
		return nil, err
	}
	return &Bodies{store: s, converter: dc, writing: semaphore.NewWeighted(roomBytes), sending: semaphore.NewWeighted(roomBytes), cache: cache, now: time.Now}, nil
}

// Room waits until a body of size bytes has room in the memory to be sent. release gives it back.
func (b *Bodies) Room(ctx context.Context, size int64) (release func(), err error) {
	return acquire(ctx, b.sending, size)
}

func acquire(ctx context.Context, room *semaphore.Weighted, size int64) (release func(), err error) {
	weight := min(copies*size, roomBytes)
	if err := room.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return func() { room.Release(weight) }, nil
}

// reference is what a history holds in place of the data.
type reference struct {
	Stored struct {
		Bytes  int    `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"stored"`
}

// Put writes the data of an event that is about to be accepted, and gives what its history is to
// hold.
func (b *Bodies) Put(ctx context.Context, e webhook.Event, data []byte) (converter.RawValue, error) {
	var none converter.RawValue
	release, err := acquire(ctx, b.writing, int64(len(data)))
	if err != nil {
		return none, err
	}
	defer release()
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	payload, err := b.converter.ToPayload(converter.NewRawValue(jsonPayload(data)))
	if err != nil {
		return none, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	sealed, err := proto.Marshal(payload)
	if err != nil {
		return none, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	err = b.store.PutBody(ctx, webhook.StoredBody{Tenant: e.Tenant, EventID: e.ID, Digest: digest, Sealed: sealed, CreatedAt: b.now()})
	if err != nil {
		return none, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	var r reference
	r.Stored.Bytes, r.Stored.SHA256 = len(data), digest
	shown, _ := json.Marshal(r) // a number and a string always marshal
	held := jsonPayload(shown)
	held.Metadata[webhook.BodyReference] = []byte("1")
	return converter.NewRawValue(held), nil
}

func jsonPayload(data []byte) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     data,
	}
}

// Data is the data of an event, of which its history holds p: p itself, or what it refers to. The
// error carries webhook.NotFound when the body has gone.
func (b *Bodies) Data(ctx context.Context, e webhook.Event, p *commonpb.Payload) ([]byte, error) {
	if !refers(p) {
		return p.GetData(), nil
	}
	var r reference
	if err := json.Unmarshal(p.GetData(), &r); err != nil {
		return nil, fmt.Errorf("event %s: its reference to its body: %w", e.ID, err)
	}
	digest := r.Stored.SHA256
	if data, ok := b.cache.Get(e.Tenant + "/" + e.ID + "/" + digest); ok {
		return data, nil
	}
	data, err := b.read(ctx, e, digest)
	if err != nil {
		return nil, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	b.cache.Add(e.Tenant+"/"+e.ID+"/"+digest, data)
	return data, nil
}

func (b *Bodies) read(ctx context.Context, e webhook.Event, digest string) ([]byte, error) {
	_, data, err := b.sealed(ctx, e, digest)
	return data, err
}

// sealed gives a body as it lies in the store, and what it holds.
func (b *Bodies) sealed(ctx context.Context, e webhook.Event, digest string) (*commonpb.Payload, []byte, error) {
	stored, err := b.store.Body(ctx, e.Tenant, e.ID, digest)
	if err != nil {
		return nil, nil, err
	}
	var payload commonpb.Payload
	if err := proto.Unmarshal(stored, &payload); err != nil {
		return nil, nil, err
	}
	var raw converter.RawValue
	if err := b.converter.FromPayload(&payload, &raw); err != nil {
		return nil, nil, err
	}
	data := raw.Payload().GetData()
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
		return nil, nil, errors.New("it is not what was accepted: its SHA-256 differs")
	}
	return &payload, data, nil
}

// Forget lets go of the body of an event in the memory.
func (b *Bodies) Forget(tenant, eventID string) {
	for _, key := range b.cache.Keys() {
		if strings.HasPrefix(key, tenant+"/"+eventID+"/") {
			b.cache.Remove(key)
		}
	}
}

// refers says whether p, in clear, holds a reference to data and not the data.
func refers(p *commonpb.Payload) bool { return len(p.GetMetadata()[webhook.BodyReference]) > 0 }

// Held gives what a history would hold of an event's data if that were not too large for it, sealed
// as histories are. p is what the history holds, sealed or not; nil says that this is the data, or
// that it does not open. The error carries webhook.NotFound when the body has gone.
func (b *Bodies) Held(ctx context.Context, e webhook.Event, p *commonpb.Payload) (*commonpb.Payload, error) {
	var raw converter.RawValue
	if b.converter.FromPayload(p, &raw) != nil || !refers(raw.Payload()) {
		return nil, nil
	}
	var r reference
	if err := json.Unmarshal(raw.Payload().GetData(), &r); err != nil {
		return nil, fmt.Errorf("event %s: its reference to its body: %w", e.ID, err)
	}
	held, _, err := b.sealed(ctx, e, r.Stored.SHA256)
	if err != nil {
		return nil, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	return held, nil
}
