package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

// The pauses of a watch: a person looks at it, perhaps for days.
const (
	firstLook    = 20 * time.Millisecond
	longestWatch = time.Second
)

func newApprovalWatch(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [ENDPOINT]",
		Short: "Follow approvals, a line for each change",
		Long: `Follow approvals: a line for each that is open, and one whenever one appears or changes. With --json the
lines are JSON. Ctrl-C ends it.

With an endpoint it follows that one until its approval has ended, and exits 0 if the endpoint was
released or recovered by itself, 1 if not.`,
		Example: `  hookloop approval watch
  hookloop approval watch ep_01jzc8k0a2n4p6r8s0t2v4w6x8
  hookloop approval watch --json | jq -r 'select(.status == "awaiting-approval") | .endpoint_id'`,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(c, args); err != nil {
				return err
			}
			return endpointsOnly(c, args)
		},
		RunE: o.with(func(g *gateway, args []string) error {
			ctx, c := g.command.Context(), g.command
			w := &approvalWatch{gateway: g, out: c.OutOrStdout(), side: c.ErrOrStderr(), asJSON: g.asJSON, shown: map[string]approvalState{}}
			if len(args) == 1 {
				return w.one(ctx, args[0])
			}
			return w.every(ctx)
		}),
	}
}

// approvalWatch shows approvals as they change.
type approvalWatch struct {
	gateway *gateway
	out     io.Writer
	side    io.Writer // for what is not about an approval
	asJSON  bool

	shown    map[string]approvalState // by endpoint
	answered bool                     // the gateway has, once
	trouble  bool                     // and does not at the moment
}

// one follows one approval to its end. Only an endpoint that is sent to again is a success.
func (w *approvalWatch) one(ctx context.Context, id string) error {
	return w.poll(ctx, func() (bool, error) {
		s, err := w.get(ctx, id)
		if err != nil {
			return false, err
		}
		if err := w.show(s); err != nil {
			return true, err
		}
		if !s.Status.Ended() {
			return false, nil
		}
		if s.Status != api.ApprovalReleased && s.Status != api.ApprovalRecovered {
			return true, fmt.Errorf("the approval of %s ended as %s", terminal.OneLine(id), because(string(s.Status), s.Reason))
		}
		return true, nil
	})
}

// every follows all that are open, until Ctrl-C.
func (w *approvalWatch) every(ctx context.Context) error {
	greeted := w.asJSON
	return w.poll(ctx, func() (bool, error) {
		open, err := w.open(ctx)
		if err != nil {
			return false, err
		}
		if !greeted && len(open) == 0 {
			_, _ = fmt.Fprintln(w.side, "No approval is open; waiting for one.   Ctrl-C stops")
		}
		greeted = true
		ended, err := w.unlisted(ctx, open)
		if err != nil {
			return false, err
		}
		for _, s := range append(open, ended...) {
			if err := w.show(s); err != nil {
				return true, err
			}
		}
		return false, nil
	})
}

// poll looks again and again until look is done, or ctx ends: that is a good end. A gateway that
// has answered once may go away and come back; only its refusals end the watch.
func (w *approvalWatch) poll(ctx context.Context, look func() (done bool, err error)) error {
	for pause := firstLook; ; pause = min(2*pause, longestWatch) {
		done, err := look()
		switch {
		case ctx.Err() != nil:
			return nil
		case done:
			return err
		case err != nil && !w.bears(ctx, err):
			return err
		case err == nil:
			w.answered, w.trouble = true, false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// bears says whether to try again, and says so once.
func (w *approvalWatch) bears(ctx context.Context, err error) bool {
	_, refused := errors.AsType[*client.Error](err)
	if !client.IsUnavailable(err) && (refused || !w.answered) {
		return false
	}
	if !w.trouble {
		_, _ = fmt.Fprintf(w.side, "%s; trying again\n", terminal.OneLine(explain(ctx, err).Error()))
	}
	w.trouble = true
	return true
}

func (w *approvalWatch) get(ctx context.Context, id string) (approvalState, error) {
	answer, err := w.gateway.Approvals.Get(id).JSON(ctx)
	if err != nil {
		return approvalState{}, err
	}
	return newApprovalState(answer)
}

// open lists what has not ended. The list is a moment behind, what it tells of each is not.
func (w *approvalWatch) open(ctx context.Context) (open []approvalState, err error) {
	query := api.ApprovalQuery{PageQuery: api.PageQuery{Limit: client.MaxPage}}
	for answer, err := range w.gateway.Approvals.List(query).Raw().All(ctx) {
		if err != nil {
			return nil, err
		}
		s, err := newApprovalState(answer)
		if err != nil {
			return nil, err
		}
		if !s.Status.Ended() {
			open = append(open, s)
		}
	}
	return open, nil
}

// unlisted reads those that were open and are no longer listed: most have ended.
func (w *approvalWatch) unlisted(ctx context.Context, open []approvalState) ([]approvalState, error) {
	listed := map[string]bool{}
	for _, s := range open {
		listed[s.EndpointID] = true
	}
	var found []approvalState
	for _, id := range slices.Sorted(maps.Keys(w.shown)) {
		if listed[id] || w.shown[id].Status.Ended() {
			continue
		}
		now, err := w.get(ctx, id)
		if client.IsNotFound(err) {
			delete(w.shown, id)
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, now)
	}
	return found, nil
}
