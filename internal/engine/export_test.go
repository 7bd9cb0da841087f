package engine

import (
	"log/slog"

	"go.temporal.io/server/common/log"
)

// NewLogger is the logger Temporal gets, and where its fatal errors come out.
func NewLogger(to *slog.Logger) (log.Logger, <-chan error) {
	l := newLogger(to)
	return l, l.fatal
}
