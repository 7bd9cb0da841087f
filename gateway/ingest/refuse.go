package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/admission"
	"hookloop/internal/quota"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// refuse answers a request that is not, or not wholly, accepted. What comes again later gets 503.
func (in *ingestion) refuse(c *gin.Context, err error) {
	refusal, refused := errors.AsType[*source.Refusal](err)
	bad, some := errors.AsType[*badItems](err)
	overload, full := errors.AsType[*admission.Refusal](err)
	spent, over := errors.AsType[*quota.Refusal](err)
	code := webhook.CodeOf(err)
	switch {
	case refused:
		in.refused(refusal.Reason)
		in.answer(c, refusalProblem(refusal))
	case some:
		in.log("bad events", bad.Error())
		in.count("bad_events")
		in.logBad()
		in.answerBad(c, bad.problem())
	case code != "" && code != api.Unavailable:
		in.refused(string(code))
		in.answer(c, problem.Of(c.Request.Context(), err, in.receiver.cfg.Logger))
	case full:
		in.count("overloaded") // the gate tells the log
		in.answer(c, problem.Overloaded(overload))
	case over:
		in.count("quota_exceeded") // a metric tells
		in.answer(c, problem.Exceeded(spent))
	default:
		if errors.Is(err, source.ErrUnavailable) {
			err = problem.Away("What this request is verified with", err)
		}
		in.log("unavailable", err.Error())
		in.count("unavailable")
		if away, ok := errors.AsType[problem.AwayError](err); ok { // it has its line
			in.answer(c, problem.Unavailable(away))
			return
		}
		in.answer(c, problem.Of(c.Request.Context(), err, in.receiver.cfg.Logger))
	}
}

// refused tells of a request that is not let in.
func (in *ingestion) refused(reason string) {
	in.log("refused", reason)
	in.count("refused")
	if in.source.Tenant != "" { // it exists
		in.receiver.arrivals.note(in.source.ID, nil, webhook.SourceActivity{Refused: 1, LastRefusedAt: in.receiver.cfg.Now(), LastRefusal: reason})
	}
}

// answer tells a third party that its request was not accepted. One that would forget what is
// answered with an error finds its connection broken off instead, and so does one that cannot be
// told from it now; but a stranger learns nothing from that.
func (in *ingestion) answer(c *gin.Context, p *problem.Problem) {
	stranger := p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden
	unknown := in.source.Provider == "" && p.Status >= http.StatusInternalServerError
	if unknown || !stranger && source.DropsOnError(in.source.Provider) {
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	}
	p.Write(c)
}

// answerBad names the items that can never be accepted. A third party that forgets what it gets an
// error for, or would send all of it for ever, is told that it was taken: the log and the source
// name them.
func (in *ingestion) answerBad(c *gin.Context, p *problem.Problem) {
	if source.DropsOnError(in.source.Provider) {
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
		return
	}
	p.Write(c)
}

// refusalProblem tells a stranger the same whatever is wrong: what it was stands in the log.
func refusalProblem(r *source.Refusal) *problem.Problem {
	p := &problem.Problem{Problem: api.Problem{
		Type: "about:blank", Title: http.StatusText(r.Status), Status: r.Status, Code: api.Unverified, Detail: "the request could not be verified",
	}}
	if r.Status == http.StatusBadRequest {
		p.Code, p.Detail = webhook.BadJSON, r.Reason
	}
	return p
}

// badItems is what of a request could not be accepted, and never can be. The others of it were.
type badItems struct {
	of  int
	bad map[int]badItem // by their index, from 0
}

type badItem struct {
	reason string
	hash   string // of its data, by which its sender finds it
}

// maxBadItems bounds how many are told of.
const maxBadItems = 10

func (b *badItems) add(index int, item source.Item, err error) {
	reason := err.Error()
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		reason = said.Message
	}
	sum := sha256.Sum256(item.Data)
	b.bad[index] = badItem{reason: reason, hash: "sha256:" + hex.EncodeToString(sum[:])}
}

// indices are those that are told of.
func (b *badItems) indices() []int {
	all := slices.Sorted(maps.Keys(b.bad))
	return all[:min(len(all), maxBadItems)]
}

// first tells of one of them, for a person.
func (b *badItems) first() string {
	index := b.indices()[0]
	return schema.At("events", index) + " " + b.bad[index].reason
}

func (b *badItems) problem() *problem.Problem {
	p := problem.New(webhook.Invalid, fmt.Sprintf("%d of %d events cannot be accepted", len(b.bad), b.of))
	if len(b.bad) < b.of {
		p.Detail += "; the others were"
	}
	for _, index := range b.indices() {
		p.Errors = append(p.Errors, api.FieldError{Field: schema.At("events", index), Message: b.bad[index].reason})
	}
	return p
}

func (b *badItems) Error() string { return b.problem().Detail }

// logBad names the refused items, a line for each.
func (in *ingestion) logBad() {
	for _, index := range in.bad.indices() {
		in.receiver.cfg.Logger.Warn("event refused", slog.String("tenant", in.source.Tenant), slog.String("source_id", in.source.ID),
			slog.String("provider", in.source.Provider), slog.String("item", schema.At("events", index)),
			slog.String("reason", in.bad.bad[index].reason), slog.String("hash", in.bad.bad[index].hash))
	}
}
