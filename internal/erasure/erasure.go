// Package erasure takes the data of events away on purpose, everywhere but in archives, which
// follow by themselves. It decides when an event may be erased and in which order; once an erasure
// is noted in the registry it is worked off, whatever dies meanwhile. Who may ask for it is the
// gateway's to decide. The gateway asks it, cmd runs it.
package erasure

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

const (
	// lease is how long a process may take over one erasure before another goes on with it.
	lease = time.Minute
	// secondLook is how long after an erasure Temporal is asked once more: its lists are a moment
	// behind, and a worker may have been about to note an attempt.
	secondLook = 30 * time.Second
	// checkEvery is how often a process looks for what is due.
	checkEvery = 10 * time.Second
)

// Temporal deletes what it has of an event, and says how many runs that were; orchestrator.Erasures
// does.
type Temporal interface {
	DeleteEvent(ctx context.Context, tenant, eventID string, endpoints []string) (runs int, err error)
}

// Events tells of events; orchestrator.Events does. Its errors carry webhook.NotFound.
type Events interface {
	State(ctx context.Context, tenant, id string) (orchestrator.EventState, error)
	Accepted(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error)
}

// Registry keeps erasures and what events have left beside Temporal.
type Registry interface {
	// BeginErasure notes one, or gives the one that was begun before; webhook.OnLegalHold: a person
	// forbids it.
	BeginErasure(ctx context.Context, e webhook.Erasure, due time.Time) (webhook.Erasure, error)
	// Erasure finds one; webhook.NotFound: there is none.
	Erasure(ctx context.Context, tenant, eventID string) (webhook.Erasure, error)
	NextErasure(ctx context.Context, now, until time.Time) (webhook.Erasure, bool, error)
	SaveErasure(ctx context.Context, e webhook.Erasure, due time.Time) error
	// ForgetEvent takes away what an event has left in the registry.
	ForgetEvent(ctx context.Context, tenant, eventID string, endpoints []string) error
	// KnowsEvent says whether there is any.
	KnowsEvent(ctx context.Context, tenant, eventID string) (bool, error)
	SubjectEvents(ctx context.Context, tenant, subject, after string, limit int) ([]string, error)
	SubjectHold(ctx context.Context, tenant, subject string) (webhook.Hold, error)
	PutHold(ctx context.Context, tenant string, h webhook.Hold) (webhook.Hold, error)
	DeleteHold(ctx context.Context, tenant string, h webhook.Hold) error
	NoteSubject(ctx context.Context, tenant, eventID, subject string, now time.Time) error
}

// Store is a database in files of ours. What is deleted in it stays in free pages and in its log,
// unless it is told to overwrite it.
type Store interface {
	// Overwrite begins or ends to write over all that is deleted, and empties the log.
	Overwrite(ctx context.Context, on bool) error
}

// Config is what an Eraser is made of.
type Config struct {
	Temporal Temporal
	Events   Events
	Registry Registry
	Caches   []func(tenant, eventID string) // let go of what they hold of an event
	Stores   []Store                        // none where the databases are run by others
	Now      func() time.Time               // nil: time.Now
	Logger   *slog.Logger                   // nil: says nothing
}

// Eraser erases.
type Eraser struct{ cfg Config }

// New names what is missing.
func New(c Config) (*Eraser, error) {
	if c.Temporal == nil || c.Events == nil || c.Registry == nil {
		return nil, errors.New("erasure: Temporal, Events and Registry are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return &Eraser{c}, nil
}

// Order asks for an erasure.
type Order struct {
	Reason string
	Cancel bool // also what is being delivered

	patience time.Duration // how long to wait until it is done; zero: as long as the context lasts
}

// Erase takes the data of an event away, and the answers of endpoints to it. Once it is noted, it
// happens: if this process cannot end it, the answer says that it is under way. One that was erased
// before is told of as it was. The error carries webhook.NotFound when there is no such event,
// webhook.Conflict when deliveries are under way, and webhook.OnLegalHold.
func (e *Eraser) Erase(ctx context.Context, tenant, id string, o Order) (webhook.Erasure, error) {
	known, err := e.cfg.Registry.Erasure(ctx, tenant, id)
	if err == nil && !known.ErasedAt.IsZero() {
		return known, nil
	}
	if webhook.CodeOf(err) == webhook.NotFound {
		known, err = e.begin(ctx, tenant, id, o)
	}
	if err != nil {
		return known, err
	}
	if o.patience > 0 {
		var enough context.CancelFunc
		ctx, enough = context.WithTimeout(ctx, o.patience)
		defer enough()
	}
	done, err := e.work(ctx, known)
	if err != nil { // it goes on by itself
		e.cfg.Logger.WarnContext(ctx, "erasure", slog.String("tenant", tenant), slog.String("event", id), slog.Any("error", err))
	}
	return done, nil
}

// Find tells of an event that was erased. The error carries webhook.NotFound when it was not.
func (e *Eraser) Find(ctx context.Context, tenant, id string) (webhook.Erasure, error) {
	return e.cfg.Registry.Erasure(ctx, tenant, id)
}

// begin notes an erasure, if nothing speaks against it.
func (e *Eraser) begin(ctx context.Context, tenant, id string, o Order) (webhook.Erasure, error) {
	by := webhook.ActorOf(ctx)
	x := webhook.Erasure{Tenant: tenant, EventID: id, By: by.Name, Via: by.Via, Reason: o.Reason}
	state, err := e.cfg.Events.State(ctx, tenant, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		if known, also := e.cfg.Registry.KnowsEvent(ctx, tenant, id); also != nil || !known {
			return x, errors.Join(also, err)
		}
	case err != nil:
		return x, err
	default:
		if err := underWay(state); err != nil && !o.Cancel {
			return x, err
		}
		for _, d := range state.Report.Deliveries {
			x.Endpoints = append(x.Endpoints, d.EndpointID)
		}
		_, data, err := e.cfg.Events.Accepted(ctx, tenant, id)
		if err != nil && webhook.CodeOf(err) != webhook.NotFound {
			return x, err
		}
		x.Data, x.DataBytes = fingerprint(data), int64(len(data))
	}
	return e.cfg.Registry.BeginErasure(ctx, x, e.cfg.Now().Add(lease))
}

// underWay refuses an event that is being delivered.
func underWay(s orchestrator.EventState) error {
	running := 0
	for _, d := range s.Report.Deliveries {
		if !d.Status.Ended() {
			running++
		}
	}
	if running == 0 && s.Report.Status != webhook.EventDelivering {
		return nil
	}
	return webhook.Errorf(webhook.Conflict, "it is being delivered (%d under way): wait until that has ended, or erase it with cancel, which ends it", running)
}

// work does all of it, which may have been done in part, and says when to look again.
func (e *Eraser) work(ctx context.Context, x webhook.Erasure) (webhook.Erasure, error) {
	for _, s := range e.cfg.Stores {
		if err := s.Overwrite(ctx, true); err != nil {
			return x, err
		}
	}
	found, err := e.cfg.Temporal.DeleteEvent(ctx, x.Tenant, x.EventID, x.Endpoints)
	if err != nil {
		return x, err
	}
	if err := e.cfg.Registry.ForgetEvent(ctx, x.Tenant, x.EventID, x.Endpoints); err != nil {
		return x, err
	}
	for _, forget := range e.cfg.Caches {
		forget(x.Tenant, x.EventID)
	}
	now := e.cfg.Now().UTC().Truncate(time.Microsecond)
	due := now.Add(secondLook)
	next := x
	switch {
	case x.ErasedAt.IsZero():
		next.ErasedAt = now
	case found == 0:
		next.DoneAt, due = now, time.Time{}
	}
	for _, s := range e.cfg.Stores {
		if err := s.Overwrite(ctx, !due.IsZero()); err != nil {
			return x, err
		}
	}
	if err := e.cfg.Registry.SaveErasure(ctx, next, due); err != nil {
		return x, err
	}
	return next, nil
}

// Run goes on with what is due until ctx ends: what a process could not end, and second looks.
// Several processes may do it side by side.
func (e *Eraser) Run(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		if err := e.RunOnce(ctx); err != nil && ctx.Err() == nil {
			e.cfg.Logger.WarnContext(ctx, "erasure", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// RunOnce goes on with all that is due now.
func (e *Eraser) RunOnce(ctx context.Context) error {
	for {
		now := e.cfg.Now()
		x, due, err := e.cfg.Registry.NextErasure(ctx, now, now.Add(lease))
		if err != nil || !due {
			return err
		}
		if _, err := e.work(ctx, x); err != nil {
			return err
		}
	}
}
