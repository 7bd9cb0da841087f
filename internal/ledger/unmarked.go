package ledger

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// unmarked is why a body has no mark, so that its echo cannot be recognised. It stands in a metric and a
// log line; what jq says of a failure stands in neither, for it quotes the body.
type unmarked string

const (
	noKey      unmarked = "no_key"      // key gives null: the body is about something else
	noJSON     unmarked = "no_json"     // likewise
	tooLarge   unmarked = "too_large"   // likewise
	keyFails   unmarked = "key_fails"   // key does not fit the body, or gives not exactly one value
	keyLength  unmarked = "key_length"  // empty, or over maxKey
	valueFails unmarked = "value_fails" // value does not fit the body, or gives not exactly one value
)

// Error is the reason alone.
func (u unmarked) Error() string { return string(u) }

func newUnmarked() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hookloop_echo_unmarked_total",
		Help: "Bodies in which echo's expressions found no object, so that their echo counts as a change, by reason.",
	}, []string{"side", "reason"})
}

// pass lets a body without a mark go on, and says so in the log where the expressions are to blame. Any
// other error it returns.
func (l *Ledger) pass(ctx context.Context, err error, side, id, eventID string) error {
	why, ok := errors.AsType[unmarked](err)
	if !ok {
		return err
	}
	l.unmarked.WithLabelValues(side, string(why)).Inc()
	if why != noKey && why != noJSON && why != tooLarge {
		l.logger.LogAttrs(ctx, slog.LevelWarn, "echo not recognisable",
			slog.String("side", side), slog.String("id", id), slog.String("event", eventID), slog.String("reason", string(why)))
	}
	return nil
}
