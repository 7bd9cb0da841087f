package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

type sendOptions struct {
	eventType string
	data      string
	timestamp string
	key       string
	subject   string
	wait      waitOptions
}

func newEventSend(o *options) *cobra.Command {
	var s sendOptions
	c := &cobra.Command{
		Use:   "send",
		Short: "Send an event",
		Long: `Send an event. Once it is accepted it cannot get lost: every endpoint that takes its type gets it.

--data is JSON as it stands, @file or - for standard input; endpoints receive it byte for byte.
With --key (an Idempotency-Key) the command can be repeated: the event is accepted once.
With --wait it waits until all deliveries have ended, shows them, and exits 1 if one was not
delivered, or if --timeout is over and one goes on without it.`,
		Example: `  hookloop event send --type contact.updated --data '{"id": 1}'
  hookloop event send --type order.paid --data @order.json --key order-4711-paid --wait
  jq .contact export.json | hookloop event send --type contact.created --data -`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runEventSend(c, o, s) },
	}
	f := c.Flags()
	f.StringVar(&s.eventType, "type", "", "what happened: words separated by dots, like contact.updated")
	f.StringVar(&s.data, "data", "", "`JSON`, @file, or - for standard input")
	f.StringVar(&s.timestamp, "timestamp", "", "when it happened, a `time` in RFC 3339; now, if not given")
	f.StringVar(&s.subject, "subject", "", "whom it concerns, in your own words: by it 'event erase' finds all of theirs")
	f.StringVar(&s.key, "key", "", "Idempotency-Key")
	s.wait.register(f)
	return c
}

func runEventSend(c *cobra.Command, o *options, s sendOptions) error {
	event, err := s.event(c)
	if err != nil {
		return err
	}
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	return accept(g, keyed(g.Events.Send(event), s.key), s.wait)
}

// accept makes a call that is answered with an accepted event, and waits for it if asked to.
func accept(g *gateway, call client.Call[api.AcceptedEvent], wait waitOptions) error {
	if !wait.wait {
		return show(g, call, g.showAccepted)
	}
	accepted, err := call.Do(g.command.Context())
	if err != nil {
		return err
	}
	return waitAndShow(g, accepted.ID, wait.timeout)
}

// event is what the flags say.
func (s sendOptions) event(c *cobra.Command) (e api.NewEvent, err error) {
	switch flags := c.Flags(); {
	case s.eventType == "":
		return e, terminal.Usage("--type is required; see %s --help", c.CommandPath())
	case !flags.Changed("data"):
		return e, terminal.Usage("--data is required; see %s --help", c.CommandPath())
	case flags.Changed("key") && s.key == "":
		return e, terminal.Usage("--key must not be empty")
	}
	if err := s.wait.check(c, nil); err != nil {
		return e, err
	}
	e.Type, e.Subject = s.eventType, s.subject
	if s.timestamp != "" {
		if e.Timestamp, err = time.Parse(time.RFC3339, s.timestamp); err != nil {
			return e, terminal.Usage("--timestamp must be an RFC 3339 time like 2026-01-31T12:00:00Z")
		}
	}
	e.Data, err = readData(c.Context(), s.data, c.InOrStdin())
	return e, err
}

// readData gets the data from where --data says. The check spares people a riddle: around data
// that is not JSON, the whole body would be at fault.
func readData(ctx context.Context, from string, stdin io.Reader) ([]byte, error) {
	data := []byte(from)
	name, isFile := strings.CutPrefix(from, "@")
	switch {
	case from == "-":
		read, err := readBounded(ctx, stdin)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		data = read
	case isFile:
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--data: %w", err)
		}
		defer func() { _ = file.Close() }()
		if data, err = readBounded(ctx, file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if !json.Valid(data) {
		return nil, terminal.Usage("--data is not valid JSON; %s", dataHint(from))
	}
	return data, nil
}

func dataHint(from string) string {
	if from == "-" || strings.HasPrefix(from, "@") {
		return "it must be one JSON value"
	}
	return "@file reads a file, - standard input"
}

// readBounded reads no more than the gateway would take. Ctrl-C ends it, also at a terminal.
func readBounded(ctx context.Context, r io.Reader) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // a read of a terminal cannot be called off; the process ends soon
		data, err := io.ReadAll(io.LimitReader(r, webhook.MaxBody+1))
		done <- result{data, err}
	}()
	select {
	case got := <-done:
		if len(got.data) > webhook.MaxBody {
			return nil, fmt.Errorf("is larger than %d bytes, the most the gateway takes", webhook.MaxBody)
		}
		return got.data, got.err
	case <-ctx.Done():
		return nil, errInterrupted
	}
}

func (g *gateway) showAccepted(w io.Writer, e api.AcceptedEvent) error {
	what := "accepted, goes to " + terminal.Count(len(e.Deliveries), "endpoint")
	switch {
	case e.Duplicate:
		what = "was accepted before with this key"
	case len(e.Deliveries) == 0:
		what = "accepted; no endpoint of tenant " + g.tenant + " takes this type"
	}
	return terminal.Say(w, "%s  %s  %s\n\nNext: hookloop event get %s\n", e.ID, e.Type, what, e.ID)
}
