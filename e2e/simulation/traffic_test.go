package simulation_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
)

// loses says whether it answers a request itself, so that Temporal never hears of it; nil: no
// request is.
type loses func(request, reply any) bool

// traffic stands between Hookloop and Temporal. It knows whether something is going on between the
// two, and may lose what a fault on purpose is to lose.
type traffic struct {
	moved atomic.Int64 // with whatever begins or ends
	polls atomic.Int64 // that wait for tasks
	tasks sync.Map     // those that the worker has and has not answered, by their tokens: since which step
	steps atomic.Int64

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
		c.tasks.Delete(string(answer.GetTaskToken()))
	}
	handed := tasks(reply)
	for _, task := range handed {
		c.tasks.Store(string(task), c.steps.Load())
	}
	if !polls || len(handed) > 0 {
		c.moved.Add(1)
	}
	return err
}

// inHand says whether the worker has tasks. One that it has had for very long it has given up.
func (c *traffic) inHand() (has bool) {
	c.tasks.Range(func(token, since any) bool {
		if c.steps.Load()-since.(int64) > stuck {
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
func tasks(reply any) (handed [][]byte) {
	add := func(t tokened) {
		if token := t.GetTaskToken(); len(token) > 0 {
			handed = append(handed, token)
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
	return handed
}
