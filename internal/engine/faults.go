package engine

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence"
)

// StoreFaults make Temporal's stores fail now and then. They are for tests, and no setting of
// anything that runs Hookloop.
type StoreFaults struct {
	// Seed repeats which calls of each kind fail, and how.
	Seed uint64
	// Rate is the share of calls that fail, from 0 to 1. A third of them are made all the same.
	Rate float64
	// Calls counts all calls of Temporal's stores, but for visibility's.
	Calls atomic.Int64
	// NotDone counts the calls that were not made.
	NotDone atomic.Int64
}

// faultyCalls are what the work of an event asks of Temporal's stores.
var faultyCalls = map[config.DataStoreName][]string{
	config.ExecutionStoreName: {
		"CreateWorkflowExecution", "UpdateWorkflowExecution", "GetWorkflowExecution", "GetCurrentExecution",
		"AppendHistoryNodes", "ReadHistoryBranch", "GetHistoryTasks", "RangeCompleteHistoryTasks", "AddHistoryTasks",
	},
	config.ShardStoreName: {"UpdateShard", "GetOrCreateShard", "AssertShardOwnership"},
	config.TaskStoreName:  {"CreateTasks", "GetTasks", "CompleteTasksLessThan", "UpdateTaskQueue", "GetTaskQueue"},
}

// injection is Temporal's own configuration of it. One kind of fault does what was asked and says
// that it timed out; the others do nothing. The latter go through an injector, because Temporal
// draws among the kinds of one call in the order of a map, which no seed repeats.
func (f *StoreFaults) injection() *config.FaultInjection {
	if f == nil {
		return nil
	}
	in := &config.FaultInjection{}
	dice := map[string]*dice{}
	n := f.Seed
	for _, store := range []config.DataStoreName{config.ExecutionStoreName, config.ShardStoreName, config.TaskStoreName} {
		for _, call := range faultyCalls[store] {
			n++
			dice[string(store)+call] = newDice(n)
			in.WithError(store, call, "ExecuteAndTimeout", f.Rate/3).WithMethodSeed(store, call, int64(n)+1) //nolint:gosec // any number does; zero would be chance
		}
	}
	in.Injector = func(target config.FaultInjectionTarget) error {
		f.Calls.Add(1)
		d := dice[string(target.Store)+target.Method]
		if d == nil {
			return nil
		}
		err := d.fault(f.Rate*2/3, target.Store != config.TaskStoreName)
		if err != nil {
			f.NotDone.Add(1)
		}
		return err
	}
	return in
}

// dice are those of one call.
type dice struct {
	mu     sync.Mutex
	chance *rand.Rand
}

func newDice(seed uint64) *dice {
	return &dice{chance: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // to be repeated, not kept secret
}

func (d *dice) fault(rate float64, sharded bool) error {
	d.mu.Lock()
	hit, kind := d.chance.Float64() < rate, d.chance.IntN(4)
	d.mu.Unlock()
	if !hit {
		return nil
	}
	switch {
	case kind == 0:
		return &persistence.TimeoutError{Msg: "injected: timeout"}
	case kind == 1:
		return serviceerror.NewUnavailable("injected: unavailable")
	case kind == 2 && sharded:
		return &persistence.ShardOwnershipLostError{Msg: "injected: shard lost"}
	}
	return &serviceerror.ResourceExhausted{
		Cause: enums.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED, Scope: enums.RESOURCE_EXHAUSTED_SCOPE_SYSTEM, Message: "injected: exhausted",
	}
}
