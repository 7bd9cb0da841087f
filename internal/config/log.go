package config

import (
	"errors"
	"log/slog"
	"slices"
)

// Log is how a process logs.
type Log struct {
	Format LogFormat `env:"HOOKLOOP_LOG" doc:"text, json, or lines: for people, one for each event; unset: text, and lines where 'hookloop dev' has a terminal"`
	Level  LogLevel  `env:"HOOKLOOP_LOG_LEVEL" envDefault:"warn" doc:"debug, info, warn or error; --verbose is debug"`
}

// LogFormat is how log lines are written; empty: the process decides.
type LogFormat string

// The formats.
const (
	LogText  LogFormat = "text"
	LogJSON  LogFormat = "json"
	LogLines LogFormat = "lines" // for people, one for each event
)

// UnmarshalText refuses others.
func (f *LogFormat) UnmarshalText(text []byte) error {
	if !slices.Contains([]LogFormat{LogText, LogJSON, LogLines}, LogFormat(text)) {
		return errors.New("must be text, json or lines")
	}
	*f = LogFormat(text)
	return nil
}

// LogLevel is from which level on log lines are written.
type LogLevel slog.Level

// UnmarshalText takes the four names alone.
func (l *LogLevel) UnmarshalText(text []byte) error {
	var level slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, string(text)) || level.UnmarshalText(text) != nil {
		return errors.New("must be debug, info, warn or error")
	}
	*l = LogLevel(level)
	return nil
}

// ReadLog reads how to log, for what runs before all else is read.
func ReadLog(lookup Env) (l Log, err error) {
	err = read(lookup, &l)
	return l, err
}
