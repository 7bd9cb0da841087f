package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// maxIngest bounds what a third party may send at once, in bytes: it is read whole before anybody is
// known to have sent it, and holds at most webhook.MaxData for each event.
const maxIngest = 4 << 20

// maxIngesting bounds what all of them may send at the same time, in bytes: sixty-four of the largest. Beyond,
// they are told to come again.
const maxIngesting = 256 << 20

// How long the registry may take to find a source, and everything to accept what was sent: a batch of the
// largest size takes ten seconds on two cores, and Mautic waits for fifteen.
const (
	lookTimeout   = 3 * time.Second
	ingestTimeout = 14 * time.Second
)

// firstRead is what a body is given room for before any of it has come, in bytes: who only promises one
// shall not fill the memory.
const firstRead = 64 << 10

// maxProviders bounds the sources whose provider is remembered, for the time when the registry is out of
// reach.
const maxProviders = 10_000

// ingest takes a request of a third party: it is verified, read, accepted event by event, and answered
// as the third party wants it. Whoever cannot prove who they are learns nothing, and costs no more than
// the computing.
func (g *Gateway) ingest(c *gin.Context) {
	in := &ingestion{gateway: g, source: webhook.Source{ID: c.Param("source_id")}}
	received, err := in.take(c)
	if err != nil {
		in.refuse(c, err)
		return
	}
	in.count(in.outcome(received))
	c.Header("X-Content-Type-Options", "nosniff") // a challenge is theirs, not a page
	status := received.Answer.Status
	if status == 0 {
		status = http.StatusOK
	}
	if len(received.Answer.Body) == 0 {
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Data(status, received.Answer.ContentType, received.Answer.Body)
}

// ingestion is one request on its way in.
type ingestion struct {
	gateway  *Gateway
	source   webhook.Source
	provider source.Provider
	tally    tally
}

func (in *ingestion) take(c *gin.Context) (source.Received, error) {
	if err := in.look(c.Request.Context()); err != nil {
		return source.Received{}, err
	}
	body, release, err := in.gateway.ingestBody(c)
	if err != nil {
		return source.Received{}, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(c.Request.Context(), ingestTimeout) // only now: they may take their time to send
	defer cancel()
	r := source.Request{
		Method: c.Request.Method, Query: c.Request.URL.RawQuery, Header: c.Request.Header, Body: body, Now: in.gateway.now(),
	}
	if err := in.provider.Verify(ctx, r); err != nil {
		return source.Received{}, err
	}
	received, err := in.provider.Read(r)
	if err != nil {
		return received, err
	}
	if err := in.claim(ctx, received.Once); err != nil {
		return received, err
	}
	return received, in.accept(ctx, received.Items, mostHops(c.Request.Header))
}

// look finds the source. One that does not exist gets a provider nobody can satisfy.
func (in *ingestion) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	g, id := in.gateway, in.source.ID
	if !sourceID.MatchString(id) {
		in.provider = source.Stranger()
		return nil
	}
	s, err := g.sources.SourceByID(ctx, id)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		in.provider = source.Stranger()
		return nil
	case err != nil:
		in.source.Provider, _ = g.known.Get(id)
		return fmt.Errorf("source %s: %w", id, registryErr(err))
	}
	in.source = s
	g.known.Add(id, s.Provider)
	in.provider, err = g.providers.Provider(s.Provider, json.RawMessage(s.Config.Reveal()))
	if err != nil {
		return fmt.Errorf("source %s: its config does not suit its provider any more: %w", id, hideCode(err))
	}
	return nil
}

// hideCode makes our own trouble of what would be the caller's.
func hideCode(err error) error { return errors.New(err.Error()) }

// claim refuses a name that the third party gave to other content before.
func (in *ingestion) claim(ctx context.Context, once *source.Once) error {
	if once == nil {
		return nil
	}
	now := in.gateway.now()
	bound, err := in.gateway.sources.Claim(ctx, in.source.ID, once.Name, once.Content, now.Add(once.For), now)
	if err != nil {
		return registryErr(err)
	}
	if bound != once.Content {
		return &source.Refusal{Status: http.StatusUnauthorized, Reason: "another content came under the same name before"}
	}
	return nil
}

// ingestBody reads the body whole, if there is room for it; release gives the room back.
func (g *Gateway) ingestBody(c *gin.Context) (body []byte, release func(), err error) {
	r := c.Request
	coded := func(coding string) bool { return coding != "" && !strings.EqualFold(coding, "identity") }
	if slices.ContainsFunc(r.Header.Values("Content-Encoding"), coded) {
		return nil, nil, webhook.Errorf(UnsupportedMediaType, "the body must be sent without a Content-Encoding")
	}
	size := r.ContentLength
	if size < 0 { // it does not say
		size = maxIngest
	}
	if size > maxIngest {
		return nil, nil, ingestTooLarge()
	}
	if !g.ingesting.TryAcquire(size) {
		return nil, nil, webhook.Errorf(Unavailable, "too much is being sent at once; try again")
	}
	release = func() { g.ingesting.Release(size) }
	if body, err = readIngest(c); err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

func readIngest(c *gin.Context) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(c.Request.ContentLength, 0), firstRead)) + bytes.MinRead)
	_, err := io.Copy(&b, http.MaxBytesReader(c.Writer, c.Request.Body, maxIngest))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, ingestTooLarge()
	}
	return b.Bytes(), bodyErr(err)
}

func ingestTooLarge() error {
	return webhook.Errorf(PayloadTooLarge, "the body is larger than %d bytes", maxIngest)
}

// headerHops tells how often an event has passed through Hookloop; sender.HeaderHops has to be the same.
const headerHops = "Hookloop-Hops"

// hops reads it. Without the header an event is new here.
func hops(h http.Header) (int, error) {
	value := h.Get(headerHops)
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0, webhook.Invalidf(headerHops, "must be a whole number")
	}
	return int(n), nil
}

// mostHops reads it from a third party, which may have joined several: the most that any says. Who garbles it
// is not held up for it.
func mostHops(h http.Header) (most int) {
	for _, value := range h.Values(headerHops) {
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
	provider := in.source.Provider
	if provider == "" {
		provider = "unknown"
	}
	in.gateway.metrics.ingested.WithLabelValues(provider, outcome).Inc()
}

func (in *ingestion) log(outcome, reason string) {
	in.gateway.log.Warn("ingest", slog.String("tenant", in.source.Tenant), slog.String("source_id", shortened(in.source.ID)),
		slog.String("provider", in.source.Provider), slog.String("outcome", outcome), slog.String("reason", reason))
}
