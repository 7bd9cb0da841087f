package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// How often a waiting command asks: soon, as most events end within milliseconds, then ever more
// rarely.
const (
	firstPoll   = 20 * time.Millisecond
	longestPoll = 2 * time.Second
)

type waitOptions struct {
	wait    bool
	timeout time.Duration
}

func (o *waitOptions) register(f *pflag.FlagSet) {
	f.BoolVar(&o.wait, "wait", false, "wait until all deliveries have ended")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long --wait waits")
}

func (o *waitOptions) check(c *cobra.Command) error {
	switch {
	case o.timeout <= 0:
		return terminal.Usage("--timeout must be longer than 0s")
	case c.Flags().Changed("timeout") && !o.wait:
		return terminal.Usage("--timeout goes with --wait")
	}
	return nil
}

// waitAndShow shows the event once it has ended, or what there is when patience ends. An event delivered
// everywhere is a success, and so is one that no endpoint wanted, which is said.
func waitAndShow(c *cobra.Command, o *clientOptions, gateway *gatewayClient, id string, patience time.Duration) error {
	answer, status, err := gateway.waitForEvent(c.Context(), id, patience)
	if err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	if err := showEvent(c.OutOrStdout(), o, gateway, answer); err != nil {
		return err
	}
	switch status {
	case webhook.EventDelivered:
		return nil
	case webhook.EventUnmatched:
		_, err := fmt.Fprintln(c.ErrOrStderr(), "no endpoint wanted the event")
		return err
	case webhook.EventDelivering:
		return fmt.Errorf("event %s is still being delivered after %s; that goes on without this command", id, patience)
	case webhook.EventFailed:
	}
	return fmt.Errorf("event %s was not delivered everywhere", id)
}

// waitForEvent asks until the event has ended or patience has, and gives the last answer. That the
// gateway cannot tell for a moment does not end it.
func (c *gatewayClient) waitForEvent(ctx context.Context, id string, patience time.Duration) ([]byte, webhook.EventStatus, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last []byte
	for pause := firstPoll; ; pause = min(2*pause, longestPoll) {
		answer, err := c.call(limited, apiRequest{method: http.MethodGet, path: eventPath(id)})
		if err != nil && limited.Err() == nil && !passing(err) {
			return nil, "", err
		}
		if err == nil {
			e, err := decode[eventView](answer)
			if err != nil || e.Status != webhook.EventDelivering {
				return answer, e.Status, err
			}
			last = answer
		}
		select {
		case <-time.After(pause):
		case <-limited.Done():
			switch {
			case ctx.Err() != nil:
				return nil, "", errInterrupted
			case last == nil:
				return nil, "", fmt.Errorf("the gateway could not tell within %s", patience)
			}
			return last, webhook.EventDelivering, nil
		}
	}
}

// passing says whether a refusal is likely to be over soon.
func passing(err error) bool {
	p, ok := errors.AsType[*problemError](err)
	return ok && p.Status == http.StatusServiceUnavailable
}
