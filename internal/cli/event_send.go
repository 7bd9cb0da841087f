package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/devdir"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

type sendOptions struct {
	eventType string
	data      string
	timestamp string
	key       string
	wait      waitOptions
}

func newEventSend(o *clientOptions) *cobra.Command {
	var s sendOptions
	c := &cobra.Command{
		Use:   "send",
		Short: "Send an event",
		Long: `Send an event. Once it is accepted it cannot get lost: every endpoint that takes its type gets it.

--data is JSON as it stands, @file or - for standard input; endpoints receive it byte for byte.
With --key (an Idempotency-Key) the command can be repeated: the event is accepted once.
With --wait it waits until all deliveries have ended, shows them, and exits 1 if one was not
delivered.

--data being taken here, the folder of 'hookloop dev' is --data-dir.`,
		Example: `  hookloop event send --type contact.updated --data '{"id": 1}'
  hookloop event send --type order.paid --data @order.json --key order-4711-paid --wait
  jq .contact export.json | hookloop event send --type contact.created --data -`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runEventSend(c, o, s) },
	}
	f := c.Flags()
	f.StringVar(&s.eventType, "type", "", "what happened: words separated by dots, like contact.updated")
	f.StringVar(&s.data, "data", "", "`JSON`, @file, or - for standard input")
	f.StringVar(&o.data, "data-dir", devdir.Default, "`folder` of 'hookloop dev'")
	f.StringVar(&s.timestamp, "timestamp", "", "when it happened, a `time` in RFC 3339; now, if not given")
	f.StringVar(&s.key, "key", "", "Idempotency-Key")
	s.wait.register(f)
	return c
}

// acceptedEvent is the gateway's answer to an event.
type acceptedEvent struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Duplicate  bool              `json:"duplicate"`
	Deliveries []json.RawMessage `json:"deliveries"`
}

func runEventSend(c *cobra.Command, o *clientOptions, s sendOptions) error {
	body, err := s.body(c)
	if err != nil {
		return err
	}
	return accept(c, o, apiRequest{method: http.MethodPost, path: "/events", body: body, idempotencyKey: s.key}, s.wait)
}

// accept makes a request that is answered with an accepted event, and waits for it if asked to.
func accept(c *cobra.Command, o *clientOptions, r apiRequest, wait waitOptions) error {
	if !wait.wait {
		return o.run(c, r, as(showAccepted))
	}
	gateway, err := o.connect()
	if err != nil {
		return err
	}
	answer, err := gateway.call(c.Context(), r)
	if err != nil {
		return err
	}
	accepted, err := decode[acceptedEvent](answer)
	if err != nil {
		return err
	}
	return waitAndShow(c, o, gateway, accepted.ID, wait.timeout)
}

// body is the JSON of the event, put together around the data so that not a byte of it changes.
func (s sendOptions) body(c *cobra.Command) ([]byte, error) {
	switch flags := c.Flags(); {
	case s.eventType == "":
		return nil, terminal.Usage("--type is required; see %s --help", c.CommandPath())
	case !flags.Changed("data"):
		return nil, terminal.Usage("--data is required; see %s --help", c.CommandPath())
	case flags.Changed("key") && s.key == "":
		return nil, terminal.Usage("--key must not be empty")
	}
	if err := s.wait.check(c); err != nil {
		return nil, err
	}
	data, err := readData(c.Context(), s.data, c.InOrStdin())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"type":`)
	b.Write(quoteJSON(s.eventType))
	if s.timestamp != "" {
		if _, err := time.Parse(time.RFC3339, s.timestamp); err != nil {
			return nil, terminal.Usage("--timestamp must be an RFC 3339 time like 2026-01-31T12:00:00Z")
		}
		b.WriteString(`,"timestamp":`)
		b.Write(quoteJSON(s.timestamp))
	}
	b.WriteString(`,"data":`)
	b.Write(data)
	b.WriteByte('}')
	return b.Bytes(), nil
}

func quoteJSON(s string) []byte {
	q, _ := json.Marshal(s) // a string always marshals
	return q
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

func showAccepted(w io.Writer, e acceptedEvent) error {
	what := "accepted, goes to " + terminal.Count(len(e.Deliveries), "endpoint")
	switch {
	case e.Duplicate:
		what = "was accepted before with this key"
	case len(e.Deliveries) == 0:
		what = "accepted; no endpoint takes this type"
	}
	id := terminal.OneLine(e.ID)
	_, err := fmt.Fprintf(w, "%s  %s  %s\n\nNext: hookloop event get %s\n", id, terminal.OneLine(e.Type), what, id)
	return err
}
