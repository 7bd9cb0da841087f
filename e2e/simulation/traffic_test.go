package simulation_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"hookloop/internal/check"
)

// loses says whether it answers a request itself, so that Temporal never hears of it; nil: no
// request is.
type loses func(request, reply any) bool

// traffic stands between Hookloop and Temporal. It knows whether something is going on between the
// two, and may lose what a fault on purpose is to lose.
type traffic struct {
	moved atomic.Int64 // with whatever begins or ends
	polls atomic.Int64 // that wait for tasks
	tasks sync.Map     // those that the worker has and has not answered, by their tokens: a handed each
	steps atomic.Int64

	mu   sync.Mutex
	late []check.Fault // tasks that ran out before the worker answered them

	lose loses
}

func (c *traffic) intercept(ctx context.Context, name string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	method := name[strings.LastIndexByte(name, '/')+1:]
	if c.lose != nil && c.lose(request, reply) {
		return nil
	}
	polls := method == "PollWorkflowTaskQueue" || method == "PollActivityTaskQueue"
	if polls {
		c.polls.Add(1)
		defer c.polls.Add(-1)
	} else {
		c.moved.Add(1)
	}
	err := invoke(ctx, name, request, reply, cc, opts...)
	if answer, is := request.(tokened); is && strings.HasPrefix(method, "Respond") {
		c.answered(answer, err)
	}
	out := tasks(reply)
	for _, task := range out {
		c.tasks.Store(string(task), handed{step: c.steps.Load(), at: time.Now()})
	}
	if !polls || len(out) > 0 {
		c.moved.Add(1)
	}
	return err
}

// handed is when the worker got a task.
type handed struct {
	step int64
	at   time.Time
}

// answered notes tasks that Temporal does not know any more, and those that the SDK gave up because
// they took too long to compute. What the worker did in them is lost, and done again: it got too
// little of the machine while the world's seconds passed.
func (c *traffic) answered(task tokened, err error) {
	since, had := c.tasks.LoadAndDelete(string(task.GetTaskToken()))
	failed, is := task.(*workflowservice.RespondWorkflowTaskFailedRequest)
	stoodStill := is && strings.Contains(failed.GetFailure().GetMessage(), "[TMPRL1101]")
	if !had || !stoodStill && serviceerror.ToStatus(err).Code() != codes.NotFound {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = append(c.late, check.Fault{Name: "a task that ran out", From: since.(handed).at, Until: time.Now()})
}

// ranOut are the spans in which the worker did things that are done again.
func (c *traffic) ranOut() []check.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.late)
}

// inHand says whether the worker has tasks. One that it has had for very long it has given up.
func (c *traffic) inHand() (has bool) {
	c.tasks.Range(func(token, since any) bool {
		if c.steps.Load()-since.(handed).step > stuck {
			c.tasks.Delete(token)
			return true
		}
		has = true
		return false
	})
	return has
}

// tokened is what is about a task.
type tokened interface{ GetTaskToken() []byte }

// tasks are the tokens of those that a reply hands out.
func tasks(reply any) (out [][]byte) {
	add := func(t tokened) {
		if token := t.GetTaskToken(); len(token) > 0 {
			out = append(out, token)
		}
	}
	switch r := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		add(r)
	case *workflowservice.PollActivityTaskQueueResponse:
		add(r)
	case *workflowservice.StartWorkflowExecutionResponse:
		add(r.GetEagerWorkflowTask())
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		add(r.GetWorkflowTask())
		for _, activity := range r.GetActivityTasks() {
			add(activity)
		}
	}
	return out
}
