package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// harmless begins the warnings of every day: at each start that Nexus over HTTP is off, for we
// turned it off, and at each long history that the UI asks for larger pages than Temporal likes.
// At each request that it makes of itself it misses a place for what it could have told.
var harmless = []string{
	"HTTP API port has not been set", "GetHistory page size is larger than threshold",
	"TrailerToContextMetadataInterceptor: Trailer had metadata but context not wrapped",
}

// repeated begins the warning about a task of Temporal's own that it tries again, in a thousand
// characters. It says so as an error when that goes on.
const repeated = "Fail to process task"

// logger hands Temporal's warnings and errors to slog. Below that it says nothing: what it tells at
// info is about itself, not about events. While it stops, its warnings are about its own parts
// missing each other, and go to debug.
type logger struct {
	slog     *slog.Logger
	tags     []tag.Tag // of With, which Temporal calls far more often than it logs
	stopping *atomic.Bool
	first    *atomic.Pointer[string] // the first error that Temporal told of, fatal or not
	fatal    chan error              // the first error Temporal would have ended the process with
}

var (
	_ log.Logger     = logger{}
	_ log.WithLogger = logger{}
)

func newLogger(to *slog.Logger) logger {
	return logger{slog: to, stopping: &atomic.Bool{}, first: &atomic.Pointer[string]{}, fatal: make(chan error, 1)}
}

func (l logger) Debug(string, ...tag.Tag) {}

func (l logger) Info(string, ...tag.Tag) {}

func (l logger) Warn(msg string, tags ...tag.Tag) { l.log(slog.LevelWarn, msg, tags) }

func (l logger) Error(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// DPanic marks a bug Temporal can live with outside of its own tests.
func (l logger) DPanic(msg string, tags ...tag.Tag) { l.log(slog.LevelError, msg, tags) }

// Panic logs, then panics, as Temporal relies on.
func (l logger) Panic(msg string, tags ...tag.Tag) {
	l.log(slog.LevelError, msg, tags)
	panic(msg)
}

// Fatal would end the process. Here it ends the goroutine, and Start or Failed tell the caller.
func (l logger) Fatal(msg string, tags ...tag.Tag) {
	select {
	case l.fatal <- fatalError(msg, tags):
	default: // the first one says why
	}
	runtime.Goexit()
}

// With implements log.WithLogger.
func (l logger) With(tags ...tag.Tag) log.Logger {
	l.tags = slices.Concat(l.tags, tags)
	return l
}

func (l logger) log(level slog.Level, msg string, tags []tag.Tag) {
	for _, known := range harmless {
		if strings.HasPrefix(msg, known) {
			return
		}
	}
	if l.stopping.Load() || strings.HasPrefix(msg, repeated) {
		level = slog.LevelDebug
	}
	if level == slog.LevelError && l.first.Load() == nil {
		text := fatalError(msg, slices.Concat(l.tags, tags)).Error()
		l.first.CompareAndSwap(nil, &text)
	}
	attrs := make([]slog.Attr, 0, len(l.tags)+len(tags))
	for _, t := range slices.Concat(l.tags, tags) {
		attrs = append(attrs, slog.Any(t.Key(), t.Value()))
	}
	l.slog.LogAttrs(context.Background(), level, "temporal: "+msg, attrs...)
}

// fatalOr prefers the fatal error to err, which may only say that its goroutine ended.
func (l logger) fatalOr(err error) error {
	select {
	case fatal := <-l.fatal:
		return fatal
	default:
		return err
	}
}

// because adds to the error of a start that took too long what Temporal told of first: that a
// frontend does not answer in time is seldom the reason itself.
func (l logger) because(err error) error {
	first := l.first.Load()
	if err == nil || first == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		return err
	}
	return fmt.Errorf("%w; before that: %s", err, *first)
}

// fatalError joins the message with its error tag, which is what people need of the tags.
func fatalError(msg string, tags []tag.Tag) error {
	key := tag.Error(errors.New("")).Key()
	for _, t := range tags {
		if t.Key() == key {
			return fmt.Errorf("temporal: %s: %v", msg, t.Value())
		}
	}
	return errors.New("temporal: " + msg)
}
