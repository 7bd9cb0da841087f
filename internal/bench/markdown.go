package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Markdown prints what was measured as tables.
func (r *Result) Markdown(w io.Writer) (err error) {
	for _, t := range []interface{ table() table }{r.Latency, r.Failing, r.Outage, r.Overload, r.NeighbourResult} {
		if err == nil {
			err = t.table().print(w)
		}
	}
	return err
}

// table is one in Markdown; without rows it is none.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t table) print(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat("--:|", len(t.head)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

func (r *LatencyResult) table() (t table) {
	if r == nil {
		return t
	}
	t.title = fmt.Sprintf("Endpoints that take their time: %d of them, %.0f/s offered", r.Endpoints, r.Rows[0].Offered)
	if r.Peak > 0 {
		t.title += fmt.Sprintf(", half of this machine's peak of %.0f/s", r.Peak)
	}
	t.head = []string{"answers after", "delivered/s", "p50", "p95", "p99", "CPU per event", "p50 ÷", "p99 ÷", "CPU ÷", "deferred", "workflows", "missing, twice", "refused", "load, steal"}
	for _, row := range r.Rows {
		t.rows = append(t.rows, []string{
			ms(row.Latency), number(row.Delivered), ms(row.P50), ms(row.P95), ms(row.P99), ms(row.CPUPerEvent),
			times2(row.RatioP50), times2(row.RatioP99), times2(row.RatioCPU), fmt.Sprint(row.Deferrals), fmt.Sprint(row.Deliveries),
			fmt.Sprintf("%d, %d", row.Missing, row.Duplicates), statuses(row.Refused), row.Machine.String(),
		})
	}
	return t
}

func (r *FailingResult) table() (t table) {
	if r == nil {
		return t
	}
	t.title = fmt.Sprintf("An endpoint that answers 500 to %g of the attempts, each retried after %s, %.0f/s offered", r.Share, ms(r.Retry), r.Offered)
	t.head = []string{"delivered", "p50", "p95", "p99", "attempts per event", "CPU per event", "deferred", "twice", "refused", "load, steal"}
	t.rows = [][]string{{
		fmt.Sprintf("%d of %d", r.Delivered, r.Events), ms(r.P50), ms(r.P95), ms(r.P99), fmt.Sprintf("%.2f", r.AttemptsPerEvent),
		ms(r.CPUPerEvent), fmt.Sprint(r.Deferrals), fmt.Sprint(r.Duplicates), statuses(r.Refused), r.Machine.String(),
	}}
	return t
}

func (r *OutageResult) table() (t table) {
	if r == nil {
		return t
	}
	t.title = fmt.Sprintf("An endpoint that was down for %.0f s (%s), each attempt retried after %s", r.Outage, r.Answer, ms(r.Retry))
	t.head = []string{"delivered", "first after", "half after", "all after", "most in a second, before", "in order", "attempts per event", "CPU while down", "deferred", "twice", "load, steal"}
	t.rows = [][]string{{
		fmt.Sprintf("%d of %d", r.Delivered, r.Events), seconds(r.First), seconds(r.P50), seconds(r.All),
		fmt.Sprintf("%d, %d", r.PeakAfter, r.PeakBefore), fmt.Sprintf("%.0f %%", 100*r.InOrder), fmt.Sprintf("%.2f", r.AttemptsPerEvent),
		fmt.Sprintf("%.0f %%", r.CPUPercent), fmt.Sprint(r.Deferrals), fmt.Sprint(r.Duplicates), r.Machine.String(),
	}}
	return t
}

func (r *OverloadResult) table() (t table) {
	if r == nil {
		return t
	}
	t.title = fmt.Sprintf("More than the machine can carry: %.0f/s offered for %.0f s from %d clients", r.Offered, r.Seconds, r.Clients)
	if r.Busy {
		t.title += ", half of the CPU taken by another process"
	}
	t.head = []string{"peak", "posted/s", "accepted/s", "÷ peak", "202 p50", "202 p99", "refused", "refusal p99", "arrived p99", "all arrived after", "missing, twice", "p99 at 20/s before", "5 s after", "load, steal"}
	t.rows = [][]string{{
		number(r.Peak), number(r.Posted), number(r.Accepted), times2(r.Ratio), ms(r.Accept.P50), ms(r.Accept.P99), statuses(r.Refused), ms(r.Refuse.P99),
		ms(r.Deliver.P99), seconds(r.Drained), fmt.Sprintf("%d, %d", r.Missing, r.Duplicates), ms(r.Before.P99), ms(r.After.P99), r.Machine.String(),
	}}
	return t
}

func (r *NeighbourResult) table() (t table) {
	if r == nil {
		return t
	}
	t.title = fmt.Sprintf("A tenant with %d attempts at %d endpoints that never answer, beside one with 20 events/s", r.Attempts, r.Endpoints)
	t.head = []string{"p50 alone", "p99 alone", "p50 beside", "p99 beside", "p99 ÷", "p99 posting", "slowest", "missing", "load, steal"}
	t.rows = [][]string{{
		ms(r.P50Alone), ms(r.P99Alone), ms(r.P50Beside), ms(r.P99Beside), times2(r.Ratio), ms(r.P99Posting), ms(r.Slowest),
		fmt.Sprint(r.Missing), r.Machine.String(),
	}}
	return t
}

func ms(v float64) string {
	switch {
	case v >= 10_000:
		return seconds(v / 1000)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	default:
		return fmt.Sprintf("%.1f ms", v)
	}
}

func seconds(v float64) string { return fmt.Sprintf("%.1f s", v) }

func number(v float64) string { return fmt.Sprintf("%.0f", v) }

// times2 leaves out what was not compared.
func times2(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v)
}

func statuses(all map[int]int) string {
	if len(all) == 0 {
		return "0"
	}
	var said []string
	for status, n := range all {
		said = append(said, fmt.Sprintf("%d × %d", n, status))
	}
	slices.Sort(said)
	return strings.Join(said, ", ")
}

// String is the load average before and after, and the steal.
func (m Machine) String() string {
	if m.LoadBefore < 0 {
		return "not known"
	}
	return fmt.Sprintf("%.1f → %.1f, %.0f %%", m.LoadBefore, m.LoadAfter, max(m.Steal, 0))
}
