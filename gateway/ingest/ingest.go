// Package ingest takes what third parties send to /in/{source}: it verifies a request, splits it
// into events, tells echoes and repeats apart, has the events started and answers as the third
// party wants it. Protocols it leaves to package source, what becomes of an event to the workflows.
// The gateway calls it.
package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"hookloop/gateway/problem"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// How long the registry may take to find a source; how long events of a request are begun to be
// accepted, and how long those take that were begun. Mautic waits for fifteen seconds; what is left
// of a large batch when they are over is accepted when it comes again.
const (
	lookTimeout   = 3 * time.Second
	beginTimeout  = 10 * time.Second
	ingestTimeout = 14 * time.Second
)

// maxProviders bounds the sources whose provider is remembered, for the time when the registry is
// out of reach.
const maxProviders = 10_000

// newcomer stands for a tenant that has nothing under way, where it is not yet known whose a
// request is.
const newcomer = ""

// Handle takes a request of a third party: it is verified, read, accepted event by event, and
// answered as the third party wants it. A request that fails verification learns nothing, and
// costs no more than the computing.
func (r *Receiver) Handle(c *gin.Context) {
	in := &ingestion{receiver: r, source: webhook.Source{ID: c.Param("source_id")}}
	received, err := in.take(c)
	if err != nil {
		in.refuse(c, err)
		return
	}
	in.count(in.outcome(received))
	c.Header("X-Content-Type-Options", "nosniff") // a challenge is theirs, not a page
	status := cmp.Or(received.Answer.Status, http.StatusOK)
	if len(received.Answer.Body) == 0 {
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Data(status, received.Answer.ContentType, received.Answer.Body)
}

// ingestion is one request on its way in.
type ingestion struct {
	receiver *Receiver
	source   webhook.Source
	provider source.Provider
	matcher  *matcher

	bad        badItems
	passedOver int // repeats that the log tells of

	tally tally
	taken []webhook.Taken // guarded by the tally's lock
}

func (in *ingestion) take(c *gin.Context) (source.Received, error) {
	if err := in.look(c.Request.Context()); err != nil {
		return source.Received{}, err
	}
	if c.Request.Method == http.MethodPost { // what comes by GET accepts nothing
		if err := in.receiver.cfg.Gate.Full(newcomer); err != nil {
			return source.Received{}, err
		}
	}
	if c.Request.ContentLength > maxIngest {
		return source.Received{}, ingestTooLarge()
	}
	r := source.Request{Method: c.Request.Method, Query: c.Request.URL.RawQuery, Header: c.Request.Header, Now: in.receiver.cfg.Now()}
	if err := source.Head(in.provider, r); err != nil {
		return source.Received{}, in.turnAway(c, err)
	}
	return in.takeBody(c, r)
}

// takeBody goes on with a request that may be genuine.
func (in *ingestion) takeBody(c *gin.Context, r source.Request) (source.Received, error) {
	held := &room{receiver: in.receiver, source: "source " + in.source.ID, client: clientOf(c)}
	defer held.giveAll()
	var err error
	if r.Body, err = held.body(c); err != nil {
		return source.Received{}, err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), ingestTimeout) // only now: they may take their time to send
	defer cancel()
	if r, err = in.verify(ctx, r, held); err != nil {
		return source.Received{}, err
	}
	received, err := in.read(r)
	if err != nil {
		return received, err
	}
	if err := in.bind(ctx, received.Binding); err != nil {
		return received, err
	}
	return received, in.accept(ctx, received.Items, mostHops(c.Request.Header))
}

func (in *ingestion) read(r source.Request) (source.Received, error) {
	r, err := source.Readable(r)
	if err != nil {
		return source.Received{}, err
	}
	return in.provider.Read(r)
}

// look finds the source. One that does not exist gets a provider that no request satisfies.
func (in *ingestion) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	r, id := in.receiver, in.source.ID
	if !sourceID.MatchString(id) {
		in.provider = source.Unknown()
		return nil
	}
	s, err := r.cfg.Sources.SourceByID(ctx, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		in.provider = source.Unknown()
		return nil
	case err != nil:
		in.source.Provider, _ = r.known.Get(id)
		return fmt.Errorf("source %s: %w", id, problem.Registry(err))
	}
	in.source = s
	r.known.Add(id, s.Provider)
	in.provider, err = r.cfg.Providers.Provider(s.Provider, json.RawMessage(s.Config.Reveal()))
	if err != nil {
		return fmt.Errorf("source %s: its config does not suit its provider any more: %w", id, hideCode(err))
	}
	return nil
}

// sourceID is what the id of a source looks like; no other is looked for.
var sourceID = regexp.MustCompile("^" + webhook.SourcePrefix + "[0-9a-z]{26}$")

// hideCode makes our own trouble of what would be the caller's.
func hideCode(err error) error { return errors.New(err.Error()) }

// bind refuses a name that the third party gave to other content before.
func (in *ingestion) bind(ctx context.Context, b *source.Binding) error {
	if b == nil {
		return nil
	}
	now := in.receiver.cfg.Now()
	bound, err := in.receiver.cfg.Sources.BindOnce(ctx, in.source.ID, b.Name, b.Content, now.Add(b.For), now)
	if err != nil {
		return problem.Registry(err)
	}
	if bound != b.Content {
		return &source.Refusal{Status: http.StatusUnauthorized, Reason: "another content came under the same name before"}
	}
	return nil
}

// mostHops reads the header from a third party, which may have joined several: the most that any
// says. A garbled part counts for nothing, and does not hold the request up.
func mostHops(h http.Header) (most int) {
	for _, value := range h.Values(webhook.HeaderHops) {
		for part := range strings.SplitSeq(value, ",") {
			n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 31)
			if err == nil || errors.Is(err, strconv.ErrRange) {
				most = max(most, int(n))
			}
		}
	}
	return most
}

func (in *ingestion) count(outcome string) {
	provider := cmp.Or(in.source.Provider, "unknown")
	in.receiver.cfg.Requests.WithLabelValues(provider, outcome).Inc()
}

func (in *ingestion) log(outcome, reason string) {
	in.receiver.refusals.tell(refusalLine{tenant: in.source.Tenant, source: in.source.ID, provider: in.source.Provider, outcome: outcome}, reason, in.receiver.cfg.Now())
}
