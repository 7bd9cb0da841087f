package main

import (
	"bytes"
	"io"
	"log"
	"log/slog"
)

func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
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

// catchStdlog keeps what others wrote off stderr, for the whole process.
func catchStdlog(l *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(stdlog{l})
}
