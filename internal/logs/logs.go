// Package logs is how a process says what happens: for machines, for people at a terminal, or only
// once a start is through. It decides the form and what is left out because it may quote others;
// what is worth saying is decided where it happens. cmd makes the logger of each role with it.
package logs

import (
	"bytes"
	"io"
	"log"
	"log/slog"

	"hookloop/internal/config"
	"hookloop/internal/terminal"
)

// New writes what HOOKLOOP_LOG says, from HOOKLOOP_LOG_LEVEL on.
func New(w io.Writer, c config.Log, verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.Level(c.Level)}
	if verbose {
		options.Level = slog.LevelDebug
	}
	switch c.Format {
	case config.LogJSON:
		return slog.New(slog.NewJSONHandler(w, options))
	case config.LogLines:
		return slog.New(newLines(w, slog.NewTextHandler(w, options)))
	case config.LogText:
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// OfCommand is the logger of commands that run for a moment.
func OfCommand(w io.Writer) *slog.Logger {
	c, err := config.ReadLog(config.OS)
	if err != nil {
		c = config.Log{Level: config.LogLevel(slog.LevelWarn)} // those that serve refuse it
	}
	return New(w, c, false)
}

// OfDev is for people where people read it, unless the environment has it otherwise.
func OfDev(w io.Writer) (config.Log, error) {
	c, err := config.ReadLog(config.OS)
	if c.Format == "" && terminal.IsTerminal(w) {
		c.Format = config.LogLines
	}
	return c, err
}

// stdlog takes what libraries say through the standard library's logger. net/http quotes there what
// an endpoint sent without being asked, and that may be a credential it was given: the line is
// dropped, and a sentence of ours says that there was one.
type stdlog struct{ log *slog.Logger }

func (s stdlog) Write(line []byte) (int, error) {
	switch {
	case bytes.HasPrefix(line, []byte("Unsolicited response received on idle HTTP channel")):
		s.log.Debug("an endpoint sent something that no request asked for; its connection was closed")
	case bytes.HasPrefix(line, []byte("http: panic serving")):
		s.log.Error("a request ended in a panic")
	default:
		s.log.Debug("a library said something that may quote others", slog.Int("bytes", len(line)))
	}
	return len(line), nil
}

// CatchStandard keeps what others wrote off stderr, for the whole process.
func CatchStandard(l *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(stdlog{l})
}
