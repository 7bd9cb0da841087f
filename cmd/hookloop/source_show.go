package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

func showSource(w io.Writer, s sourceView) error {
	t := columns(w)
	row(t, "id", s.ID)
	row(t, "provider", s.Provider)
	row(t, "name", s.Name)
	row(t, "ingest url", s.IngestURL)
	row(t, "config", compactJSON(s.Config))
	row(t, "type prefix", s.TypePrefix)
	if s.Application != "" {
		row(t, "application", s.Application)
	}
	if s.Echo != nil {
		s.Echo.rows(t)
	}
	if s.Activity != nil {
		s.Activity.rows(t)
	}
	return t.Flush()
}

func (a *sourceActivity) rows(w io.Writer) {
	row(w, "accepted", counted(a.Accepted, a.LastAcceptedAt))
	row(w, "repeats", counted(a.Repeats, nil))
	row(w, "refused", counted(a.Refused, a.LastRefusedAt))
	if a.LastRefusal != "" {
		row(w, "last refusal", a.LastRefusal)
	}
}

// counted tells how often something was, and when last.
func counted(n int64, last *time.Time) string {
	text := strconv.FormatInt(n, 10)
	if last != nil {
		text += ", last at " + last.UTC().Format(time.RFC3339)
	}
	return text
}

// compactJSON is JSON on one line, or as it came if it is none.
func compactJSON(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// showNewSource ends with a line that says what to do at the provider.
func showNewSource(w io.Writer, s sourceView) error {
	if err := showSource(w, s); err != nil {
		return err
	}
	next := "\nNext: " + oneLine(nextAt(s)) + "\n"
	if host := loopback(s.IngestURL); host != "" {
		next += "\nOnly this machine reaches " + oneLine(host) +
			": tell the gateway its public address, a tunnel's for one, by HOOKLOOP_PUBLIC_URL.\n"
	}
	_, err := io.WriteString(w, next)
	return err
}

// loopback gives the host of a URL that leads to the machine it is used on; empty for any other.
func loopback(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
		return ""
	}
	return u.Host
}
