package engine

import (
	"fmt"
	"log/slog"

	"go.temporal.io/server/common/log"

	"hookloop/internal/engine/inprocess"
)

// NewLogger is the logger Temporal gets, and where its fatal errors come out.
func NewLogger(to *slog.Logger) (log.Logger, <-chan error) {
	l := newLogger(to)
	return l, l.fatal
}

// Compiled counts the SQL statements that were compiled for the running Temporal.
func (e *Engine) Compiled() (n int64) {
	for _, p := range e.pools {
		n += p.connector.Compiled()
	}
	return n
}

// InnerUIURL is where the UI server itself listens.
func (e *Engine) InnerUIURL() string { return "http://" + e.ui.inner }

// ServerModule names what the server is made of.
func ServerModule() string { return fmt.Sprint(serverModule(&inprocess.Services{})) }

// Because is an error of a start with what a logger was told first.
func Because(l log.Logger, err error) error { return l.(logger).because(err) }
