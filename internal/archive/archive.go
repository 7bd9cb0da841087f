// Package archive copies the histories of ended workflows into files that outlive Temporal's
// retention, and reads them again. It decides what such a folder looks like, and that nothing is
// copied twice or left out. Who may have it and where the folder lies is left to cmd, its only
// caller.
package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

const (
	// DefaultOverlap is how far a run looks back behind the end of the one before: visibility
	// learns of an end a moment later, and that moment is long when its queue is.
	DefaultOverlap = time.Hour

	// pageSize is how many executions are copied between two writes of the index.
	pageSize = 200

	// copiers is how many histories are read and written at once: each waits for a disk most of the
	// time.
	copiers = 4

	// slice is the time whose executions are looked at together. It bounds memory, for their run
	// ids are kept meanwhile: some 90 bytes each, 90 MB for an hour at 280 events a second.
	slice = time.Hour

	day = 24 * time.Hour
)

// Histories finds what has ended and reads what it did; orchestrator.Histories does. Its errors
// carry webhook.NotFound when Temporal does not know a run any more.
type Histories interface {
	// Ended lists the runs that ended in [from, to), of one tenant or, empty, of all.
	Ended(ctx context.Context, tenant string, from, to time.Time, size int, page []byte) ([]orchestrator.Execution, []byte, error)
	Events(ctx context.Context, workflowID, runID string) iter.Seq2[*historypb.HistoryEvent, error]
}

// Config says what is copied, and how.
type Config struct {
	Histories Histories
	Codec     converter.PayloadCodec // opens payloads; nil: they stay as Temporal has them
	Bodies    Bodies                 // find the data of large events; nil: references to it are copied as they are
	Folder    *Folder
	// Erasures tells which events were erased after a time: their files go, too. Nil: none is
	// looked for.
	Erasures  func(ctx context.Context, after time.Time) ([]Erased, error)
	Tenant    string                         // one tenant's alone; empty: all
	Retention time.Duration                  // of the namespace: nothing older is there any more
	Overlap   time.Duration                  // zero: DefaultOverlap
	Now       func() time.Time               // nil: time.Now
	Progress  func(hour time.Time, s Report) // called after every page; nil: no progress is shown
}

// Report tells what a run did.
type Report struct {
	From      time.Time `json:"from"` // of the ends that were looked at
	Until     time.Time `json:"until"`
	Archived  int       `json:"archived"`
	Known     int       `json:"known"`     // archived before
	Gone      int       `json:"gone"`      // deleted before they could be read
	Encrypted int       `json:"encrypted"` // of the archived, those that hold payloads as Temporal has them
	Bodiless  int       `json:"bodiless"`  // of the archived, events whose large data was not there to be copied
	Bytes     int64     `json:"bytes"`     // of the archived files
	Erased    int       `json:"erased"`    // files that went because their events were erased
	Late      bool      `json:"late"`      // retention may have deleted some since the run before
}

// Archiver copies.
type Archiver struct {
	cfg   Config
	large *large
}

// New checks what it is given.
func New(cfg Config) (*Archiver, error) {
	if cfg.Histories == nil || cfg.Folder == nil {
		return nil, errors.New("archive: Histories and Folder are required")
	}
	if cfg.Tenant != "" {
		if err := webhook.CheckTenant(cfg.Tenant); err != nil {
			return nil, err
		}
	}
	cfg.Overlap = cmp.Or(cfg.Overlap, DefaultOverlap)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Progress == nil {
		cfg.Progress = func(time.Time, Report) {}
	}
	return &Archiver{cfg: cfg, large: &large{bodies: cfg.Bodies, turn: semaphore.NewWeighted(1)}}, nil
}

// Run copies what ended in [since, until) and is not in the folder yet. A zero since goes on where
// the run before stopped, a zero until is now. What it copied stays when ctx ends or something
// fails.
func (a *Archiver) Run(ctx context.Context, since, until time.Time) (Report, error) {
	r, err := a.window(since, until)
	if err != nil {
		return r, err
	}
	for hour := r.From.Truncate(slice); hour.Before(r.Until); hour = hour.Add(slice) {
		if hour, err = a.skip(ctx, hour, r); err != nil {
			return r, err
		}
		if !hour.Before(r.Until) {
			break
		}
		before := r.Archived
		from, to := later(hour, r.From), earlier(hour.Add(slice), r.Until)
		if err := a.hour(ctx, hour, from, to, &r); err != nil {
			return r, err
		}
		if r.Archived == before {
			continue // an hour without news is looked at again sooner than written down
		}
		if err := a.cfg.Folder.cover(a.cfg.Tenant, r.From, to); err != nil {
			return r, err
		}
	}
	if err := a.cfg.Folder.cover(a.cfg.Tenant, r.From, r.Until); err != nil || a.cfg.Erasures == nil {
		return r, err
	}
	r.Erased, err = a.cfg.Folder.follow(ctx, a.cfg.Erasures)
	return r, err
}

// skip goes to the next day if nothing ended in the rest of this one: a first run begins with many
// such days.
func (a *Archiver) skip(ctx context.Context, hour time.Time, r Report) (time.Time, error) {
	for hour.Equal(hour.Truncate(day)) || hour.Equal(r.From.Truncate(slice)) {
		end := earlier(hour.Truncate(day).Add(day), r.Until)
		if !hour.Add(slice).Before(end) {
			break
		}
		found, _, err := a.list(ctx, 1, nil, later(hour, r.From), end)
		if err != nil || len(found) > 0 {
			return hour, err
		}
		hour = end
	}
	return hour, nil
}

func (a *Archiver) list(ctx context.Context, size int, page []byte, from, to time.Time) ([]orchestrator.Execution, []byte, error) {
	found, next, err := a.cfg.Histories.Ended(ctx, a.cfg.Tenant, from, to, size, page)
	if err != nil {
		return nil, nil, fmt.Errorf("what ended since %s: %w", from.Format(time.RFC3339), err)
	}
	return found, next, nil
}

func (a *Archiver) window(since, until time.Time) (Report, error) {
	now := a.cfg.Now().UTC()
	r := Report{From: since.UTC(), Until: until.UTC()}
	if until.IsZero() {
		r.Until = now
	}
	if !since.IsZero() {
		return r, nil
	}
	covered, err := a.cfg.Folder.covered(a.cfg.Tenant)
	if err != nil {
		return r, err
	}
	kept := now.Add(-a.cfg.Retention)
	switch {
	case !covered.IsZero():
		r.From = covered.Add(-a.cfg.Overlap)
		r.Late = a.cfg.Retention > 0 && covered.Before(kept)
	case a.cfg.Retention == 0:
		return r, errors.New("how long Temporal keeps what has ended is not known: say since when")
	default:
		r.From = kept.Add(-day) // it deletes some time after
	}
	return r, nil
}

// hour copies what ended in [from, to), which lies within one slice.
func (a *Archiver) hour(ctx context.Context, hour, from, to time.Time, r *Report) error {
	known, err := a.cfg.Folder.known(hour)
	if err != nil {
		return err
	}
	for page := []byte(nil); ; {
		found, next, err := a.list(ctx, pageSize, page, from, to)
		if err != nil {
			return err
		}
		var missing []orchestrator.Execution
		for _, x := range found {
			switch {
			case known[x.RunID]:
				r.Known++
			case !x.Running():
				known[x.RunID] = true // a page may repeat what the page before had
				missing = append(missing, x)
			}
		}
		if err := a.copy(ctx, hour, missing, r); err != nil {
			return err
		}
		a.cfg.Progress(hour, *r)
		if page = next; len(page) == 0 {
			return nil
		}
	}
}

// copy writes files, several at once, and then their lines: those that came through even if one did
// not.
func (a *Archiver) copy(ctx context.Context, hour time.Time, missing []orchestrator.Execution, r *Report) error {
	done := make([]*Entry, len(missing))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(copiers)
	for i, x := range missing {
		all.Go(func() (err error) {
			done[i], err = a.one(ctx, x)
			return err
		})
	}
	err := all.Wait()
	var lines []Entry
	for _, e := range done {
		if e == nil {
			continue
		}
		if lines = append(lines, *e); e.Encrypted {
			r.Encrypted++
		}
		if e.Bodiless {
			r.Bodiless++
		}
		r.Bytes += e.Bytes
	}
	r.Archived += len(lines)
	if err == nil {
		r.Gone += len(missing) - len(lines)
	}
	return errors.Join(err, a.cfg.Folder.add(hour, lines))
}

// one copies one history; nil says that it is gone.
func (a *Archiver) one(ctx context.Context, x orchestrator.Execution) (*Entry, error) {
	e := entry(x)
	events := a.cfg.Histories.Events(ctx, e.WorkflowID, e.RunID)
	h := &history{ctx: ctx, events: events, codec: a.cfg.Codec, large: a.large, event: eventOf(e.WorkflowID)}
	err := a.cfg.Folder.write(&e, h.writeTo)
	if webhook.CodeOf(err) == webhook.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s, run %s: %w", e.WorkflowID, e.RunID, err)
	}
	e.Encrypted, e.Bodiless = h.encrypted, h.bodiless
	return &e, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
