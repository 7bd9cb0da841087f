package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// timeline is the story of an event for people: a heading for each day, the time since the event
// was accepted beside each line, and without what only repeats itself.
type timeline struct {
	lines   []api.AuditLine
	leftOut map[api.AuditKind]int
	start   time.Time // when the event was accepted
	hosts   map[string]string
	data    string // SHA-256 of the event's data
}

func newTimeline(lines []api.AuditLine, all bool) timeline {
	t := timeline{leftOut: map[api.AuditKind]int{}, hosts: map[string]string{}} //nolint:exhaustive // it fills
	for _, l := range lines {
		if l.Kind == webhook.AuditAccepted && t.start.IsZero() {
			t.start, t.data = l.At, l.DataSHA256
		}
		if l.EndpointID != "" && l.EndpointURLHost != "" {
			t.hosts[l.EndpointID] = l.EndpointURLHost
		}
	}
	f := folding{}
	for _, l := range lines {
		if !all && f.folds(l) {
			t.leftOut[l.Kind]++
			continue
		}
		t.lines = append(t.lines, l)
	}
	return t
}

// folding knows what was told, to leave out what tells it again.
type folding struct{ failing map[string]bool }

// folds says whether a line can be missed: the waits between attempts, the reports and counts of an
// episode, and what stands in two histories.
func (f *folding) folds(l api.AuditLine) bool {
	switch l.Kind { //nolint:exhaustive // of fifty kinds, those that matter here
	case webhook.AuditWait, webhook.AuditStatus, webhook.AuditRecheck, webhook.AuditContinued, webhook.AuditAnnounced, webhook.AuditRecovered:
		return true
	case webhook.AuditDeliveryStarted, webhook.AuditDeliveryEnded:
		return strings.HasPrefix(l.WorkflowID, "event/") // the delivery's own history says it, too
	case webhook.AuditEndpointState:
		return l.WorkflowID != "" // the change log says it, too
	case webhook.AuditProbe:
		return strings.HasPrefix(l.WorkflowID, "delivery/") // the approval's history has the answer, too
	case webhook.AuditRelease:
		return strings.HasPrefix(l.WorkflowID, "approval/") && l.Count == 0
	case webhook.AuditFailing:
		if f.failing == nil {
			f.failing = map[string]bool{}
		}
		again := f.failing[l.RunID]
		f.failing[l.RunID] = true
		return again
	default:
		return false
	}
}

// text is the whole of it.
func (t timeline) text() string {
	var b strings.Builder
	day, wide := "", t.width()
	for _, l := range t.lines {
		at := l.At.UTC()
		if today := at.Format("Monday, 2 January 2006"); today != day {
			if day != "" {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "%s (UTC)\n", today)
			day = today
		}
		fmt.Fprintf(&b, "  %s  %7s  %s %-*s  %s\n", at.Format("15:04:05.000"), t.since(at), mark(l), wide, l.Kind, t.sentence(l))
	}
	b.WriteString(t.foot())
	return b.String()
}

func (t timeline) width() (wide int) {
	for _, l := range t.lines {
		wide = max(wide, utf8.RuneCountInString(string(l.Kind)))
	}
	return wide
}

// since is how long after its acceptance, or before.
func (t timeline) since(at time.Time) string {
	d := at.Sub(t.start)
	switch {
	case t.start.IsZero():
		return ""
	case d < 0:
		return "-" + rough(-d)
	}
	return "+" + rough(d)
}

// rough is a duration in two units at most.
func rough(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// mark lets the eye find what went well, what failed, and what people did.
func mark(l api.AuditLine) string {
	switch {
	case l.Kind == webhook.AuditAttempt && l.StatusCode/100 == 2, l.Status == string(webhook.Delivered):
		return "✓"
	case l.Kind == webhook.AuditAttempt, l.Kind == webhook.AuditStepFailed, l.Kind == webhook.AuditRefused:
		return "✗"
	case l.Actor != "" && l.Actor != webhook.ByHookloop, l.ActorClaimed != "", l.Via == webhook.ViaTemporalUI, l.Via == webhook.ViaTemporal:
		return "●"
	}
	return " "
}

// sentence is who did what, and where.
func (t timeline) sentence(l api.AuditLine) string {
	var parts []string
	host := l.EndpointURLHost
	if len(t.hosts) > 1 {
		host = cmp.Or(host, t.hosts[l.EndpointID])
	}
	if host != "" && l.EndpointVersion > 0 {
		host += fmt.Sprintf(" v%d", l.EndpointVersion)
	}
	for _, part := range []string{l.Detail, why(l), actor(l)} {
		if part != "" {
			parts = append(parts, terminal.OneLine(part))
		}
	}
	text := strings.Join(parts, ", ")
	if host != "" && !strings.HasPrefix(text, "to ep_") {
		text = strings.TrimPrefix(text+"  ["+terminal.OneLine(host)+"]", "  ")
	}
	return text
}

// why is a reason that the sentence lacks.
func why(l api.AuditLine) string {
	if l.Reason == "" || strings.Contains(l.Detail, l.Reason) {
		return ""
	}
	return l.Reason
}

// foot says what was left out, which endpoints the hosts are, and by what a body kept elsewhere is
// proven to be the event's data.
func (t timeline) foot() string {
	var b strings.Builder
	if len(t.hosts) > 0 || t.data != "" {
		b.WriteByte('\n')
	}
	for _, id := range slices.Sorted(maps.Keys(t.hosts)) {
		fmt.Fprintf(&b, "%s  %s\n", terminal.OneLine(id), terminal.OneLine(t.hosts[id]))
	}
	if t.data != "" {
		fmt.Fprintf(&b, "SHA-256 of its data  %s\n", terminal.OneLine(t.data))
	}
	if n := len(t.leftOut); n == 0 {
		return b.String()
	}
	total, kinds := 0, []string{}
	for _, kind := range slices.Sorted(maps.Keys(t.leftOut)) {
		total += t.leftOut[kind]
		kinds = append(kinds, fmt.Sprintf("%d %s", t.leftOut[kind], kind))
	}
	fmt.Fprintf(&b, "\n%s left out (%s): --all shows them.\n", terminal.Count(total, "line"), strings.Join(kinds, ", "))
	return b.String()
}
