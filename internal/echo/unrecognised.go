package echo

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// unrecognised is why no object was found in a body, so that its echo cannot be recognised. It
// stands in a metric and a log line. What jq says of a failure stands in neither, for it quotes the
// body.
type unrecognised string

const (
	noKey    unrecognised = "no_key"    // key gives null: the body is about something else
	noJSON   unrecognised = "no_json"   // likewise
	tooLarge unrecognised = "too_large" // likewise
	// keyFails: key does not fit the body, or does not give exactly one value.
	keyFails  unrecognised = "key_fails"
	keyLength unrecognised = "key_length" // empty, or over maxKey
	// valueFails: value does not fit the body, or does not give exactly one value.
	valueFails unrecognised = "value_fails"
)

// Error is the reason alone.
func (u unrecognised) Error() string { return string(u) }

func newMissed() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_echo_unmarked_total",
		Help: "Bodies in which echo's expressions found no object, so that their echo counts as a change, by reason.",
	}, []string{"side", "reason"})
}

// goOn lets a body without an object go on: it counts it, and names it in the log where the
// expressions are to blame. It returns any other error.
func (t *Tracker) goOn(ctx context.Context, err error, side, id, eventID string) error {
	why, ok := errors.AsType[unrecognised](err)
	if !ok {
		return err
	}
	t.missed.WithLabelValues(side, string(why)).Inc()
	if why != noKey && why != noJSON && why != tooLarge {
		t.logger.LogAttrs(ctx, slog.LevelWarn, "echo not recognisable",
			slog.String("side", side), slog.String("id", id), slog.String("event", eventID), slog.String("reason", string(why)))
	}
	return nil
}
