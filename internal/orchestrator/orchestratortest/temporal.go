// Package orchestratortest plays Temporal for the tests of the orchestrator and of those who reach
// Temporal through it: one server in memory, which starts, lists, tells and forgets workflows as
// the real one does, and runs none of them.
package orchestratortest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"hookloop/internal/orchestrator"
)

// Temporal is a server. Its fields may be set before it is used, and read after.
type Temporal struct {
	Down  error // what every call answers; nil: the server answers
	Hangs bool  // every call waits until its context ends

	MostListed int // runs on a page; 0: as many as are asked for

	Started []client.StartWorkflowOptions
	Signals []Signal
	Updates []client.UpdateWorkflowOptions // that reached a workflow
	Lists   []*workflowservice.ListWorkflowExecutionsRequest
	Counts  []string // the queries that were counted
	Reads   []string // ids of workflows whose histories were read
	Resets  []*workflowservice.ResetActivityRequest

	mu     sync.Mutex
	runs   []*Run // in the order in which they began
	latest map[string]*Run
}

var _ orchestrator.Client = (*Temporal)(nil)

// Signal is one that was sent.
type Signal struct {
	WorkflowID, Name string
	Arg              any
}

// New is a server without workflows.
func New() *Temporal { return &Temporal{latest: map[string]*Run{}} }

// Put adds runs, each after those that are there.
func (t *Temporal) Put(runs ...*Run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range runs {
		t.put(r)
	}
}

func (t *Temporal) put(r *Run) {
	r.RunID = cmp.Or(r.RunID, "run-of-"+r.ID)
	t.runs = append(t.runs, r)
	t.latest[r.ID] = r
}

// Run is the latest run of a workflow; nil: there is none.
func (t *Temporal) Run(id string) *Run {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.latest[id]
}

// Runs are all, in the order in which they began.
func (t *Temporal) Runs() []*Run {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.runs)
}

// Starts is how many workflows were started.
func (t *Temporal) Starts() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.Started)
}

// Forget deletes workflows, as retention does; without ids all.
func (t *Temporal) Forget(ids ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(func(r *Run) bool { return len(ids) == 0 || slices.Contains(ids, r.ID) })
}

func (t *Temporal) remove(which func(*Run) bool) {
	t.runs = slices.DeleteFunc(t.runs, which)
	t.latest = map[string]*Run{}
	for _, r := range t.runs {
		t.latest[r.ID] = r
	}
}

// away is what a call answers before it is looked at.
func (t *Temporal) away(ctx context.Context) error {
	if t.Hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.Down
}

// named finds a run: the latest of its workflow without a run id.
func (t *Temporal) named(id, runID string) *Run {
	r := t.latest[id]
	if r == nil || runID == "" || r.RunID == runID {
		return r
	}
	for _, other := range t.runs {
		if other.ID == id && other.RunID == runID {
			return other
		}
	}
	return nil
}

// with does something to a run that was named, or gives what the call answers in its place.
func (t *Temporal) with(ctx context.Context, id, runID string, do func(*Run) error) error {
	if err := t.away(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.named(id, runID)
	if r == nil {
		return notFound()
	}
	return do(r)
}

func notFound() error { return serviceerror.NewNotFound("workflow not found") }
