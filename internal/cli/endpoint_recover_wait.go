package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

// watchRecovery starts a recovery, if start says how, and shows the progress until it has ended.
// Only one that came to its end is a success.
func watchRecovery(c *cobra.Command, o *clientOptions, path string, start *apiRequest) error {
	gateway, err := o.connect()
	if err != nil {
		return err
	}
	if start != nil {
		if _, err := gateway.call(c.Context(), *start); err != nil {
			return err
		}
	}
	answer, last, err := gateway.waitForRecovery(c.Context(), path, c.ErrOrStderr())
	if err != nil {
		return err
	}
	show := as(showRecovery)
	if o.asJSON {
		show = terminal.RawJSON
	}
	if err := show(c.OutOrStdout(), answer); err != nil {
		return err
	}
	if last.Status != "completed" {
		return fmt.Errorf("the recovery ended early: %s", because(last.Status, last.Reason))
	}
	return nil
}

// waitForRecovery asks until it has ended, with a line for each step. That the gateway cannot tell
// for a moment does not end it.
func (c *gatewayClient) waitForRecovery(ctx context.Context, path string, progress io.Writer) (answer []byte, last recoveryView, err error) {
	shown := ""
	for pause := firstPoll; ; pause = min(2*pause, longestPoll) {
		answer, err = c.call(ctx, apiRequest{method: http.MethodGet, path: path})
		if err != nil && !passing(err) {
			return nil, last, err
		}
		if err == nil {
			if last, err = decode[recoveryView](answer); err != nil || last.Status != "running" {
				return answer, last, err
			}
			if line := last.progress(); line != shown {
				shown = line
				fmt.Fprintln(progress, line)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, last, errInterrupted
		}
	}
}

func (v recoveryView) progress() string {
	return fmt.Sprintf("%d redelivered, %d skipped, of %d found so far", v.Redelivered, v.Skipped, v.Found)
}
