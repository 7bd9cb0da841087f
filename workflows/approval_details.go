package workflows

import (
	"fmt"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// details are what operators read before they decide.
func (a *approval) details() string {
	var b strings.Builder
	r := a.report
	fmt.Fprintf(&b, "**%s** `%s`", r.Status, r.EndpointID)
	if a.facts.Host != "" {
		fmt.Fprintf(&b, " at %s", prose(a.facts.Host))
	}
	b.WriteString("\n\n")
	if r.Reason != "" {
		fmt.Fprintf(&b, "%s\n\n", prose(r.Reason))
	}
	if r.FailingSince != nil {
		fmt.Fprintf(&b, "- failing since %s\n", stamp(*r.FailingSince))
	}
	for _, answer := range r.LastAnswers {
		fmt.Fprintf(&b, "- %s at %s\n", prose(answer.String()), stamp(answer.At))
	}
	if r.Waiting != nil && r.CountedAt != nil && !r.Status.Ended() {
		fmt.Fprintf(&b, "- %s waiting at %s\n", deliveries(*r.Waiting), stamp(*r.CountedAt))
	}
	if r.Decision != nil {
		fmt.Fprintf(&b, "- %s at %s%s\n", r.Decided, stamp(*r.DecidedAt), a.who())
	}
	if r.Released > 0 {
		fmt.Fprintf(&b, "- %s released\n", deliveries(r.Released))
	}
	b.WriteString(a.choices())
	if a.ignored != "" {
		fmt.Fprintf(&b, "\n%s\n", a.ignored)
	}
	return b.String()
}

func (a *approval) who() string {
	d := a.report.Decision
	if d.By == "" && d.Reason == "" {
		return "; it does not say by whom"
	}
	return prose(byAndWhy(instruction(*d)))
}

// choices say what each decision will do, while there is one to take.
func (a *approval) choices() string {
	switch a.report.Status {
	case webhook.ApprovalWatching:
		if at := a.askAt(); at != nil {
			return fmt.Sprintf("\nNothing to do yet: people are asked at %s, unless it takes a delivery before.\n", stamp(*at))
		}
	case webhook.ApprovalAwaiting:
		return fmt.Sprintf(`
Decide with *Send Signal* or *Update*; %s:

- **approve**: the oldest delivery is sent as a probe. If the endpoint takes it, the others follow, oldest
  first, %d a second. If it refuses that one event, the next two are tried. Else you are asked again.
- **reject**: the endpoint is disabled and its deliveries end as rejected. They can be recovered later.

To say who you are and why, and to approve at another pace:

`+"```json\n"+`{"by": "alice", "reason": "new certificate", "rate_per_second": 5}`+"\n```"+`

Without a decision it is rejected at %s.
`, a.mustSay(), webhook.DefaultReleaseRate, stamp(*a.report.DecideBy))
	case webhook.ApprovalReleasing:
		return fmt.Sprintf("\nReleasing %g a second. Pausing the endpoint stops it.\n", a.rate())
	case webhook.ApprovalProbing, webhook.ApprovalReleased, webhook.ApprovalRecovered, webhook.ApprovalRejected, webhook.ApprovalCancelled:
	}
	return ""
}

// mustSay is what the input of a decision must hold.
func (a *approval) mustSay() string {
	if a.facts.Named {
		return "the input must say who you are"
	}
	return "the input may be empty"
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
