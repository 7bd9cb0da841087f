package console

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"hookloop/api"
)

// functions are what templates may call.
func (c *Console) functions() template.FuncMap {
	return template.FuncMap{
		"when":       func(t any) template.HTML { return when(moment(t), c.cfg.Now()) },
		"host":       host,
		"title":      titleOf,
		"tone":       tone,
		"words":      words,
		"answered":   answered,
		"duration":   span,
		"history":    c.history,
		"tab":        newTab,
		"name":       nameAny,
		"hostof":     hostOf,
		"share":      share,
		"rate":       rate,
		"shared":     shareTone,
		"millis":     millis,
		"minutely":   perMinute,
		"count":      count,
		"deliveries": deliveries,
		"spans":      func() any { return spans },
		"takes":      takes,
		"top":        func(all []api.EndpointLine) []api.EndpointLine { return all[:min(5, len(all))] },
		"list":       func(all ...any) []any { return all },
		"pace":       func() float64 { return usualPace },
		"in":         func(v view, of any) part { return part{v, of} },
		"to":         func(e api.Event, d deliveryView) eventDelivery { return eventDelivery{e, d} },
		"rows":       func(v view, events []api.EventItem) eventRows { return eventRows{v.Base(), events} },
		"lastAnswer": func(all []api.Answer) *api.Answer {
			if len(all) == 0 {
				return nil
			}
			return &all[len(all)-1]
		},
	}
}

// moment is a time, or what points to one.
func moment(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

// when says a time as people do, and exactly where one points at it.
func when(t, now time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	said := span(now.Sub(t)) + " ago"
	if t.After(now) {
		said = "in " + span(t.Sub(now))
	}
	exact := t.UTC().Format(time.RFC3339)
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, exact, exact, said)) //nolint:gosec // digits and units
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// tone is the colour of a state: good, bad, waiting or off. The word stands beside it.
func tone(state any) string {
	switch fmt.Sprint(state) {
	case "active", "delivered", "recovered", "released", "took":
		return "good"
	case "failed", "exhausted", "rejected", "held", "awaiting-approval", "disabled", "fails":
		return "bad"
	case "delivering", "pending", "retrying", "watching", "probing", "releasing", "paused", "refuses":
		return "wait"
	default:
		return "off"
	}
}

// words are how a state reads.
func words(state any) string {
	switch s := fmt.Sprint(state); s {
	case "awaiting-approval":
		return "needs a decision"
	case "watching":
		return "failing, watched"
	case "probing":
		return "being tried"
	case "releasing":
		return "letting go"
	default:
		return s
	}
}

// answered is what an endpoint said, in short.
func answered(a any) string {
	var status int
	var failure string
	switch a := a.(type) {
	case api.AttemptItem:
		status, failure = a.StatusCode, a.Failure
	case *api.LastError:
		status, failure = a.StatusCode, a.Failure
	case api.Answer:
		status, failure = a.StatusCode, string(a.Failure)
	case *api.Answer:
		status, failure = a.StatusCode, string(a.Failure)
	case *api.Attempt:
		status, failure = a.StatusCode, string(a.Failure)
	case api.Attempt:
		status, failure = a.StatusCode, string(a.Failure)
	}
	if status == 0 {
		return "no answer: " + strings.ReplaceAll(failure, "_", " ")
	}
	return fmt.Sprintf("HTTP %d", status)
}

// history is a workflow's page in the Temporal UI; empty: there is none.
func (c *Console) history(workflowID string) string {
	if c.cfg.UI == "" || workflowID == "" {
		return ""
	}
	return strings.TrimRight(c.cfg.UI, "/") + "/workflows/" + url.PathEscape(workflowID)
}

// eventRows is a table of events.
type eventRows struct {
	Base   string
	Events []api.EventItem
}

// tab is a page in the navigation.
type tab struct {
	Path, Name string
	Here       bool
}

func newTab(v view, path, name string) tab {
	full := v.Base() + path
	here, _, _ := strings.Cut(v.Here, "?")
	return tab{Path: full, Name: name, Here: here == full || path != "" && strings.HasPrefix(here, full+"/")}
}

// part is a piece of a page that several pages have.
type part struct {
	View view
	Of   any
}

// eventDelivery is one delivery of an event.
type eventDelivery struct {
	Event    api.Event
	Delivery deliveryView
}

// usualPace is how many deliveries a second an approval lets go unless told otherwise.
const usualPace = 10

// takes is how long it takes to let some deliveries go at the usual pace, for people.
func takes(n *int) string {
	if n == nil || *n < 2*usualPace {
		return ""
	}
	return span(time.Duration(*n) * time.Second / usualPace)
}

func trimmed(s string) string { return strings.TrimSpace(s) }
