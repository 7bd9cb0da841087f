package simulation_test

import (
	"context"
	"strings"
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
	moved  atomic.Int64 // with whatever begins or ends
	inHand atomic.Int64 // tasks that the worker has and has not answered
	polls  atomic.Int64 // that wait for tasks

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
	if strings.HasPrefix(method, "Respond") {
		c.inHand.Add(-1)
	}
	n := tasks(reply)
	if err == nil {
		c.inHand.Add(n)
	}
	if !polls || n > 0 {
		c.moved.Add(1)
	}
	return err
}

// tasks is how many a reply hands out.
func tasks(reply any) int64 {
	var n int64
	count := func(has bool) {
		if has {
			n++
		}
	}
	switch r := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		count(len(r.GetTaskToken()) > 0)
	case *workflowservice.PollActivityTaskQueueResponse:
		count(len(r.GetTaskToken()) > 0)
	case *workflowservice.StartWorkflowExecutionResponse:
		count(r.GetEagerWorkflowTask() != nil)
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		count(r.GetWorkflowTask() != nil)
		n += int64(len(r.GetActivityTasks()))
	}
	return n
}
