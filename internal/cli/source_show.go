package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"

	"hookloop/api"
	"hookloop/internal/terminal"
)

func showSource(w io.Writer, s api.Source) error {
	t := terminal.Columns(w)
	terminal.Row(t, "id", s.ID)
	terminal.Row(t, "provider", string(s.Provider))
	terminal.Row(t, "name", s.Name)
	terminal.Row(t, "ingest url", s.IngestURL)
	terminal.Row(t, "config", compactJSON(s.Config))
	terminal.Row(t, "type prefix", s.TypePrefix)
	terminal.Fact(t, "application", s.Application)
	if s.Echo != (api.EchoPaths{}) {
		echoRows(t, s.Echo)
	}
	if s.Activity != nil {
		activityRows(t, *s.Activity)
	}
	return t.Flush()
}

func activityRows(w io.Writer, a api.SourceActivity) {
	terminal.Row(w, "accepted", counted(a.Accepted, a.LastAcceptedAt))
	terminal.Row(w, "repeats", counted(a.Repeats, nil))
	terminal.Row(w, "refused", counted(a.Refused, a.LastRefusedAt))
	terminal.Fact(w, "last refusal", a.LastRefusal)
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
func showNewSource(w io.Writer, s api.Source) error {
	if err := showSource(w, s); err != nil {
		return err
	}
	next := "\nNext: " + terminal.OneLine(nextAt(s)) + "\n"
	if host := loopback(s.IngestURL); host != "" {
		next += "\nOnly this machine reaches " + terminal.OneLine(host) +
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
