package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
)

func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// listenError says which address is the trouble and which flag changes it.
func listenError(what, flag, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: %s is taken; stop what listens there, or choose another with %s", what, addr, flag)
	}
	return fmt.Errorf("%s: %w", what, err)
}
