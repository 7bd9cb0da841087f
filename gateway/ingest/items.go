package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// arriving is an item of a request, on its way to become an event.
type arriving struct {
	source.Item
	index int       // in the request, from 0
	name  string    // by which it is known when it comes again
	first time.Time // when it first came
	taken bool      // it became an event before
}

// known is what to remember of an item that has become an event.
func (a *arriving) known() webhook.Taken {
	return webhook.Taken{Name: a.name, First: a.first, For: a.SameFor}
}

// arriving gives the items that can become events, and notes those that never can.
func (in *ingestion) arriving(items []source.Item, from int) []*arriving {
	now := in.receiver.cfg.Now().Truncate(time.Microsecond)
	var all []*arriving
	for i, item := range items {
		if err := in.receiver.checkItem(item); err != nil {
			in.bad.add(from+i, item, err)
			continue
		}
		sum := sha256.Sum256([]byte(item.ID()))
		all = append(all, &arriving{Item: item, index: from + i, name: base64.RawURLEncoding.EncodeToString(sum[:16]), first: now})
	}
	return all
}

// maxContext bounds what a third party says of several events at once, in bytes: it is written once
// for each of them.
const maxContext = 16 << 10

// maxHeld bounds an item where there is no body store, in bytes: Temporal refuses twice as much.
const maxHeld = 1 << 20

func (r *Receiver) checkItem(i source.Item) error {
	if !r.cfg.LargeItems && len(i.Data) > maxHeld {
		return webhook.Invalidf("data", "has %d bytes, at most %d are allowed", len(i.Data), maxHeld)
	}
	if len(i.Context) > maxContext {
		return webhook.Invalidf("context", "has %d bytes, at most %d are allowed", len(i.Context), maxContext)
	}
	return webhook.CheckData(i.Data)
}

// recognise finds out which items came before, and when.
func (in *ingestion) recognise(ctx context.Context, all []*arriving) error {
	alike := map[time.Duration][]string{}
	for _, a := range all {
		if a.SameFor != source.Never {
			alike[a.SameFor] = append(alike[a.SameFor], a.name)
		}
	}
	now := in.receiver.cfg.Now()
	for sameFor, names := range alike {
		found, err := in.receiver.cfg.Sources.Arrivals(ctx, in.source.ID, names, sameFor, now)
		if err != nil {
			return problem.Registry(err)
		}
		for _, a := range all {
			if a.SameFor != sameFor {
				continue
			}
			if known, ok := found[a.name]; ok {
				a.first, a.taken = known.First, known.Taken
			}
			if in.hasTaken(a, found); a.taken {
				in.passOver(a, now)
			}
		}
	}
	return nil
}

// hasTaken looks at what this gateway has taken a moment ago.
func (in *ingestion) hasTaken(a *arriving, found map[string]webhook.Arrival) {
	t, ok := in.receiver.arrivals.known(in.source.ID, a.name)
	if _, stored := found[a.name]; ok && (!stored || t.First.Equal(a.first)) {
		a.first, a.taken = t.First, true
	}
}

// longAgo is after what time a repeat is worth a line in the log: most come within minutes of the
// first.
const longAgo = time.Hour

// maxPassedOver bounds the lines of one request.
const maxPassedOver = 10

func (in *ingestion) passOver(a *arriving, now time.Time) {
	in.tally.duplicates++
	age := now.Sub(a.first)
	if age < longAgo || in.passedOver == maxPassedOver {
		return
	}
	in.passedOver++
	in.receiver.cfg.Logger.Info("repeat passed over", slog.String("tenant", in.source.Tenant), slog.String("source_id", in.source.ID),
		slog.String("provider", in.source.Provider), slog.String("event", in.eventID(a)), slog.Time("first_at", a.first),
		slog.String("age", age.Truncate(time.Second).String()))
}

// newEvent is one about to be accepted.
type newEvent struct {
	workflows.EventInput

	data     []byte
	arriving *arriving // nil: it is brought to an application once more
}

// maxOriginKey bounds a third party's id of an event as it is shown, in bytes.
const maxOriginKey = 256

// event is what an item is, before it is known whom it goes to.
func (in *ingestion) event(a *arriving, hops int) newEvent {
	s := in.source
	key := a.Key
	if len(key) > maxOriginKey {
		key = key[:maxOriginKey]
	}
	e := webhook.Event{
		Tenant:    s.Tenant,
		ID:        in.eventID(a),
		Type:      webhook.EventTypeOf(s.Prefix(), a.Type),
		Timestamp: in.receiver.cfg.Now().UTC(),
		Hops:      hops,
		Origin:    &webhook.Origin{SourceID: s.ID, Provider: s.Provider, Key: key, Application: s.Application},
	}
	return newEvent{EventInput: workflows.EventInput{Event: e, Context: json.RawMessage(a.Context)}, data: a.Data, arriving: a}
}

// eventID is derived from what makes the item the same, and when it first came where it is not the
// same for ever. No app's Idempotency-Key holds a space: an app cannot take a third party's event
// for its own.
func (in *ingestion) eventID(a *arriving) string {
	key := "source " + in.source.ID + " " + a.ID()
	switch {
	case a.SameFor == source.Never:
		key += " " + rand.Text()
	case a.SameFor > 0:
		key += " @" + strconv.FormatInt(a.first.UnixMicro(), 10)
	}
	return orchestrator.IDForKey(in.source.Tenant, key)
}
