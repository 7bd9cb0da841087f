// Package archive copies the histories of ended workflows into files that outlive Temporal's retention,
// and reads them again. It decides what such a folder looks like, and that nothing is copied twice or left
// out. Who may have it and where the folder lies is left to cmd, its only caller.
package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"hookloop/internal/webhook"
)

const (
	// DefaultOverlap is how far a run looks back behind the end of the one before: visibility learns of an
	// end a moment later, and that moment is long when its queue is.
	DefaultOverlap = time.Hour

	// pageSize is how many executions are copied between two writes of the index.
	pageSize = 200

	// copiers is how many histories are read and written at once: each waits for a disk most of the time.
	copiers = 4

	// slice is the time whose executions are looked at together. It bounds memory, for their run ids are
	// kept meanwhile: some 90 bytes each, 90 MB for an hour at 280 events a second.
	slice = time.Hour

	day = 24 * time.Hour
)

// Client is the part of the Temporal client that is needed here; client.Client is one.
type Client interface {
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, longPoll bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator
}

var _ Client = client.Client(nil)

// Config says what is copied, and how.
type Config struct {
	Client    Client
	Codec     converter.PayloadCodec // opens payloads; nil: they stay as Temporal has them
	Bodies    Bodies                 // find the data of large events; nil: references to it are copied as they are
	Folder    *Folder
	Tenant    string                         // one tenant's alone; empty: everybody's
	Retention time.Duration                  // of the namespace: nothing older is there any more
	Overlap   time.Duration                  // zero: DefaultOverlap
	Now       func() time.Time               // nil: time.Now
	Progress  func(hour time.Time, s Report) // called after every page; nil: nobody wants to know
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
	Late      bool      `json:"late"`      // retention may have deleted some since the run before
}

// Archiver copies.
type Archiver struct {
	cfg   Config
	large *large
}

// New checks what it is given.
func New(cfg Config) (*Archiver, error) {
	if cfg.Client == nil || cfg.Folder == nil {
		return nil, errors.New("archive: Client and Folder are required")
	}
	if cfg.Tenant != "" {
		if err := webhook.CheckTenant(cfg.Tenant); err != nil {
			return nil, err
		}
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = DefaultOverlap
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Progress == nil {
		cfg.Progress = func(time.Time, Report) {}
	}
	return &Archiver{cfg: cfg, large: &large{bodies: cfg.Bodies, turn: semaphore.NewWeighted(1)}}, nil
}

// Run copies what ended in [since, until) and is not in the folder yet. A zero since goes on where the run
// before stopped, a zero until is now. What it copied stays when ctx ends or something fails.
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
	return r, a.cfg.Folder.cover(a.cfg.Tenant, r.From, r.Until)
}

// skip goes to the next day if nothing ended in the rest of this one: a first run begins with many such days.
func (a *Archiver) skip(ctx context.Context, hour time.Time, r Report) (time.Time, error) {
	for hour.Equal(hour.Truncate(day)) || hour.Equal(r.From.Truncate(slice)) {
		end := earlier(hour.Truncate(day).Add(day), r.Until)
		if !hour.Add(slice).Before(end) {
			break
		}
		found, err := a.list(ctx, 1, nil, later(hour, r.From), end)
		if err != nil || len(found.GetExecutions()) > 0 {
			return hour, err
		}
		hour = end
	}
	return hour, nil
}

func (a *Archiver) list(ctx context.Context, size int32, page []byte, from, to time.Time) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	found, err := a.cfg.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: size, NextPageToken: page, Query: query(a.cfg.Tenant, from, to),
	})
	if err != nil {
		return nil, fmt.Errorf("what ended since %s: %w", from.Format(time.RFC3339), err)
	}
	return found, nil
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
		return r, errors.New("nobody knows how long Temporal keeps what has ended: say since when")
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
		found, err := a.list(ctx, pageSize, page, from, to)
		if err != nil {
			return err
		}
		var missing []*workflowpb.WorkflowExecutionInfo
		for _, x := range found.GetExecutions() {
			id := x.GetExecution().GetRunId()
			switch {
			case known[id]:
				r.Known++
			case x.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING:
				known[id] = true // a page may repeat what the page before had
				missing = append(missing, x)
			}
		}
		if err := a.copy(ctx, hour, missing, r); err != nil {
			return err
		}
		a.cfg.Progress(hour, *r)
		if page = found.GetNextPageToken(); len(page) == 0 {
			return nil
		}
	}
}

// query names the four workflows, for others may live in the namespace. Who still runs has no close time.
func query(tenant string, from, to time.Time) string {
	q := fmt.Sprintf("WorkflowType IN ('Event', 'Delivery', 'Approval', 'Recovery') AND CloseTime >= '%s' AND CloseTime < '%s'",
		from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
	if tenant != "" {
		q += " AND Tenant = '" + tenant + "'"
	}
	return q
}

// copy writes files, several at once, and then their lines: those that came through even if one did not.
func (a *Archiver) copy(ctx context.Context, hour time.Time, missing []*workflowpb.WorkflowExecutionInfo, r *Report) error {
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
func (a *Archiver) one(ctx context.Context, x *workflowpb.WorkflowExecutionInfo) (*Entry, error) {
	e := entry(x)
	events := a.cfg.Client.GetWorkflowHistory(ctx, e.WorkflowID, e.RunID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	h := &history{ctx: ctx, events: events, codec: a.cfg.Codec, large: a.large, event: eventOf(e.WorkflowID)}
	err := a.cfg.Folder.write(&e, h.writeTo)
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
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
